// The command as a person calls it, on the local cloud's DynamoDB and S3.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { writeDeadLetters } from '../../src/archive/dead-letters.ts'
import { loadPipeline } from '../../src/cli/load-pipeline.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { features } from '../../src/features/define.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { recomputeBatch } from '../../src/recompute/recompute-batch.ts'
import { countingPredictor, rawRecord } from '../recompute/harness.ts'
import { failureObject, GIVEN_UP_KEY } from '../archive/factories.ts'
import { call, openShop, type Shop } from './shop-world.ts'

const PIPELINE = `
import { count, event, features, pipeline, sum } from 'millrace'
const visit = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {} })
export default pipeline({
  name: 'shop',
  features: features({ visits1d: count(visit, { within: '1d' }), visits90d: count(visit, { within: '90d' }), ever: count(visit) }),
  models: [],
})
`
const NOW = Date.UTC(2026, 5, 1, 12)

let shop: Shop

beforeAll(async () => {
  shop = await openShop({ source: PIPELINE, with: ['users', 'archive', 'stream'], clock: () => NOW })
  const records = Array.from({ length: 12 }, (_, id) => visit(id + 1, `user-${id % 3}`))
  await deliver(records)
  await archiveBatch(records, shop.connection.archive)
})

afterAll(() => shop.close())

const millrace = (...words: string[]) => shop.millrace('backfill', '--wait', '1s', ...words)

function visit(id: number, user: string): StreamRecord {
  const atMs = NOW - (20 - id) * 3_600_000
  return rawRecord(JSON.stringify({ type: 'visit', id, user, at: new Date(atMs).toISOString() }), id, user, atMs + 1000)
}

/** As the function did that was deployed before there were three features. */
async function deliver(records: readonly StreamRecord[]): Promise<void> {
  const { features: now, ...rest } = await loadPipeline(shop.folder)
  const first = features({ visits1d: now.features['visits1d'] as never })
  const compiled = compilePipeline({ ...rest, features: first })
  const aside = { writeDeadLetters: fail, writeDoubt: fail }
  const predictor = countingPredictor([])
  await recomputeBatch(records, { ...shop.connection, compiled, predictor, aside, remainingMs: () => 60_000 })
}

async function fail(): Promise<never> {
  throw new Error('set aside')
}

