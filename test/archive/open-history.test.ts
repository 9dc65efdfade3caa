// History is one set of records, whatever the bytes lie in: that set is checked under every mixture of raw objects, compacted hours
// and imports, and what a reader of one bucket fetches for it is counted.
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hourOf } from '../../src/archive/object-name.ts'
import { openHistory } from '../../src/archive/open-history.ts'
import { rawObjects } from '../../src/archive/raw-object.ts'
import { compareSequences, type StreamRecord } from '../../src/event/stream-record.ts'
import { userBucket } from '../../src/platform/hash.ts'
import { collect, NOON_MS, recordAt, SHARD } from './factories.ts'
import { DB, HOUR_MS, hourRef, type HistoryWorld, historyWorld, inOrder, readAll } from './history-world.ts'

const KEY = `${SHARD.stream}/${SHARD.shard}`
const MINUTE_MS = 60_000

let world: HistoryWorld
beforeEach(() => {
  world = historyWorld()
})
afterEach(() => world.remove())

/** Five minutes apart, some of them before their turn; of nine users; five hours. */
const stream = Array.from({ length: 60 }, (_, index) =>
  recordAt(index, {
    arrivalMs: NOON_MS + (index + (index % 5 === 0 ? 2 : 0)) * 5 * MINUTE_MS,
    partitionKey: `user-${index % 9}`,
  }),
)
const otherShard = stream.map(record => ({ ...record, shard: 'shardId-000000000001', partitionKey: 'user-3' }))

const step = fc.oneof(
  fc.record({
    kind: fc.constant('put' as const),
    from: fc.nat(59),
    length: fc.integer({ min: 1, max: 25 }),
    isOther: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('compact' as const), hours: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant('rollback' as const), hour: fc.nat(4) }),
)
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never

/** What was archived after it. */
async function take(one: Step, { put, compact, catalog, time }: HistoryWorld): Promise<readonly StreamRecord[]> {
  if (one.kind === 'put') {
    const records = (one.isOther ? otherShard : stream).slice(one.from, one.from + one.length)
    await put(records)
    return records
  }
  if (one.kind === 'compact') {
    time.nowMs += one.hours * HOUR_MS
    await compact()
    return []
  }
  const ref = hourRef(hourOf(NOON_MS + one.hour * HOUR_MS))
  const [, before] = await catalog.history(ref)
  const current = await catalog.current(ref)
  if (before !== undefined && before.batchId !== current?.batchId) {
    await catalog.rollback(ref, { to: before.batchId, who: 'test', why: 'any' })
  }
  return []
}

describe('all buckets together', () => {
  it('are the records archived, each once, whatever was repeated, compacted, late or rolled back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async steps => {
        const tried = historyWorld({ pageKeysMax: 3 })
        const archived = new Map<string, StreamRecord>()
        for (const one of steps) {
          for (const record of await take(one, tried)) archived.set(`${record.shard}/${record.sequence}`, record)
        }
        const history = await tried.open()
        expect((await readAll(history)).records).toEqual(inOrder([...archived.values()]))
        expect(history.inputs).toHaveLength((await tried.catalog.partitions(hourRef('2026010212'))).length)
        await history.close()
        tried.remove()
      }),
      { numRuns: 40 },
    )
  })

  it('have only the records of the users asked for', async () => {
    await world.put(stream.slice(0, 30))
    world.time.nowMs = NOON_MS + 3 * HOUR_MS
    await world.compact()
    await world.put(stream.slice(20))
    const userIds = new Set(['user-1', 'user-4', 'nobody'])
    const { records } = await readAll(await world.open(), { userIds })
    expect(records).toEqual(stream.filter(({ partitionKey }) => userIds.has(partitionKey)))
  })

  it('are empty where nothing is', async () => {
    const history = await world.open()
    expect(await readAll(history)).toEqual({ records: [], imported: [] })
    expect(history).toMatchObject({ inputs: [], imports: [], positions: new Map() })
  })
})

describe('what is fetched', () => {
  it('for one bucket is the parts of that bucket, and no raw object that an hour contains', async () => {
    await world.put(stream)
    world.time.nowMs = NOON_MS + 9 * HOUR_MS
    await world.compact()
    const history = await world.open()
    const [archive, objects] = [world.archive.calls.get, world.objects.calls.get]
    const bucket = userBucket('user-2')
    const own = stream.filter(({ partitionKey }) => userBucket(partitionKey) === bucket)
    const hours = new Set(own.map(({ arrivalMs }) => hourOf(arrivalMs)))
    expect(await collect(history.bucket(bucket))).toHaveLength(own.length)
    expect(world.objects.calls.get - objects).toBe(hours.size)
    expect(world.archive.calls.get).toBe(archive)
  })

  it('of the raw tail is each object once, for all buckets together, and only when somebody reads', async () => {
    for (let from = 0; from < 60; from += 10) await world.put(stream.slice(from, from + 10))
    const history = await world.open()
    expect(world.archive.calls.get).toBe(0)
    await Promise.all([readAll(history), readAll(history)])
    expect(world.archive.calls.get).toBe(world.archive.objects.size)
  })
})

