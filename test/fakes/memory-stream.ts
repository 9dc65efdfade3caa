// A Kinesis stream in memory: records go to shards by the MD5 of their partition key, shards are split and merged, and old records
// leave. Deterministic, and no call of it looks at all records.
import { createHash } from 'node:crypto'
import type { StreamedRecord } from '../../localstack/mapped-record.ts'
import type { MappedShard, MappedStream, ShardReader, ShardStart } from '../../localstack/mapped-stream.ts'

const FIRST_SEQUENCE = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898n
const SEQUENCE_STEP = 3n
const ARRIVAL_MS = 1_545_084_650_987
const HASH_KEYS = 2n ** 128n

export interface PutOptions {
  /** Later than all before it in the shard. */
  readonly arrivalMs?: number
  readonly partitionKey?: string
}

export interface MemoryStream extends MappedStream {
  /** Into this shard, whatever the key; answers with the sequence. */
  put(shard: string, data: string | Buffer, options?: PutOptions): string
  /** Into the open shard whose range has the key's hash. */
  putByKey(
    partitionKey: string,
    data: string | Buffer,
    options?: Pick<PutOptions, 'arrivalMs'>,
  ): { readonly shard: string; readonly sequence: string }
  /** Closes it; its two children have half of its range each. */
  split(shard: string): readonly [string, string]
  /** Closes both, whose ranges must be neighbours; the child has both. */
  merge(shard: string, other: string): string
  /** Closes it without children. */
  close(shard: string): void
  openShards(): string[]
  /** Removes records that arrived before, and closed shards that have none left. */
  trim(beforeMs: number): void
  /** Those that have not left. */
  sequences(shard: string): string[]
}

interface MemoryShard extends MappedShard {
  /** Of 128 bits, both inclusive, as 32 hex digits. */
  readonly firstHash: string
  readonly lastHash: string
  records: StreamedRecord[]
  /** How many have left before the first of `records`. */
  left: number
  /** Sequences are unique in a shard only: two shards may have the same. */
  nextSequence: bigint
  isClosed: boolean
}

