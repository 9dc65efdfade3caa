// Delivers one batch until each of its records is settled: delivered, or given up. A batch that fails is delivered again from its
// lowest failed record, in halves where the mapping bisects; nothing of the batch goes before what stands in front of it.
import type { Clock } from '../src/platform/clock.ts'
import type { Random } from '../src/platform/random.ts'
import { fullJitterMs } from '../src/platform/retry.ts'
import { batchOutcome } from './batch-outcome.ts'
import type { MappingPlan } from './deployment-plan.ts'
import { type GivenUpCondition, givenUpObject } from './given-up-object.ts'
import { eventOf, type MappedRecord } from './mapped-record.ts'
import type { GivenUpObject, InvokeFunction } from './mapped-stream.ts'
import type { ConsumerControl } from './consumer-control.ts'
import type { ShardCounters } from './shard-counters.ts'
import type { ShardProgress } from './shard-progress.ts'

export interface DeliveryPorts {
  readonly invoke: InvokeFunction
  /** Absent: what is given up is counted and logged only. */
  readonly onFailure?: ((object: GivenUpObject) => Promise<void>) | undefined
  readonly progress: ShardProgress
  readonly control: ConsumerControl
  readonly clock: Clock
  readonly random: Random
  readonly log: (line: string) => void
}

export interface DeliverySettings {
  readonly shard: string
  readonly mapping: MappingPlan
  readonly retryBaseMs: number
  readonly retryCapMs: number
  /** The smaller of the mapping's limit and the stream's retention; infinite where there is neither. */
  readonly recordAgeMaxMs: number
}

/** A part of the batch that is delivered by itself. */
interface Piece {
  readonly records: readonly MappedRecord[]
  readonly invocations: number
  /** Of its quota; halves go on with what the whole had used up. */
  readonly retries: number
  /** Attempts of every kind since it was cut, which the wait before the next one grows with. */
  readonly attempts: number
  readonly isFunctionError: boolean
}

export type DeliverBatch = (batch: readonly MappedRecord[]) => Promise<void>

