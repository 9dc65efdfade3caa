import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { ArchiveError } from '../../src/archive/errors.ts'
import { hourOf } from '../../src/archive/object-name.ts'
import { type HourObjects, listRawHours } from '../../src/archive/raw-hours.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { collect, NOON_MS, rawRecords, recordAt, recordsAt, sequenceOf } from './factories.ts'
import { inOrder } from './history-world.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const SHARDS = ['shardId-000000000000', 'shardId-000000000001', 'shardId-000000000010']

/** Steps of some minutes or hours from record to record; arrivals up to two hours off their order. */
const shardRecords = (shard: string) =>
  fc
    .array(fc.tuple(fc.oneof({ weight: 9, arbitrary: fc.nat(15) }, fc.nat(300)), fc.nat(120)), {
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

describe('raw objects hour by hour', () => {
  it('are all of every shard, and hold each record once, whatever the bounds of the batches were', async () => {
    await fc.assert(
      fc.asyncProperty(archived, fc.integer({ min: 1, max: 5 }), async ({ records, batches }, pageKeysMax) => {
        const store = memoryObjectStore({ pageKeysMax })
        for (const batch of batches.flat()) await archiveBatch(batch, store)
        const hours = await collect(listRawHours(store))
        expect(hours.map(({ hour }) => hour)).toEqual([...new Set(records.map(r => hourOf(r.arrivalMs)))].sort())
        expect(hours.flatMap(({ raw }) => [...raw.keys()]).sort()).toEqual([...store.objects.keys()].sort())
        for (const { hour, raw } of hours) for (const key of raw.keys()) expect(key.split('/')[3]).toBe(hour)
        expect(inOrder(await rawRecords(store))).toEqual(inOrder(records))
        expect(store.calls.get).toBe(store.objects.size)
      }),
      { numRuns: 60 },
    )
  })

  it('are listed as far as somebody asks, so that years of names are never in memory', async () => {
    const store = memoryObjectStore({ pageKeysMax: 1 })
    for (let index = 0; index < 24; index++) {
      await archiveBatch([recordAt(index, { arrivalMs: NOON_MS + index * HOUR_MS })], store)
    }
    const hours: AsyncGenerator<HourObjects> = listRawHours(store)
    expect((await hours.next()).value).toMatchObject({ hour: '2026010212' })
    expect((await hours.next()).value).toMatchObject({ hour: '2026010213' })
    // One to find the shard, one to find no other, and one object past those of the two hours.
    expect(store.calls.list).toBe(2 + 3)
    await hours.return(undefined)
  })

  it('have their shards found with one listing each, however many objects there are', async () => {
    const store = memoryObjectStore()
    for (let index = 0; index < 50; index++) {
      for (const shard of SHARDS) await archiveBatch([recordAt(index, { shard })], store)
    }
    await collect(listRawHours(store))
    expect(store.calls.list).toBe(2 * SHARDS.length + 1)
  })

  it('are none where nothing was archived', async () => {
    expect(await collect(listRawHours(memoryObjectStore()))).toEqual([])
  })

  it('keep streams of two epochs apart, though their sequences meet', async () => {
    const store = memoryObjectStore()
    const [before, after] = [recordAt(1), recordAt(1, { stream: 'events@2' })]
    await archiveBatch([after], store)
    await archiveBatch([before], store)
    expect(await rawRecords(store)).toEqual([before, after])
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
    return rawRecords(store)
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
