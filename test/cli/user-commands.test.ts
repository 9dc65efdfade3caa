// `events push`, `users get` and `snapshot run` as a person calls them, on the local cloud's Kinesis, DynamoDB and S3.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GetRecordsCommand, GetShardIteratorCommand } from '@aws-sdk/client-kinesis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadPipeline } from '../../src/cli/load-pipeline.ts'
import { createPredictor } from '../../src/compose/predictor.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { recomputeBatch } from '../../src/recompute/recompute-batch.ts'
import { rawRecord } from '../recompute/harness.ts'
import { call, openShop, type Shop, SHOP_NAMES } from './shop-world.ts'

const PIPELINE = `
import { count, event, features, pipeline } from 'millrace'
const visit = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {} })
export default pipeline({ name: 'shop', features: features({ visits1d: count(visit, { within: '1d' }), ever: count(visit) }), models: [] })
`
const NOW = Date.UTC(2026, 5, 1, 12)

let shop: Shop

beforeAll(async () => {
  shop = await openShop({ source: PIPELINE, with: ['users', 'stream', 'archive'], clock: () => NOW })
})

afterAll(() => shop.close())

const millrace = (...words: string[]) => shop.millrace(...words)

const visit = (id: number, user: string, ms: number): string =>
  JSON.stringify({ type: 'visit', id, user, at: new Date(ms).toISOString() })

async function recordsInStream(): Promise<string[]> {
  const { kinesis } = shop.aws.clients
  const { ShardIterator } = await kinesis.send(
    new GetShardIteratorCommand({
      StreamName: SHOP_NAMES.eventsStream,
      ShardId: 'shardId-000000000000',
      ShardIteratorType: 'TRIM_HORIZON',
    }),
  )
  const { Records = [] } = await kinesis.send(new GetRecordsCommand({ ShardIterator }))
  return Records.map(record => Buffer.from(record.Data ?? new Uint8Array()).toString('utf8'))
}

/** What the recompute function would have done with two visits of ana. */
async function fold(): Promise<void> {
  const compiled = compilePipeline(await loadPipeline(shop.folder))
  const records = [1, 2].map(id => rawRecord(visit(id, 'ana', NOW - id * 3_600_000), id, 'ana', NOW))
  const predictor = createPredictor(compiled, {
    ...shop.connection,
    refreshMs: 0,
    onError: error => expect.fail(String(error)),
  })
  const aside = { writeDeadLetters: fail, writeDoubt: fail }
  await recomputeBatch(records, { ...shop.connection, compiled, predictor, aside, remainingMs: () => 60_000 })
}

async function fail(error: unknown): Promise<never> {
  throw new Error('set aside', { cause: error })
}

describe('events push', () => {
  it('puts what the contract accepts, names the lines that it refuses, and ends with 1', async () => {
    const file = join(shop.folder, 'events.ndjson')
    await writeFile(file, [visit(1, 'ana', NOW), '{"type":"visit"}', visit(2, 'ben', NOW)].join('\n'))
    const dry = await millrace('events', 'push', 'events.ndjson', '--dry-run', '--json')
    expect(JSON.parse(dry.stdout)).toMatchObject({ accepted: 2, refused: 1, isDryRun: true })
    expect((await millrace('events', 'push', 'events.ndjson', '--dry-run')).stderr).toContain('2 checked so far')
    expect(await recordsInStream()).toEqual([])

    const pushed = await millrace('events', 'push', 'events.ndjson')
    expect(pushed.exitCode).toBe(1)
    expect(pushed.stdout).toContain('2 accepted, 1 refused, 0 undelivered')
    expect(pushed.stdout).toContain('line 2: contract:')
    expect(await recordsInStream()).toEqual([visit(1, 'ana', NOW), visit(2, 'ben', NOW)])
  })

  it('says which file is missing', async () => {
    const { exitCode, stderr } = await millrace('events', 'push', 'nothing.ndjson')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('There is no file')
  })
})