/** What it returns resolves when everything is settled, or when the mapping was stopped before. */
export function batchDelivery(counters: ShardCounters, settings: DeliverySettings, ports: DeliveryPorts): DeliverBatch {
  const { control } = ports
  return async batch => {
    /** In order, the next one last. */
    const pieces: Piece[] = [{ records: batch, invocations: 0, retries: 0, attempts: 0, isFunctionError: false }]
    for (let piece = pieces.pop(); piece !== undefined; piece = pieces.pop()) {
      if (!(await control.mayGoOn())) return
      const fresh = await giveUpOld(piece)
      if (fresh === undefined) continue
      if (control.isStopped()) return
      const rest = await deliver(fresh)
      if (control.isStopped()) return
      if (rest.length === 0) continue
      pieces.push(...rest)
      if (!(await control.pause(waitMs(rest)))) return
    }
  }

  /** What is to be delivered again, in the order of the stack. */
  async function deliver(piece: Piece): Promise<readonly Piece[]> {
    const { records } = piece
    const lastMs = records.at(-1)?.arrivalMs ?? 0
    const iteratorAgeMs = Math.max(0, ports.clock() - lastMs)
    const answer = await control.invoking(() => ports.invoke(eventOf(records)))
    if (control.isKilled()) return []
    if (answer.kind === 'not-invoked') {
      counters.notInvoked++
      ports.log(`not invoked with ${describe(records)}: ${answer.errorType}: ${answer.errorMessage}`)
      return [{ ...piece, attempts: piece.attempts + 1 }]
    }
    counters.iteratorAgeMs = iteratorAgeMs
    counters.invocations++
    if (piece.invocations > 0) counters.retries++
    const outcome = batchOutcome(answer, records, settings.mapping)
    if (outcome.kind === 'done') {
      counters.delivered += records.length
      await ports.progress.settle(records)
      return []
    }
    // A function that is ended together with the cloud has not failed.
    if (control.isStopped()) return []
    if (outcome.isFunctionError) counters.functionErrors++
    else counters.partialFailures++
    counters.delivered += outcome.from
    await ports.progress.settle(records.slice(0, outcome.from))
    ports.log(`attempt ${piece.attempts + 1} of ${describe(records.slice(outcome.from))}: ${outcome.reason}`)
    return retryOf(piece, outcome)
  }

  async function retryOf(
    piece: Piece,
    { from, isFunctionError }: { readonly from: number; readonly isFunctionError: boolean },
  ): Promise<readonly Piece[]> {
    const { bisectsBatchOnFunctionError, maximumRetryAttempts } = settings.mapping
    const records = piece.records.slice(from)
    const failed = { ...piece, records, invocations: piece.invocations + 1, isFunctionError }
    if (bisectsBatchOnFunctionError) {
      // "Splitting batches doesn't consume the retry quota", and the cut at the returned sequence is such a split.
      if (!isFunctionError && from > 0) return [{ ...failed, attempts: 1 }]
      if (isFunctionError && records.length > 1) return halves({ ...failed, attempts: 1 })
    }
    // The guide counts retries per batch and says nothing of one that gets on a little: the strict reading is that each counts.
    if (maximumRetryAttempts === -1 || piece.retries < maximumRetryAttempts) {
      return [{ ...failed, retries: piece.retries + 1, attempts: piece.attempts + 1 }]
    }
    await giveUp(failed, 'RetryAttemptsExhausted')
    return []
  }

  /** Without the records in front that are too old, which are given up; undefined where no other is left. */
  async function giveUpOld(piece: Piece): Promise<Piece | undefined> {
    const oldestMs = ports.clock() - settings.recordAgeMaxMs
    const firstFresh = piece.records.findIndex(({ arrivalMs }) => arrivalMs >= oldestMs)
    if (firstFresh === 0) return piece
    const old = firstFresh === -1 ? piece.records : piece.records.slice(0, firstFresh)
    await giveUp({ ...piece, records: old }, 'RecordAgeExceeded')
    return firstFresh === -1 ? undefined : { ...piece, records: piece.records.slice(firstFresh) }
  }

  /** A destination that fails is tried until it takes the batch: only then is the batch settled. */
  async function giveUp(piece: Piece, condition: GivenUpCondition): Promise<void> {
    const { records } = piece
    ports.log(`given up: ${describe(records)}: ${condition}`)
    if (ports.onFailure !== undefined && !(await writeAside(ports.onFailure, piece, condition))) return
    if (control.isKilled()) return
    counters.discarded += records.length
    if (condition === 'RecordAgeExceeded') counters.discardedByAge += records.length
    else counters.discardedAfterRetries += records.length
    await ports.progress.settle(records)
  }

  async function writeAside(
    write: (object: GivenUpObject) => Promise<void>,
    piece: Piece,
    condition: GivenUpCondition,
  ): Promise<boolean> {
    const { shard, mapping } = settings
    const object = givenUpObject({ ...piece, shard, condition }, mapping, {
      atMs: ports.clock(),
      random: ports.random,
    })
    for (let attempt = 1; ; attempt++) {
      try {
        await write(object)
        return true
      } catch (error) {
        if (control.isKilled()) return false
        counters.destinationErrors++
        ports.log(`the failure destination does not take ${describe(piece.records)}: ${String(error)}`)
        if (!(await control.pause(jitterMs(attempt)))) return false
      }
    }
  }

  function jitterMs(attempt: number): number {
    const { retryBaseMs: baseMs, retryCapMs: capMs } = settings
    return fullJitterMs(attempt, { baseMs, capMs, random: ports.random })
  }

  function waitMs(rest: readonly Piece[]): number {
    return jitterMs(Math.max(1, rest.at(-1)?.attempts ?? 1))
  }
}

function halves(piece: Piece): readonly Piece[] {
  const middle = Math.ceil(piece.records.length / 2)
  return [
    { ...piece, records: piece.records.slice(middle) },
    { ...piece, records: piece.records.slice(0, middle) },
  ]
}

function describe(records: readonly MappedRecord[]): string {
  return `${records.length} records from ${records[0]?.sequence}`
}
