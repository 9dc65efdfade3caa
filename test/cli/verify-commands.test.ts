// `verify` and `users explain` as a person calls them, on the local cloud's DynamoDB and S3: what recompute and archive wrote there,
// and an item that somebody has changed since.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rawObjects } from '../../src/archive/raw-object.ts'
import { loadPipeline } from '../../src/cli/load-pipeline.ts'
import { createPredictor } from '../../src/compose/predictor.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { recomputeBatch } from '../../src/recompute/recompute-batch.ts'
import { encodeItem } from '../../src/store/item-codec.ts'
import { isCorrupt } from '../../src/store/user-item.ts'
import { rawRecord } from '../recompute/harness.ts'
import { partsOf } from '../replay/verify-world.ts'
import { openShop, type Shop } from './shop-world.ts'

const PIPELINE = `
import { count, event, features, pipeline } from 'millrace'
const visit = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {} })
export default pipeline({ name: 'shop', features: features({ visits1d: count(visit, { within: '1d' }), ever: count(visit) }), models: [] })
`
const NOW = Date.UTC(2026, 5, 1, 12)
const HOUR = 3_600_000

let shop: Shop

beforeAll(async () => {
  shop = await openShop({ source: PIPELINE, with: ['users', 'archive'], clock: () => NOW })
  await foldAndArchive()
})

afterAll(() => shop.close())

/** Three visits of each of two users. */
async function foldAndArchive(): Promise<void> {
  const compiled = compilePipeline(await loadPipeline(shop.folder))
  const records = [1, 2, 3, 4, 5, 6].map(id => {
    const user = id % 2 === 0 ? 'ana' : 'ben'
    const at = NOW - 30 * HOUR + id * 5 * HOUR
    return rawRecord({ type: 'visit', id, user, at: new Date(at).toISOString() }, id, user, at)
  })
  const predictor = createPredictor(compiled, {
    ...shop.connection,
    refreshMs: 0,
    onError: error => expect.fail(String(error)),
  })
  const aside = { writeDeadLetters: fail, writeDoubt: fail }
  await recomputeBatch(records, { ...shop.connection, compiled, predictor, aside, remainingMs: () => 60_000 })
  for (const { key, body } of rawObjects(records)) await shop.connection.archive.create(key, body)
}

async function fail(error: unknown): Promise<never> {
  throw new Error('not expected here', { cause: error })
}

const millrace = (...words: string[]) => shop.millrace(...words)

describe('users explain', () => {
  it('shows what the features are made of, and that this is what is stored', async () => {
    const { exitCode, stdout } = await millrace('users', 'explain', 'ana', '--since', '2026-06-01T03:00:00Z')
    expect(exitCode).toBe(0)
    expect(stdout).toContain('ana at 2026-06-01T12:00:00Z\nKnown by then: 3 events')
    expect(stdout).toContain('Its features are what history says, at that instant and evaluated for now.')
    expect(stdout).toMatch(/visits1d +2 → 3 +2 events → 3; 1 came/)
  })

  it('is of an earlier instant with --at, as JSON with --json', async () => {
    const { stdout } = await millrace('users', 'explain', 'ana', '--at', '2026-05-31T17:00:00Z', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ userId: 'ana', known: { events: 1 }, stored: null, since: null })
  })

  it.each([
    [['a/b'], 2, "is no user's id"],
    [['ana', '--at', 'yesterday'], 2, '--at is "yesterday"'],
    [['ana', '--since', '2027-01-01T00:00:00Z'], 2, '--since is not before'],
    [['nobody'], 1, 'There is no user nobody'],
  ])('%j ends with %i', async (words, code, why) => {
    const { exitCode, stderr } = await millrace('users', 'explain', ...words)
    expect(exitCode).toBe(code)
    expect(stderr).toContain(why)
  })
})

describe('verify', () => {
  it('ends with 0 where everything is as history says', async () => {
    const { exitCode, stdout } = await millrace('verify')
    expect(stdout).toMatch(
      /^2 users of a sample \(seed 2026-06-01\) against history, as of 2026-06-01T12:00:00.000Z: 6 events/,
    )
    expect(stdout).toMatch(/matched +2 {2}stored and served as recomputed/)
    expect(exitCode).toBe(0)
  })

  it.each([
    [['--all', '--users', '3'], 'exclude each other'],
    [['--user', 'a/b'], "is no user's id"],
    [['--users', '0'], '--users is "0"'],
    [['--at', 'now'], '--at is "now"'],
  ])('refuses %j', async (words, why) => {
    const { exitCode, stderr } = await millrace('verify', ...words)
    expect(exitCode).toBe(2)
    expect(stderr).toContain(why)
  })

  it('ends with 1 and says by how much where an item was changed', async () => {
    const item = await shop.connection.users.load('ana')
    if (item === undefined || isCorrupt(item)) throw new Error('no item')
    const parts = partsOf(item)
    const features = parts.features.replace('"ever":3', '"ever":4')
    await shop.connection.users.put(encodeItem({ ...parts, v: item.v + 1, features }), item.v)
    const { exitCode, stdout, stderr } = await millrace('verify', '--all', '--wait', '0')
    expect(exitCode).toBe(1)
    expect(stdout).toContain(
      'Different, the worst first:\n  ana: ever is 4 as stored at 2026-06-01T12:00:00.000Z, recomputed 3',
    )
    expect(stderr).toContain('Not what history says: 1 different (verify-differs)')
    const ben = await millrace('verify', '--user', 'ben', '--json')
    expect(JSON.parse(ben.stdout)).toMatchObject({
      counts: { users: 1, matched: 1 },
      which: { kind: 'named', userIds: ['ben'] },
    })
  })
})
