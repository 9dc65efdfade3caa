// The events stream in memory: records routed by the hash of their key, shards that are split and merged while records come in, and
// word to whoever polls that there is something new, so that hours of silence cost nothing.
import { hash } from 'node:crypto'
import type { StreamedRecord } from '../../localstack/mapped-record.ts'
import type { MappedShard, MappedStream, ShardStart } from '../../localstack/mapped-stream.ts'
import type { ShardSequences } from '../../src/event/stream-tip.ts'
import { compareSequences } from '../../src/event/stream-record.ts'

export interface PutRecord {
  readonly shard: string
  readonly sequence: string
}

export interface SimulatedStream extends MappedStream {
  put(partitionKey: string, dataBase64: string, arrivalMs: number): PutRecord
  openShards(): readonly string[]
  /** Of the shards that have a record. */
  lastSequences(): ShardSequences
  /** The shard is closed, its keys go to two new ones. */
  split(shard: string): void
  /** Both are closed, their keys go to a new one. */
  merge(shard: string, other: string): void
  /** Resolves at the next put, split or merge, or when somebody is to look again. */
  activity(): Promise<void>
  wakePollers(): void
}

interface Shard extends MappedShard {
  readonly records: StreamedRecord[]
  isClosed: boolean
  /** Slots of the hash space, of SLOTS. */
  slots: ReadonlySet<number>
}

const SLOTS = 64
/** As long as Kinesis's, whose numbers are beyond 2^53. */
const FIRST_SEQUENCE = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898n
const SEQUENCES_OF_A_STREAM = 1_000_000_000n

/** Of a later stream of the same name the sequences are lower: nobody may compare them with those of the one before. */
export function simulatedStream(shardCount: number, epoch: number): SimulatedStream {
  const shards: Shard[] = []
  let sequence = FIRST_SEQUENCE - BigInt(epoch) * SEQUENCES_OF_A_STREAM
  let wake: () => void = () => undefined
  let news = newsPromise()

  function newsPromise(): Promise<void> {
    return new Promise(resolve => (wake = resolve))
  }

  function tell(): void {
    wake()
    news = newsPromise()
  }

  function open(slots: Iterable<number>, parents: readonly string[]): void {
    const shard = `shardId-${String(shards.length).padStart(12, '0')}`
    shards.push({ shard, parents, records: [], isClosed: false, slots: new Set(slots) })
  }

  function close(name: string): Shard {
    const shard = find(name)
    shard.isClosed = true
    return shard
  }

  function find(name: string): Shard {
    const shard = shards.find(each => each.shard === name)
    if (shard === undefined) throw new Error(`There is no ${name}`)
    return shard
  }

  for (let index = 0; index < shardCount; index++) {
    open(
      [...Array(SLOTS).keys()].filter(slot => slot % shardCount === index),
      [],
    )
  }
  return {
    put(partitionKey, dataBase64, arrivalMs) {
      const slot = Number.parseInt(hash('md5', partitionKey, 'hex').slice(0, 4), 16) % SLOTS
      const shard = shards.find(each => !each.isClosed && each.slots.has(slot))
      if (shard === undefined) throw new Error('A slot without an open shard')
      sequence += 3n
      const record = { sequence: String(sequence), partitionKey, dataBase64, arrivalMs }
      shard.records.push(record)
      tell()
      return { shard: shard.shard, sequence: record.sequence }
    },
    openShards: () => shards.filter(({ isClosed }) => !isClosed).map(({ shard }) => shard),
    lastSequences: () =>
      new Map(
        shards.flatMap(({ shard, records }) => records.slice(-1).map(({ sequence: last }) => [shard, last] as const)),
      ),
    split(name) {
      const slots = [...close(name).slots]
      open(slots.slice(0, slots.length >> 1), [name])
      open(slots.slice(slots.length >> 1), [name])
      tell()
    },
    merge(name, other) {
      open([...close(name).slots, ...close(other).slots], [name, other])
      tell()
    },
    activity: () => news,
    wakePollers: tell,
    listShards: async () => shards.map(({ shard, parents }) => ({ shard, parents })),
    openShard: async (name, start) => {
      const shard = find(name)
      let position = startIndex(shard.records, start)
      return {
        read: async recordsMax => {
          const records = shard.records.slice(position, position + recordsMax)
          position += records.length
          return { records, isClosed: shard.isClosed && position === shard.records.length }
        },
      }
    },
  }
}

/** As StreamTip has it: here no record expires. */
export function shardsOf(stream: SimulatedStream): readonly string[] {
  return [...new Set([...stream.openShards(), ...stream.lastSequences().keys()])]
}

/** As StreamTip has it: the last record of each shard that has one beyond. */
export function tipOf(stream: SimulatedStream, after: ShardSequences): ShardSequences {
  const beyond = [...stream.lastSequences()].filter(([shard, sequence]) => {
    const known = after.get(shard)
    return known === undefined || compareSequences(sequence, known) > 0
  })
  return new Map(beyond)
}

function startIndex(records: readonly StreamedRecord[], start: ShardStart): number {
  const indexOfFirst = (isWanted: (record: StreamedRecord) => boolean): number => {
    const index = records.findIndex(isWanted)
    return index === -1 ? records.length : index
  }
  switch (start.type) {
    case 'TRIM_HORIZON':
      return 0
    case 'LATEST':
      return records.length
    case 'AT_TIMESTAMP':
      return indexOfFirst(({ arrivalMs }) => arrivalMs >= start.atMs)
    case 'AFTER_SEQUENCE':
      return indexOfFirst(({ sequence }) => compareSequences(sequence, start.sequence) > 0)
  }
}
