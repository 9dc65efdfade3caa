// What an event source mapping relies on in a stream, as a suite for every implementation of its port.
import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import type { StreamedRecord } from '../../localstack/mapped-record.ts'
import type { MappedStream, ShardReader } from '../../localstack/mapped-stream.ts'

export interface StreamUnderTest {
  readonly stream: MappedStream
  readonly put: (partitionKey: string, data: string) => Promise<{ readonly shard: string; readonly sequence: string }>
  readonly split: (shard: string) => Promise<void>
  readonly merge: (shard: string, other: string) => Promise<void>
}

/** More than any test needs; a shard that is never closed fails it. */
const READS_MAX = 20

async function readAll(reader: ShardReader): Promise<{ records: StreamedRecord[]; isClosed: boolean }> {
  const records: StreamedRecord[] = []
  for (let reads = 0; reads < READS_MAX; reads++) {
    const read = await reader.read(100)
    records.push(...read.records)
    if (read.isClosed) return { records, isClosed: true }
    // A closed shard may say so one read after its last record.
    if (read.records.length === 0 && reads >= 2) break
  }
  return { records, isClosed: false }
}

const textsOf = (records: readonly StreamedRecord[]): string[] =>
  records.map(({ dataBase64 }) => Buffer.from(dataBase64, 'base64').toString())

const KEYS = ['ana', 'ben', 'cleo', 'dan', 'eva', 'finn', 'gil', 'hana', 'ivo', 'jo']

async function fromTrimHorizon({ stream }: StreamUnderTest, shard: string) {
  return readAll(await stream.openShard(shard, { type: 'TRIM_HORIZON' }))
}

/** Over a new stream of so many shards for each test. */
export function mappedStreamContract(make: (shards: number) => Promise<StreamUnderTest>): void {
  it('places a key by its MD5 and keeps the order of a shard', async () => {
    const under = await make(2)
    const shards = (await under.stream.listShards()).map(({ shard, parents }) => ({ shard, parents: [...parents] }))
    expect(shards).toEqual([
      { shard: 'shardId-000000000000', parents: [] },
      { shard: 'shardId-000000000001', parents: [] },
    ])
    for (const text of ['1', '2']) {
      for (const key of KEYS) {
        const isUpper = createHash('md5').update(key).digest()[0] ?? 0
        expect(await under.put(key, `${key}${text}`)).toMatchObject({ shard: shards[isUpper >= 128 ? 1 : 0]?.shard })
      }
    }
    const both = await Promise.all(shards.map(({ shard }) => fromTrimHorizon(under, shard)))
    const texts = both.flatMap(({ records }) => textsOf(records))
    expect(texts.toSorted()).toEqual(KEYS.flatMap(key => [`${key}1`, `${key}2`]).toSorted())
    for (const { records, isClosed } of both) {
      expect(isClosed).toBe(false)
      const sequences = records.map(({ sequence }) => BigInt(sequence))
      expect(sequences).toEqual(sequences.toSorted((one, other) => (one < other ? -1 : 1)))
    }
  })

  it('reads at most so many, and goes on where it was', async () => {
    const under = await make(1)
    for (const text of ['a', 'b', 'c']) await under.put('ana', text)
    const reader = await under.stream.openShard('shardId-000000000000', { type: 'TRIM_HORIZON' })
    const reads = [await reader.read(2), await reader.read(2), await reader.read(2)]
    expect(reads.map(({ records }) => textsOf(records))).toEqual([['a', 'b'], ['c'], []])
    await under.put('ana', 'd')
    expect(textsOf((await reader.read(2)).records)).toEqual(['d'])
  })

  it('starts at the latest, after a sequence, or at an instant', async () => {
    const under = await make(1)
    const shard = 'shardId-000000000000'
    const first = await under.put('ana', 'a')
    const latest = await under.stream.openShard(shard, { type: 'LATEST' })
    await under.put('ana', 'b')
    expect(textsOf((await readAll(latest)).records)).toEqual(['b'])
    const after = await under.stream.openShard(shard, { type: 'AFTER_SEQUENCE', sequence: first.sequence })
    expect(textsOf((await readAll(after)).records)).toEqual(['b'])
    const { records } = await fromTrimHorizon(under, shard)
    const atMs = records[1]?.arrivalMs ?? 0
    const at = await under.stream.openShard(shard, { type: 'AT_TIMESTAMP', atMs })
    const expected = records.filter(({ arrivalMs }) => arrivalMs >= atMs)
    expect((await readAll(at)).records).toEqual(expected)
  })

  it('closes a shard that is split, at its end, and its children come after it', async () => {
    const under = await make(1)
    const parent = 'shardId-000000000000'
    const last = await under.put('ana', 'before')
    const reader = await under.stream.openShard(parent, { type: 'TRIM_HORIZON' })
    const latest = await under.stream.openShard(parent, { type: 'LATEST' })
    await under.split(parent)
    const children = (await under.stream.listShards()).filter(({ shard }) => shard !== parent)
    expect(children.map(({ parents }) => [...parents])).toEqual([[parent], [parent]])
    const placed = new Set<string>()
    for (const key of KEYS) {
      const { shard, sequence } = await under.put(key, `${key} after`)
      placed.add(shard)
      expect(BigInt(sequence)).toBeGreaterThan(BigInt(last.sequence))
    }
    expect([...placed].toSorted()).toEqual(children.map(({ shard }) => shard).toSorted())
    for (const read of [await readAll(reader), await fromTrimHorizon(under, parent)]) {
      expect([textsOf(read.records), read.isClosed]).toEqual([['before'], true])
    }
    expect(await readAll(latest)).toEqual({ records: [], isClosed: true })
    const ofChildren = await Promise.all(children.map(({ shard }) => fromTrimHorizon(under, shard)))
    expect(ofChildren.flatMap(({ records }) => records)).toHaveLength(KEYS.length)
  })

  it('makes one child of two neighbours, which comes after both', async () => {
    const under = await make(2)
    const [one, other] = ['shardId-000000000000', 'shardId-000000000001']
    const before = await Promise.all(KEYS.map(key => under.put(key, key)))
    await under.merge(one, other)
    const child = (await under.stream.listShards()).find(({ parents }) => parents.length > 0)
    expect([...(child?.parents ?? [])].toSorted()).toEqual([one, other])
    const after = await under.put('ana', 'after')
    expect(after.shard).toBe(child?.shard)
    for (const { sequence } of before) expect(BigInt(after.sequence)).toBeGreaterThan(BigInt(sequence))
    for (const parent of [one, other]) {
      const position = before.findLast(({ shard }) => shard === parent)?.sequence ?? ''
      const end = await under.stream.openShard(parent, { type: 'AFTER_SEQUENCE', sequence: position })
      expect(await readAll(end)).toEqual({ records: [], isClosed: true })
    }
  })
}