describe('backfill', () => {
  it('counts in a dry run, fills what is missing, and has nothing to do the second time', async () => {
    const dry = await millrace('--dry-run')
    expect(dry).toMatchObject({ exitCode: 0, stdout: '3 users would be rebuilt\n' })
    await writeFile(join(shop.folder, 'some.txt'), 'user-0\n')
    const some = await millrace('--feature', 'visits90d', '--users', 'some.txt', '--user', 'user-1', '--json')
    expect(JSON.parse(some.stdout)).toMatchObject({ users: 2, written: 2, waiting: 0, isDryRun: false })
    const rest = await millrace()
    expect(rest).toMatchObject({ exitCode: 0, stdout: '1 users: 1 written, 0 unchanged\n' })
    expect(rest.stderr).toContain('64/64')
    expect((await millrace()).stdout).toBe('0 users: 0 written, 0 unchanged\n')
    expect((await millrace('--user', 'user-2', '--rate', '100')).stdout).toBe('1 users: 0 written, 1 unchanged\n')
  })

  it('ends with 1 where users are left, and says why and what to do', async () => {
    const ahead = visit(13, 'user-0')
    await deliver([ahead])
    const { exitCode, stdout, stderr } = await millrace('--user', 'user-0', '--wait', '1s', '--doubt')
    // Nobody is in doubt.
    expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 0, stdout: '0 users: 0 written, 0 unchanged\n' })
    const left = await waiting('--user', 'user-0')
    expect(left.exitCode).toBe(1)
    expect(left.stdout).toContain('1 left: the archive does not have their newest events yet')
    expect(left.stderr).toContain('1 users are left as they were (backfill-incomplete)')
    await archiveBatch([ahead], shop.connection.archive)
    expect((await millrace('--user', 'user-0')).stdout).toContain('1 written')
  })

  it('gives up what the archive will never have only where it is told to', async () => {
    const { archive } = shop.connection
    await deliver([visit(30, 'user-7'), visit(31, 'user-7')])
    await archiveBatch([visit(30, 'user-7')], archive)
    // A record of the stream that was made anew.
    await archiveBatch([{ ...visit(1, 'nobody'), stream: 'events@2' }], archive)
    const left = await waiting('--user', 'user-7')
    expect(left.exitCode).toBe(1)
    expect(left.stderr).toContain('--accept-loss')
    const verified = await shop.millrace('verify', '--user', 'user-7', '--wait', '1')
    expect(verified.stdout).toContain('Unarchived:\n  user-7: events@1/')
    expect(verified.stderr).toContain('(archive-lacks-events)')
    expect(await waiting('--user', 'user-7', '--accept-loss')).toMatchObject({
      exitCode: 0,
      stdout: '1 users: 1 written, 0 unchanged\n1 written without events that the archive will never have\n',
    })
    expect(await shop.millrace('verify', '--user', 'user-7')).toMatchObject({ exitCode: 0 })
    expect((await millrace('--user', 'user-7')).stdout).toBe('1 users: 0 written, 1 unchanged\n')
  })

  it('counts letters that are accepted today, and closes them', async () => {
    const record = visit(14, 'user-9')
    await writeDeadLetters(shop.connection.archive, [
      { record, refusal: { reason: 'contract', detail: 'The field is text.' } },
    ])
    await archiveBatch([record], shop.connection.archive)
    expect((await millrace('--dead-letters', 'contract')).stdout.split('\n')).toEqual([
      '1 users: 1 written, 1 of them for the first time, 0 unchanged',
      'dead letters: 1 closed, 0 still open',
      '',
    ])
    const { stdout } = await shop.millrace('deadletters', 'list', '--all', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      letters: [{ closedBy: 'millrace backfill --dead-letters contract' }],
    })
  })

  it('ends with 1 where letters are still open, and says what tells why', async () => {
    const record = rawRecord('{"type":"visit"}', 15, 'user-9', NOW)
    const { archive } = shop.connection
    await writeDeadLetters(archive, [{ record, refusal: { reason: 'user-id-invalid', detail: 'The user is absent.' } }])
    await archiveBatch([record], archive)
    const { exitCode, stdout, stderr } = await millrace('--dead-letters', 'user-id-invalid')
    expect(exitCode).toBe(1)
    expect(stdout).toContain('dead letters: 0 closed, 1 still open')
    expect(stderr).toContain('1 letters are still open (letters-left)')
    expect(stderr).toContain('millrace deadletters replay --reason user-id-invalid --preview')
  })

  it('is done with a given-up batch that holds what never was an event, which is a dead letter from then on', async () => {
    const lost = [visit(16, 'user-8'), rawRecord('{', 17, 'user-8', NOW)]
    const { archive } = shop.connection
    await archiveBatch(lost, archive)
    await archive.create(GIVEN_UP_KEY, failureObject(lost))
    const { exitCode, stdout } = await millrace('--dead-letters', 'given-up')
    expect({ exitCode, lines: stdout.split('\n') }).toEqual({
      exitCode: 0,
      lines: [
        '1 users: 1 written, 1 of them for the first time, 0 unchanged',
        'dead letters: 1 closed, 0 still open',
        '1 given-up records are refused: dead letters of their own from now on, each with its reason',
        '',
      ],
    })
    const listed = await shop.millrace('deadletters', 'list', '--reason', 'not-json', '--json')
    expect(JSON.parse(listed.stdout)).toMatchObject({ letters: [{ sequence: '17' }] })
    expect(await millrace('--dead-letters', 'given-up')).toMatchObject({ exitCode: 0 })
  })

  it.each([
    [['--feature', 'nothing'], 'no feature nothing'],
    [['--feature', 'ever', '--doubt'], 'exclude each other'],
    [['--dead-letters', 'future'], 'always will be'],
    [['--dead-letters', 'mis-keyed'], 'keyed by its user'],
    [['--user', 'a/b'], "no user's id"],
    [['--rate', '0'], '--rate is "0"'],
    [['--wait', 'long'], '"long" is not a duration'],
  ])('refuses %j', async (words, why) => {
    const { exitCode, stderr } = await millrace(...words)
    expect(exitCode).toBe(2)
    expect(stderr).toContain(why)
  })

  it('says which file is missing', async () => {
    expect(await millrace('--users', 'none.txt')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('none.txt'),
    })
  })
})

/** With the real time: the wait is one. */
async function waiting(...words: string[]) {
  const options = { cwd: shop.folder, env: { ...shop.aws.env, USER: 'ana' }, clock: Date.now }
  return call(['backfill', ...words, '--wait', '1s'], options)
}