export function memoryStream(shardsAtStart: number | readonly string[]): MemoryStream {
  const names = typeof shardsAtStart === 'number' ? Array.from({ length: shardsAtStart }, nameOf) : shardsAtStart
  const shards = new Map<string, MemoryShard>()
  let made = names.length
  for (const [index, shard] of names.entries()) {
    const [from, to] = [index, index + 1].map(part => (HASH_KEYS * BigInt(part)) / BigInt(names.length))
    add({ shard, parents: [], firstHash: hex(from ?? 0n), lastHash: hex((to ?? 0n) - 1n) }, FIRST_SEQUENCE)
  }

  function add(shard: Omit<MemoryShard, 'records' | 'left' | 'nextSequence' | 'isClosed'>, nextSequence: bigint): void {
    shards.set(shard.shard, { ...shard, records: [], left: 0, nextSequence, isClosed: false })
  }

  function get(shard: string): MemoryShard {
    const found = shards.get(shard)
    if (found === undefined) throw new Error(`ResourceNotFoundException: there is no shard ${shard}`)
    return found
  }

  function closeOpen(shard: string): MemoryShard {
    const parent = get(shard)
    if (parent.isClosed) throw new Error(`${shard} is closed`)
    parent.isClosed = true
    return parent
  }

  function addChild(parents: readonly MemoryShard[], firstHash: string, lastHash: string): string {
    const shard = nameOf(undefined, made++)
    const after = parents.reduce((last, { nextSequence }) => (nextSequence > last ? nextSequence : last), 0n)
    add({ shard, parents: parents.map(parent => parent.shard), firstHash, lastHash }, after + SEQUENCE_STEP)
    return shard
  }

  function put(to: MemoryShard, partitionKey: string, data: string | Buffer, arrivalMs: number): string {
    if (to.isClosed) throw new Error(`${to.shard} is closed`)
    const sequence = String(to.nextSequence)
    to.nextSequence += SEQUENCE_STEP
    to.records.push({ sequence, partitionKey, dataBase64: Buffer.from(data).toString('base64'), arrivalMs })
    return sequence
  }

  return {
    put: (shard, data, { arrivalMs = ARRIVAL_MS, partitionKey = 'key' } = {}) =>
      put(get(shard), partitionKey, data, arrivalMs),
    putByKey: (partitionKey, data, { arrivalMs = ARRIVAL_MS } = {}) => {
      const hash = createHash('md5').update(partitionKey).digest('hex')
      for (const to of shards.values()) {
        if (to.isClosed || hash < to.firstHash || hash > to.lastHash) continue
        return { shard: to.shard, sequence: put(to, partitionKey, data, arrivalMs) }
      }
      throw new Error('no open shard has this key')
    },
    split: shard => {
      const parent = closeOpen(shard)
      const middle = (BigInt(`0x${parent.firstHash}`) + BigInt(`0x${parent.lastHash}`)) / 2n
      const low = addChild([parent], parent.firstHash, hex(middle))
      return [low, addChild([parent], hex(middle + 1n), parent.lastHash)]
    },
    merge: (shard, other) => {
      const [low, high] = get(shard).firstHash < get(other).firstHash ? [shard, other] : [other, shard]
      if (BigInt(`0x${get(low).lastHash}`) + 1n !== BigInt(`0x${get(high).firstHash}`)) {
        throw new Error(`${shard} and ${other} are not neighbours`)
      }
      const parents = [closeOpen(shard), closeOpen(other)]
      return addChild(parents, get(low).firstHash, get(high).lastHash)
    },
    close: shard => void closeOpen(shard),
    openShards: () => [...shards.values()].flatMap(({ shard, isClosed }) => (isClosed ? [] : [shard])),
    trim: beforeMs => {
      for (const shard of shards.values()) trimShard(shard, beforeMs)
      for (const { shard, records, isClosed } of shards.values()) {
        if (isClosed && records.length === 0) shards.delete(shard)
      }
    },
    sequences: shard => get(shard).records.map(({ sequence }) => sequence),
    listShards: async () => [...shards.values()].map(({ shard, parents }) => ({ shard, parents })),
    openShard: async (shard, start) => readerOf(get(shard), start),
  }
}

function trimShard(shard: MemoryShard, beforeMs: number): void {
  const firstKept = shard.records.findIndex(({ arrivalMs }) => arrivalMs >= beforeMs)
  const gone = firstKept === -1 ? shard.records.length : firstKept
  if (gone === 0) return
  shard.records = shard.records.slice(gone)
  shard.left += gone
}

function readerOf(shard: MemoryShard, start: ShardStart): ShardReader {
  /** Counted from the first record that the shard ever had. */
  let position = shard.left + startIndex(shard.records, start)
  return {
    read: async recordsMax => {
      position = Math.max(position, shard.left)
      const index = position - shard.left
      const records = shard.records.slice(index, index + recordsMax)
      position += records.length
      return { records, isClosed: shard.isClosed && position === shard.left + shard.records.length }
    },
  }
}

/** Where the shard no longer has the sequence, what came after it. */
function startIndex(records: readonly StreamedRecord[], start: ShardStart): number {
  switch (start.type) {
    case 'TRIM_HORIZON':
      return 0
    case 'LATEST':
      return records.length
    case 'AT_TIMESTAMP':
      return firstIndex(records, ({ arrivalMs }) => arrivalMs >= start.atMs)
    case 'AFTER_SEQUENCE':
      // All have the same number of digits.
      return firstIndex(records, ({ sequence }) => sequence > start.sequence)
  }
}

/** By halving: the condition holds for all records from some record on. */
function firstIndex(records: readonly StreamedRecord[], isReached: (record: StreamedRecord) => boolean): number {
  let [low, high] = [0, records.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const record = records[middle]
    if (record !== undefined && isReached(record)) high = middle
    else low = middle + 1
  }
  return low
}

function nameOf(_: unknown, index: number): string {
  return `shardId-${String(index).padStart(12, '0')}`
}

function hex(hash: bigint): string {
  return hash.toString(16).padStart(32, '0')
}
