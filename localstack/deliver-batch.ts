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

export class BatchDelivery {
  readonly #counters: ShardCounters
  readonly #settings: DeliverySettings
  readonly #ports: DeliveryPorts

  constructor(counters: ShardCounters, settings: DeliverySettings, ports: DeliveryPorts) {
    this.#counters = counters
    this.#settings = settings
    this.#ports = ports
  }

  /** Resolves when everything is settled, or when the mapping was stopped before. */
  async run(batch: readonly MappedRecord[]): Promise<void> {
    const { control } = this.#ports
    /** In order, the next one last. */
    const pieces: Piece[] = [{ records: batch, invocations: 0, retries: 0, attempts: 0, isFunctionError: false }]
    for (let piece = pieces.pop(); piece !== undefined; piece = pieces.pop()) {
      if (!(await control.mayGoOn())) return
      const fresh = await this.#giveUpOld(piece)
      if (control.isStopped()) return
      if (fresh === undefined) continue
      const rest = await this.#deliver(fresh)
      const next = rest.at(-1)
      if (next === undefined) continue
      pieces.push(...rest)
      if (!(await control.pause(this.#jitterMs(next.attempts)))) return
    }
  }

  /** What is to be delivered again, in the order of the stack. */
  async #deliver(piece: Piece): Promise<readonly Piece[]> {
    const counters = this.#counters
    const { control, invoke, progress, log, clock } = this.#ports
    const { records } = piece
    const iteratorAgeMs = Math.max(0, clock() - (records.at(-1)?.arrivalMs ?? 0))
    const answer = await control.invoking(() => invoke(eventOf(records)))
    if (control.isKilled()) return []
    if (answer.kind === 'not-invoked') {
      counters.notInvoked++
      log(`not invoked with ${describe(records)}: ${answer.errorType}: ${answer.errorMessage}`)
      return [{ ...piece, attempts: piece.attempts + 1 }]
    }
    counters.iteratorAgeMs = iteratorAgeMs
    counters.invocations++
    if (piece.invocations > 0) counters.retries++
    const outcome = batchOutcome(answer, records, this.#settings.mapping)
    if (outcome.kind === 'done') {
      counters.delivered += records.length
      await progress.settle(records)
      return []
    }
    // A function that is ended together with the cloud has not failed.
    if (control.isStopped()) return []
    if (outcome.isFunctionError) counters.functionErrors++
    else counters.partialFailures++
    counters.delivered += outcome.from
    if (outcome.from > 0) await progress.settle(records.slice(0, outcome.from))
    log(`attempt ${piece.attempts + 1} of ${describe(records.slice(outcome.from))}: ${outcome.reason}`)
    return this.#retryOf(piece, outcome)
  }

  async #retryOf(
    piece: Piece,
    { from, isFunctionError }: { readonly from: number; readonly isFunctionError: boolean },
  ): Promise<readonly Piece[]> {
    const { bisectsBatchOnFunctionError, maximumRetryAttempts } = this.#settings.mapping
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
    await this.#giveUp(failed, 'RetryAttemptsExhausted')
    return []
  }

  /** Without the records in front that are too old, which are given up; undefined where no other is left. */
  async #giveUpOld(piece: Piece): Promise<Piece | undefined> {
    const oldestMs = this.#ports.clock() - this.#settings.recordAgeMaxMs
    const firstFresh = piece.records.findIndex(({ arrivalMs }) => arrivalMs >= oldestMs)
    if (firstFresh === 0) return piece
    const old = firstFresh === -1 ? piece.records : piece.records.slice(0, firstFresh)
    await this.#giveUp({ ...piece, records: old }, 'RecordAgeExceeded')
    return firstFresh === -1 ? undefined : { ...piece, records: piece.records.slice(firstFresh) }
  }

  async #giveUp(piece: Piece, condition: GivenUpCondition): Promise<void> {
    const { records } = piece
    this.#ports.log(`given up: ${describe(records)}: ${condition}`)
    if (!(await this.#writeAside(piece, condition)) || this.#ports.control.isKilled()) return
    this.#counters.discarded += records.length
    if (condition === 'RecordAgeExceeded') this.#counters.discardedByAge += records.length
    else this.#counters.discardedAfterRetries += records.length
    await this.#ports.progress.settle(records)
  }

  /** A destination that fails is tried until it takes the batch, which is not settled before; false where that never came. */
  async #writeAside(piece: Piece, condition: GivenUpCondition): Promise<boolean> {
    const { shard, mapping } = this.#settings
    const { onFailure, clock, random, control, log } = this.#ports
    if (onFailure === undefined) return true
    const object = givenUpObject({ ...piece, shard, condition }, mapping, { atMs: clock(), random })
    for (let attempt = 1; ; attempt++) {
      try {
        await onFailure(object)
        return true
      } catch (error) {
        if (control.isKilled()) return false
        this.#counters.destinationErrors++
        log(`the failure destination does not take ${describe(piece.records)}: ${String(error)}`)
        if (!(await control.pause(this.#jitterMs(attempt)))) return false
      }
    }
  }

  #jitterMs(attempts: number): number {
    const { retryBaseMs: baseMs, retryCapMs: capMs } = this.#settings
    return fullJitterMs(attempts, { baseMs, capMs, random: this.#ports.random })
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