describe('a deployment that is not there', () => {
  const at = async (env: Record<string, string>, ...words: string[]) => {
    const { exitCode, stderr } = await call([...words, '--json'], { cwd: shop.folder, env, clock: () => NOW })
    return { exitCode, ...(JSON.parse(stderr.split('\n').at(-2) ?? '') as object) }
  }
  // Port 9 (discard) is listened to by nobody.
  const nobody = { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' }

  it.each([
    [['users', 'get', 'ana']],
    [['table', 'history', 'shop.users', 'p']],
    [['snapshot', 'run', '--dry-run']],
    [['deadletters', 'list']],
  ])('%j says that nothing answers, and why', async words => {
    expect(await at(nobody, ...words)).toMatchObject({
      exitCode: 1,
      error: {
        code: 'service-unreachable',
        message: 'Nothing answers at 127.0.0.1:9',
        cause: expect.stringContaining('ECONNREFUSED'),
      },
    })
  })

  it('is named by what is missing in it', async () => {
    expect(await at(shop.aws.env, 'users', 'get', 'ana', '--stage', 'none')).toMatchObject({
      error: { code: 'table-missing', message: 'There is no table shop-none-users' },
    })
    expect(await at(shop.aws.env, 'deadletters', 'list', '--stage', 'none')).toMatchObject({
      error: { code: 'bucket-missing' },
    })
    await writeFile(join(shop.folder, 'one.ndjson'), visit(1, 'ana', NOW))
    expect(await at(shop.aws.env, 'events', 'push', 'one.ndjson', '--stage', 'none')).toMatchObject({
      error: { code: 'events-not-accepted', cause: expect.stringContaining('There is no stream shop-none-events') },
    })
  })

  it('at what is no URL is not looked for', async () => {
    expect(await at({ AWS_ENDPOINT_URL: 'localhost:4566' }, 'users', 'get', 'ana')).toMatchObject({
      error: { code: 'endpoint-invalid', message: expect.stringContaining('"localhost:4566"') },
    })
  })
})

describe('users get', () => {
  it('shows the features of now, and the item beside them', async () => {
    await fold()
    const { exitCode, stdout } = await millrace('users', 'get', 'ana', '--json')
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      userId: 'ana',
      features: { values: { visits1d: 2, ever: 2 } },
      stored: { version: 1 },
    })
    expect((await millrace('users', 'get', 'ana')).stdout).toMatch(/visits1d {2}2/)
  })

  it.each([
    ['nothing', '', 'is not 1 to'],
    ['a slash', 'a/b', 'has a control character'],
    ['too long a text', 'a'.repeat(2000), 'is not 1 to'],
  ])('refuses what no user can be called, %s', async (_, id, why) => {
    const { exitCode, stderr } = await millrace('users', 'get', id)
    expect(exitCode).toBe(2)
    expect(stderr).toContain(`is no user's id: it ${why}`)
  })

  it('ends with 1 and says what to do for a user who is not there', async () => {
    const { exitCode, stderr } = await millrace('users', 'get', 'nobody', '--json')
    expect(exitCode).toBe(1)
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'user-not-found' } })
  })
})

describe('snapshot run', () => {
  it('commits everybody at the instant, and nothing when it runs dry', async () => {
    const ref = { db: 'shop', table: 'users', partition: 'day=2026-06-03' }
    const dry = await millrace('snapshot', 'run', '--at', '2026-06-03T00:00:00Z', '--dry-run')
    expect(dry.stdout).toBe('Would write shop.users/day=2026-06-03, which has no batch yet\n')
    expect(await shop.connection.catalog.current(ref)).toBeUndefined()

    const { exitCode, stdout } = await millrace(
      'snapshot',
      'run',
      '--at',
      '2026-06-03T00:00:00Z',
      '--why',
      'a test',
      '--json',
    )
    expect(exitCode).toBe(0)
    const report = JSON.parse(stdout) as { batchId: string }
    expect(report).toMatchObject({ ...ref, users: 1, corruptItems: 0 })
    expect(await shop.connection.catalog.current(ref)).toMatchObject({
      batchId: report.batchId,
      who: 'ana',
      kind: 'commit',
    })

    const again = await millrace('snapshot', 'run', '--at', '2026-06-03T00:00:00Z', '--dry-run')
    expect(again.stdout).toContain(`superseding batch ${report.batchId}`)
    expect(await shop.connection.catalog.history(ref)).toHaveLength(1)
  })

  it('refuses an instant that is none', async () => {
    const { exitCode, stderr } = await millrace('snapshot', 'run', '--at', 'yesterday')
    expect(exitCode).toBe(2)
    expect(stderr).toContain('--at is "yesterday"')
  })
})
