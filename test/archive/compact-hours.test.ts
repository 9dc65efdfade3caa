// Compaction at its edges: what one batch of an hour is made of, what comes late, what dies half-way, and what it costs.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bucketOfPart } from '../../src/archive/history-tables.ts'
import { linesOfPart } from '../../src/archive/line-parts.ts'
import type { LoadedBatch } from '../../src/catalog/load-batch.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { userBucket } from '../../src/platform/hash.ts'
import { NOON_MS, recordAt, recordsAt } from './factories.ts'
import { HOUR_MS, hourRef, type HistoryWorld, historyWorld, inOrder, readAll } from './history-world.ts'

const NOON = '2026010212'
const MINUTE_MS = 60_000

let world: HistoryWorld
beforeEach(() => {
  world = historyWorld()
})
afterEach(() => world.remove())

/** A few users, so that several records of one lie together. */
const records = recordsAt(0, 60).map((record, index) => ({ ...record, partitionKey: `user-${index % 7}` }))

interface BatchLine {
  readonly bucket: number | undefined
  readonly line: Omit<StreamRecord, 'dataBase64'> & { readonly data: string }
}

async function linesOf(batch: LoadedBatch): Promise<BatchLine[]> {
  const lines: BatchLine[] = []
  for await (const part of batch.parts()) {
    for (const line of linesOfPart(part)) {
      lines.push({
        bucket: bucketOfPart(part.name),
        line: JSON.parse(Buffer.from(line).toString()) as BatchLine['line'],
      })
    }
  }
  return lines
}

describe('compacting an hour', () => {
  it('writes each record once, in the part of its bucket, by user and sequence', async () => {
    const other = records.slice(0, 20).map(record => ({ ...record, shard: 'shardId-000000000001' }))
    await world.put(records.slice(0, 40))
    await world.put(records.slice(20, 60))
    await world.put(other)
    world.time.nowMs = NOON_MS + 2 * HOUR_MS
    const report = await world.compact()
    expect(report).toMatchObject({
      hours: [{ partition: 'hour=2026-01-02T12', rawObjects: 3, records: 80 }],
      hoursLeft: 0,
    })
    const batch = await world.catalog.load(hourRef(NOON))
    expect(batch.record).toMatchObject({ rows: 80, batchId: report.hours[0]?.batchId, inputs: [] })
    expect(batch.manifest.contains).toEqual([...world.archive.objects.keys()].sort())
    const lines = await linesOf(batch)
    for (const { bucket, line } of lines) expect(userBucket(line.partitionKey)).toBe(bucket)
    const byBucket = [...new Set(lines.map(({ bucket }) => bucket))].map(bucket =>
      lines
        .filter(line => line.bucket === bucket)
        .map(({ line: { partitionKey, shard, sequence } }) => `${partitionKey} ${shard} ${sequence}`),
    )
    for (const keys of byBucket) expect(keys).toEqual(keys.toSorted())
    expect(new Set(byBucket.flat()).size).toBe(80)
  })

  it('keeps the lines as raw objects have them, whatever a key or its data is', async () => {
    const odd = recordAt(0, { partitionKey: '\ud800"\n', dataBase64: '*** not base64 ***' })
    await world.put([odd])
    world.time.nowMs = NOON_MS + 2 * HOUR_MS
    await world.compact()
    const { dataBase64: data, ...rest } = odd
    expect((await linesOf(await world.catalog.load(hourRef(NOON)))).map(({ line }) => line)).toEqual([
      { ...rest, data },
    ])
    expect((await readAll(await world.open())).records).toEqual([odd])
  })

  it('makes nothing of hours that are not over, and no batch of hours without objects', async () => {
    await world.put([records[0] ?? recordAt(0), recordAt(1, { arrivalMs: NOON_MS + 5 * HOUR_MS })])
    world.time.nowMs = NOON_MS + 6 * HOUR_MS
    expect((await world.compact()).hours.map(({ partition }) => partition)).toEqual(['hour=2026-01-02T12'])
    expect(await world.catalog.partitions(hourRef(NOON))).toHaveLength(1)
  })

  it('looks at what is done by its name only: a second run reads and writes nothing', async () => {
    await world.put(records)
    world.time.nowMs = NOON_MS + 4 * HOUR_MS
    await world.compact()
    const [archive, objects] = [{ ...world.archive.calls }, { ...world.objects.calls }]
    expect(await world.compact()).toEqual({ hours: [], hoursLeft: 0 })
    expect(world.archive.calls).toMatchObject({ get: archive.get, create: archive.create })
    expect(world.objects.calls).toEqual(objects)
  })

  it('tells in a dry run what it would do, and writes nothing', async () => {
    await world.put(records)
    world.time.nowMs = NOON_MS + 4 * HOUR_MS
    const { hours } = await world.compact({ isDryRun: true })
    expect(hours).toEqual([{ partition: 'hour=2026-01-02T12', rawObjects: 1, batchId: undefined, records: undefined }])
    expect(world.objects.calls.create).toBe(0)
    expect(await world.catalog.schema(hourRef(NOON))).toBeUndefined()
  })

  it('of which one has a damaged object goes on with the others, and says which it is', async () => {
    await world.put([recordAt(0)])
    await world.put([recordAt(1, { arrivalMs: NOON_MS + HOUR_MS })])
    const [damaged = ''] = world.archive.objects.keys()
    world.archive.objects.set(damaged, Buffer.from('torn'))
    world.time.nowMs = NOON_MS + 9 * HOUR_MS
    const done: string[] = []
    const compacting = world.compact({ onHour: ({ partition }) => void done.push(partition) })
    await expect(compacting).rejects.toThrow(damaged)
    expect(done).toEqual(['hour=2026-01-02T13'])
  })

  it('begins no further hour once time is up, and goes on in the next run', async () => {
    const turns = Array.from({ length: 3 }, (_, index) => recordAt(index, { arrivalMs: NOON_MS + index * HOUR_MS }))
    await world.put(turns)
    world.time.nowMs = NOON_MS + 9 * HOUR_MS
    let hours = 0
    const report = await world.compact({ onHour: () => void hours++, isTimeUp: () => hours === 2 })
    expect(report).toMatchObject({ hours: [{}, {}], hoursLeft: 1 })
    expect(await world.compact({ isTimeUp: () => true })).toMatchObject({
      hours: [{ partition: 'hour=2026-01-02T14' }],
      hoursLeft: 0,
    })
  })
})

