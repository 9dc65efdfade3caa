// Reads one shard in order and delivers it to a function, one batch in flight. A batch that fails is delivered again from its
// lowest failed record, and nothing after it is, until it succeeds or its retries are used up.
import type { Clock, Sleep } from '../src/platform/clock.ts'
import type { Random } from '../src/platform/random.ts'
import { fullJitterMs } from '../src/platform/retry.ts'
import { batchOutcome } from './batch-outcome.ts'
import type { MappingPlan } from './deployment-plan.ts'
import { eventOf, type MappedRecord, mapRecord, type RecordSource } from './mapped-record.ts'
import type { InvokeFunction, ShardReader } from './mapped-stream.ts'
import { planBatch } from './plan-batch.ts'

/** Lambda does not publish its waits; short ones suit a laptop. Both can be set. */
export const RETRY_BASE_MS = 100
export const RETRY_CAP_MS = 2000

/** About a batch at a time: a long read holds up everybody else in the process that the emulators share. */
const READ_RECORDS_MIN = 100
/** Kinesis's own limit on one GetRecords. */
const READ_RECORDS_MAX = 10_000

export interface ShardCounters {
  readonly shard: string
  /** Records that need no delivery any more, without the discarded ones. */
  delivered: number
  /** Records given up on after the last retry. */
  discarded: number
  invocations: number
  functionErrors: number
  partialFailures: number
  /** Times the shard was read to its end with nothing in hand. */
  quietReads: number
  /** Records read and not yet settled. */
  pending: number
  /** When the oldest of them arrived. */
  oldestPendingMs: number | undefined
  lastSequence: string | undefined
}

export interface ShardConsumerPorts {
  readonly reader: ShardReader
  readonly invoke: InvokeFunction
  readonly saveCheckpoint: (sequence: string) => Promise<void>
  readonly clock: Clock
  readonly sleep: Sleep
  readonly random: Random
  readonly log: (line: string) => void
}

export interface ShardConsumerSettings {
  readonly mapping: MappingPlan
  readonly source: RecordSource
  readonly pollMs: number
  readonly retryBaseMs: number
  readonly retryCapMs: number
  readonly isStopped: () => boolean
  /** True while somebody waits for the stream to be drained: batching windows then end at once. */
  readonly isHurried: () => boolean
}

export function newShardCounters(shard: string): ShardCounters {
  return {
    shard,
    delivered: 0,
    discarded: 0,
    invocations: 0,
    functionErrors: 0,
    partialFailures: 0,
    quietReads: 0,
    pending: 0,
    oldestPendingMs: undefined,
    lastSequence: undefined,
  }
}

/** Runs until stopped, or until the shard is closed and everything in it is settled. */
export async function consumeShard(
  counters: ShardCounters,
  settings: ShardConsumerSettings,
  ports: ShardConsumerPorts,
): Promise<void> {
  const { mapping } = settings
  let buffered: MappedRecord[] = []
  let isClosed = false
  let windowEndMs: number | undefined
  while (!settings.isStopped()) {
    let isAtTip = true
    if (buffered.length < mapping.batchSize && !isClosed) {
      const read = await ports.reader.read(readSize(mapping.batchSize))
      isClosed = read.isClosed
      isAtTip = read.records.length === 0
      for (const record of read.records) buffered.push(mapRecord(record, settings.source))
      if (buffered.length === 0) counters.quietReads++
    }
    recordPending(counters, buffered)
    if (isClosed && buffered.length === 0) return
    if (buffered.length > 0) windowEndMs ??= ports.clock() + mapping.batchingWindowMs
    const isWindowOver = isClosed || settings.isHurried() || ports.clock() >= (windowEndMs ?? 0)
    const count = planBatch(buffered, { batchSize: mapping.batchSize, isWindowOver })
    if (count === 0) {
      if (isAtTip) await ports.sleep(settings.pollMs)
      continue
    }
    const isSettled = await deliver(buffered.slice(0, count), counters, settings, ports)
    if (!isSettled) return
    buffered = buffered.slice(count)
    windowEndMs = undefined
    recordPending(counters, buffered)
  }
}

function readSize(batchSize: number): number {
  return Math.min(Math.max(batchSize, READ_RECORDS_MIN), READ_RECORDS_MAX)
}

function recordPending(counters: ShardCounters, buffered: readonly MappedRecord[]): void {
  counters.pending = buffered.length
  counters.oldestPendingMs = buffered[0]?.arrivalMs
}

/** True when every record is settled; false where the cloud was stopped before. */
async function deliver(
  batch: readonly MappedRecord[],
  counters: ShardCounters,
  { mapping, retryBaseMs, retryCapMs, isStopped }: ShardConsumerSettings,
  ports: ShardConsumerPorts,
): Promise<boolean> {
  let rest = batch
  // The guide counts retries per batch and says nothing of one that gets on a little: the strict reading is that each counts.
  for (let attempt = 1; ; attempt++) {
    const answer = await ports.invoke(eventOf(rest))
    if (isStopped()) return false
    counters.invocations++
    const outcome = batchOutcome(
      answer,
      rest.map(({ sequence }) => sequence),
      mapping,
    )
    if (outcome.kind === 'done') {
      counters.delivered += rest.length
      await settle(rest, counters, ports)
      return true
    }
    if (outcome.isFunctionError) counters.functionErrors++
    else counters.partialFailures++
    counters.delivered += outcome.from
    await settle(rest.slice(0, outcome.from), counters, ports)
    rest = rest.slice(outcome.from)
    const isLast = mapping.maximumRetryAttempts >= 0 && attempt > mapping.maximumRetryAttempts
    ports.log(describe(rest, outcome.reason, attempt, isLast))
    if (isLast) {
      counters.discarded += rest.length
      await settle(rest, counters, ports)
      return true
    }
    await ports.sleep(fullJitterMs(attempt, { baseMs: retryBaseMs, capMs: retryCapMs, random: ports.random }))
    if (isStopped()) return false
  }
}

async function settle(
  records: readonly MappedRecord[],
  counters: ShardCounters,
  ports: ShardConsumerPorts,
): Promise<void> {
  const last = records.at(-1)
  if (last === undefined) return
  counters.lastSequence = last.sequence
  await ports.saveCheckpoint(last.sequence)
}

function describe(rest: readonly MappedRecord[], reason: string, attempt: number, isLast: boolean): string {
  const range = `${rest.length} records from ${rest[0]?.sequence}`
  return `attempt ${attempt} of ${range}: ${reason}${isLast ? '; retries are used up, the records are discarded' : ''}`
}