describe('the position', () => {
  it('is covered, also where an object of an earlier hour is written while the objects are listed', async () => {
    const late = rawObjects(stream.slice(5, 20))
    expect(new Set(late.map(({ key }) => key.split('/')[3])).size).toBeGreaterThan(1)
    for (let listing = 0; listing < 8; listing++) {
      let lists = 0
      const raced = historyWorld({
        pageKeysMax: 1,
        fault: ({ operation, when }) => {
          if (operation !== 'list' || when !== 'after' || lists++ !== listing) return
          for (const { key, body } of late) raced.archive.objects.set(key, body)
        },
      })
      await raced.put(stream.slice(0, 5))
      const history = await raced.open()
      const there = new Set((await readAll(history)).records.map(({ sequence }) => sequence))
      const position = history.positions.get(KEY) ?? ''
      for (const { sequence } of stream) {
        if (compareSequences(sequence, position) <= 0) expect(there).toContain(sequence)
      }
      raced.remove()
    }
  })

  it('is covered where an hour of it is compacted while the history is opened, and the hour after it is not', async () => {
    const [now, before] = [recordAt(1, { arrivalMs: NOON_MS + HOUR_MS }), recordAt(2, { arrivalMs: NOON_MS })]
    await world.put([recordAt(0)])
    let asked = 0
    const catalog: typeof world.catalog = {
      ...world.catalog,
      partitions: async ref => {
        if (asked++ === 0) {
          world.time.nowMs = NOON_MS + 1.5 * HOUR_MS
          await world.put([now, before])
          world.time.nowMs = NOON_MS + 2 * HOUR_MS
          expect(await world.compact()).toMatchObject({ hours: [{ partition: 'hour=2026-01-02T12' }] })
        }
        return world.catalog.partitions(ref)
      },
    }
    const history = await openHistory({ ...world, catalog })
    expect(history.positions.get(KEY)).toBe(before.sequence)
    expect((await readAll(history)).records).toEqual([recordAt(0), now, before])
  })
})

describe('imports', () => {
  const TABLE = { db: DB, table: 'imported_events' }
  const REASON = { who: 'test', why: 'import' }
  const part = (name: string, ...lines: readonly string[]) => ({
    name,
    body: gzipSync(lines.map(line => `${line}\n`).join('')),
    rows: lines.length,
  })

  beforeEach(() => world.catalog.createTable(TABLE, { columns: [], format: 'ndjson.gz', owner: DB }))

  it('are read by the bucket of their users; what was refused when it came by every bucket', async () => {
    const { batchId } = await world.catalog.store(
      { ...TABLE, partition: 'import=orders' },
      { ...REASON, parts: [part('part-07-0000', 'a', 'b'), part('part-08-0000', 'c'), part('part-refused-0000', '{')] },
    )
    const history = await world.open()
    const { imported } = await readAll(history)
    expect(imported.filter(({ text }) => text !== '{')).toEqual([
      { bucket: 7, batchId, text: 'a' },
      { bucket: 7, batchId, text: 'b' },
      { bucket: 8, batchId, text: 'c' },
    ])
    expect(imported.filter(({ text }) => text === '{').map(({ bucket }) => bucket)).toEqual(
      Array.from({ length: 64 }, (_, bucket) => bucket),
    )
    expect(history.imports).toEqual([batchId])
    expect(history.inputs).toEqual([{ table: 'shop.imported_events', partition: 'import=orders', batchId }])
  })

  it('are in force as the current batch of each, unless it is empty', async () => {
    const store = async (partition: string, ...lines: readonly string[]) =>
      world.catalog.store(
        { ...TABLE, partition },
        { ...REASON, parts: lines.length === 0 ? [] : [part('part-00-0000', ...lines)] },
      )
    await store('import=a', 'old')
    const second = await store('import=a', 'new')
    await store('import=b', 'b')
    await store('import=b')
    const third = await store('import=c', 'c')
    const history = await world.open()
    expect((await readAll(history)).imported.map(({ text }) => text)).toEqual(['new', 'c'])
    expect(history.imports).toEqual([second.batchId, third.batchId].sort())
  })
})