describe('what comes late for a compacted hour', () => {
  beforeEach(async () => {
    await world.put(records.slice(0, 40))
    world.time.nowMs = NOON_MS + 2 * HOUR_MS
    await world.compact()
  })

  it('is read beside the batch at once, and is in a new batch that has everything', async () => {
    const [first] = await world.catalog.partitions(hourRef(NOON))
    await world.put(records.slice(30, 60))
    expect((await readAll(await world.open())).records).toEqual(records)
    world.time.nowMs += 15 * MINUTE_MS
    expect(await world.compact()).toMatchObject({ hours: [{ rawObjects: 1, records: 60 }] })
    const batch = await world.catalog.load(hourRef(NOON))
    expect(batch.record.inputs).toEqual([
      { table: 'shop.events', partition: 'hour=2026-01-02T12', batchId: first?.entry.batchId },
    ])
    expect(batch.manifest.contains).toHaveLength(2)
    expect((await readAll(await world.open())).records).toEqual(records)
  })

  it('is no repeat of what lay in objects within objects', async () => {
    await world.put(records.slice(5, 10))
    world.time.nowMs += HOUR_MS
    await world.compact()
    await world.put(records.slice(8, 45))
    expect((await readAll(await world.open())).records).toEqual(records.slice(0, 45))
  })

  it('needs no raw object that was contained before', async () => {
    world.archive.objects.clear()
    await world.put(records.slice(30, 60))
    world.time.nowMs += HOUR_MS
    await world.compact()
    world.archive.objects.clear()
    const history = await world.open()
    expect((await readAll(history)).records).toEqual(records)
    expect(history.positions).toEqual(new Map([['events@1/shardId-000000000000', records.at(-1)?.sequence]]))
  })

  it('is found again although it came while the hour was compacted, and that took hours', async () => {
    await world.put(records.slice(35, 45))
    world.time.nowMs += HOUR_MS
    let isFirst = true
    const archive: typeof world.archive = {
      ...world.archive,
      get: async key => {
        if (isFirst) {
          isFirst = false
          await world.put(records.slice(40, 60))
          world.time.nowMs += 5 * HOUR_MS
        }
        return world.archive.get(key)
      },
    }
    expect(await world.compact({}, { archive })).toMatchObject({ hours: [{ rawObjects: 1, records: 45 }] })
    expect((await readAll(await world.open())).records).toEqual(records)
    expect(await world.compact()).toMatchObject({ hours: [{ rawObjects: 1, records: 60 }] })
  })

  it('is in again after a rollback to the batch that had not seen it', async () => {
    const [first] = await world.catalog.partitions(hourRef(NOON))
    await world.put(records.slice(30, 60))
    world.time.nowMs += HOUR_MS
    await world.compact()
    await world.catalog.rollback(hourRef(NOON), { to: first?.entry.batchId ?? '', who: 'test', why: 'try' })
    expect((await readAll(await world.open())).records).toEqual(records)
    expect(await world.compact()).toMatchObject({ hours: [{ rawObjects: 1, records: 60 }] })
  })
})

it('leaves what was there visible wherever it dies, and is whole in the next run', async () => {
  for (let dying = 0; ; dying++) {
    let creates = 0
    const dies = historyWorld({
      catalogFault: ({ operation, when }) => {
        if (operation === 'create' && when === 'before' && creates++ === dying) throw new Error('dead')
      },
    })
    await dies.put(records)
    dies.time.nowMs = NOON_MS + 4 * HOUR_MS
    const isDead = await dies.compact().then(
      () => false,
      () => true,
    )
    expect((await readAll(await dies.open())).records).toEqual(inOrder(records))
    if (isDead) expect(await dies.compact()).toMatchObject({ hours: [{ records: 60 }] })
    dies.remove()
    if (!isDead) return
  }
})
