import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { ArchiveError } from '../../src/archive/errors.ts'
import { readArchive, readArchivedShard } from '../../src/archive/read-archive.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { collect, NOON_MS, recordAt, recordsAt, sequenceOf, SHARD } from './factories.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const SHARDS = ['shardId-000000000000', 'shardId-000000000001', 'shardId-000000000010']

/** Mostly steps of some minutes from record to record, now and then of hours; arrivals up to 50 minutes off their order. */
const shardRecords = (shard: string) =>
  fc
    .array(fc.tuple(fc.oneof({ weight: 9, arbitrary: fc.nat(15) }, fc.nat(300)), fc.nat(50)), {
      minLength: 1,
      maxLength: 25,
    })
    .map(steps => {
      let minutes = 0
      return steps.map(([step, off], index) => {
        minutes += step
        return recordAt(index, { shard, arrivalMs: NOON_MS + (minutes + off) * MINUTE_MS })
      })
    })

/** Batches that cover the records: any bounds, any overlaps, any order of writing. */
const cover = (records: readonly StreamRecord[]) =>
  fc
    .tuple(
      fc.array(fc.nat(records.length), { maxLength: 15 }),
      fc.array(fc.tuple(fc.nat(records.length), fc.nat(records.length)), { maxLength: 6 }),
    )
    .chain(([cuts, extra]) => {
      const bounds = [0, ...cuts.toSorted((a, b) => a - b), records.length]
      const batches = bounds.map((from, index) => records.slice(from, bounds[index + 1]))
      const repeats = extra.map(([a, b]) => records.slice(Math.min(a, b), Math.max(a, b)))
      return fc.shuffledSubarray([...batches, ...repeats], { minLength: batches.length + repeats.length })
    })

const archived = fc
  .tuple(...SHARDS.map(shardRecords))
  .chain(byShard => fc.record({ records: fc.constant(byShard.flat()), batches: fc.tuple(...byShard.map(cover)) }))

describe('reading the archive', () => {
  it('gives every record once, in the order of its shard, whatever the bounds of the batches were', async () => {
    await fc.assert(
      fc.asyncProperty(archived, fc.integer({ min: 1, max: 5 }), async ({ records, batches }, pageKeysMax) => {
        const store = memoryObjectStore({ pageKeysMax })
        for (const batch of batches.flat()) await archiveBatch(batch, store)
        store.calls.get = 0
        expect(await collect(readArchive(store))).toEqual(records)
        expect(store.calls.get).toBe(store.objects.size)
      }),
      { numRuns: 150 },
    )
  })

  it('gives exactly the records that arrived in a range', async () => {
    const minutes = fc.integer({ min: -60, max: 40 * 60 })
    await fc.assert(
      fc.asyncProperty(archived, minutes, minutes, async ({ records, batches }, from, to) => {
        const store = memoryObjectStore()
        for (const batch of batches.flat()) await archiveBatch(batch, store)
        const range = { fromMs: NOON_MS + from * MINUTE_MS, toMs: NOON_MS + to * MINUTE_MS }
        const wanted = records.filter(({ arrivalMs }) => arrivalMs >= range.fromMs && arrivalMs < range.toMs)
        expect(await collect(readArchive(store, range))).toEqual(wanted)
      }),
      { numRuns: 100 },
    )
  })

  it('begins a range with what arrived at its first millisecond, and ends it before its last', async () => {
    const store = memoryObjectStore()
    const records = [0, 1, 2, 3].map(index => recordAt(index, { arrivalMs: NOON_MS + index }))
    await archiveBatch(records, store)
    const range = { fromMs: NOON_MS + 1, toMs: NOON_MS + 3 }
    expect(await collect(readArchive(store, range))).toEqual(records.slice(1, 3))
  })

  it('reads of a range only the objects of its hours', async () => {
    const store = memoryObjectStore({ pageKeysMax: 1 })
    for (let index = 0; index < 24; index++) {
      await archiveBatch([recordAt(index, { arrivalMs: NOON_MS + index * HOUR_MS })], store)
    }
    const range = { fromMs: NOON_MS + 5 * HOUR_MS, toMs: NOON_MS + 7 * HOUR_MS }
    expect(await collect(readArchive(store, range))).toHaveLength(2)
    expect(store.calls.get).toBe(2)
    // Of its own hours, one past them, and one before and after each shard.
    expect(store.calls.list).toBe(5)
  })

  it('opens an object when its turn comes and not before', async () => {
    const store = memoryObjectStore()
    for (let index = 0; index < 100; index++) await archiveBatch(recordsAt(index * 10, index * 10 + 10), store)
    const records = readArchivedShard(store, SHARD)
    for (let index = 0; index < 25; index++) await records.next()
    expect(store.calls.get).toBe(3)
    await records.return(undefined)
  })

  it('finds the shards with one listing each, however many objects there are', async () => {
    const store = memoryObjectStore({ pageKeysMax: 1000 })
    for (let index = 0; index < 50; index++) {
      for (const shard of SHARDS) await archiveBatch([recordAt(index, { shard })], store)
    }
    await collect(readArchive(store))
    expect(store.calls.list).toBe(2 * SHARDS.length + 1)
  })

  it('is empty where nothing was archived', async () => {
    expect(await collect(readArchive(memoryObjectStore()))).toEqual([])
  })

  it('keeps streams of two epochs apart, though their sequences meet', async () => {
    const store = memoryObjectStore()
    const [before, after] = [recordAt(1), recordAt(1, { stream: 'events@2' })]
    await archiveBatch([before], store)
    await archiveBatch([after], store)
    expect(await collect(readArchive(store))).toEqual([before, after])
  })
})

describe('a damaged archive is reported and never skipped', () => {
  async function damaged(change: (body: Uint8Array, key: string) => readonly [string, Uint8Array]) {
    const store = memoryObjectStore()
    await archiveBatch(recordsAt(0, 5), store)
    const [key, body] = [...store.objects][0] ?? ['', new Uint8Array()]
    const [newKey, newBody] = change(body, key)
    store.objects.delete(key)
    store.objects.set(newKey, newBody)
    return collect(readArchive(store))
  }
  it.each<[string, Parameters<typeof damaged>[0]]>([
    ['cut bytes', (body, key) => [key, body.slice(0, -9)]],
    ['a turned bit', (body, key) => [key, body.map((byte, index) => (index === 40 ? byte ^ 1 : byte))]],
    ['no gzip', (_, key) => [key, Buffer.from('{}\n')]],
    ['a name that is not ours', body => ['raw/readme.txt', body]],
    ['a record less at the end than the name says', (body, key) => [key.replace(sequenceOf(4), sequenceOf(5)), body]],
    ['a record less at the beginning', (body, key) => [key.replace(sequenceOf(0), sequenceOf(-1)), body]],
    ['a last line that is cut', (body, key) => [key, gzipSync(gunzipSync(body).subarray(0, -1))]],
    [
      'a line without its data',
      (body, key) => [key, gzipSync(gunzipSync(body).toString().replace('"data"', '"date"'))],
    ],
  ])('%s', async (_what, change) => {
    await expect(damaged(change)).rejects.toThrow(ArchiveError)
  })
})
