// Delivers events to the stream: full calls, only what failed sent again, and a report of what could not be delivered.
// Delivery is at least once (a call that timed out may have been taken); the events' ids make the repeat harmless.
import type { Clock, Sleep } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import { fullJitterMs } from '../platform/retry.ts'
import { EventStreamError } from './errors.ts'
import {
  ENTRY_BYTES_MAX,
  entryBytes,
  type EventStreamWriter,
  type PutResult,
  type StreamEntry,
} from './event-stream-writer.ts'
import { planPut } from './plan-put.ts'

export interface ProducerOptions {
  readonly writer: EventStreamWriter
  readonly random: Random
  readonly sleep: Sleep
  readonly clock: Clock
  /** No call starts after this instant; what still waits is reported as undelivered. */
  readonly deadlineMs?: number
  readonly attemptsMax?: number
  /** Strict order per user, for the price of one call per event of the busiest user. The fold does not need it. */
  readonly oneEntryPerUser?: boolean
}

export type UndeliveredReason =
  /** Larger than one record of the stream may be; sending it again cannot help. */
  | 'too-big'
  /** The stream refused the call for a reason that waiting does not mend. */
  | 'refused'
  /** Still failing at the last attempt. */
  | 'attempts-exhausted'
  /** An earlier event of the same user was not delivered, and this one must not overtake it. */
  | 'behind-undelivered'
  | 'deadline'

export type Delivery =
  | { readonly outcome: 'delivered'; readonly shard: string; readonly sequence: string }
  /** `code`: what the stream said last. */
  | { readonly outcome: 'undelivered'; readonly reason: UndeliveredReason; readonly code?: string }

/** With the waits below 2 s of waiting on average, 4.2 s at the most, for one entry. */
export const PUT_ATTEMPTS_MAX = 8
/** A shard's limits are per second (1,000 records, 1 MiB): waits grow to one second and no further. */
const RETRY_BASE_MS = 50
const RETRY_CAP_MS = 1000

/** An entry on its way. */
interface Parcel {
  readonly entry: StreamEntry
  attempts: number
  code?: string
  delivery?: Delivery
}

/** One delivery per entry, in their order. Throws only what is not an EventStreamError: a bug. */
export async function deliver(entries: readonly StreamEntry[], options: ProducerOptions): Promise<readonly Delivery[]> {
  const attemptsMax = options.attemptsMax ?? PUT_ATTEMPTS_MAX
  const parcels = entries.map((entry): Parcel => ({ entry, attempts: 0 }))
  for (const parcel of parcels) if (entryBytes(parcel.entry) > ENTRY_BYTES_MAX) giveUp(parcel, 'too-big')
  for (let waiting = parcels.filter(isWaiting); waiting.length > 0; waiting = waiting.filter(isWaiting)) {
    await putRound(waiting, options)
    giveUpExhausted(waiting, attemptsMax)
    const failed = waiting.filter(isWaiting)
    const attempt = failed.reduce((most, parcel) => Math.max(most, parcel.attempts), 1)
    const waitMs = fullJitterMs(attempt, { baseMs: RETRY_BASE_MS, capMs: RETRY_CAP_MS, random: options.random })
    if (isTooLate(options, waitMs)) for (const parcel of failed) giveUp(parcel, 'deadline')
    else if (failed.length > 0) await options.sleep(waitMs)
  }
  return parcels.map(parcel => parcel.delivery ?? { outcome: 'undelivered', reason: 'deadline' })
}

/** Calls until every parcel was tried once or waits behind one of its user that failed. */
async function putRound(parcels: readonly Parcel[], options: ProducerOptions): Promise<void> {
  const heldUsers = new Set<string>()
  const oneEntryPerUser = options.oneEntryPerUser ?? false
  for (let later = parcels; !isTooLate(options, 0); ) {
    const plan = planPut(later, { heldUsers, oneEntryPerUser })
    if (plan.now.length === 0) return
    await putOnce(plan.now, options.writer)
    for (const parcel of plan.now) if (isWaiting(parcel)) heldUsers.add(parcel.entry.partitionKey)
    later = plan.later
  }
}

async function putOnce(parcels: readonly Parcel[], writer: EventStreamWriter): Promise<void> {
  let results: readonly PutResult[]
  try {
    results = await writer.putRecords(parcels.map(parcel => parcel.entry))
  } catch (error) {
    if (!(error instanceof EventStreamError)) throw error
    for (const parcel of parcels) fail(parcel, error.code)
    if (!error.retriable) for (const parcel of parcels) giveUp(parcel, 'refused')
    return
  }
  for (const [position, parcel] of parcels.entries()) {
    const result = results[position]
    if (result?.outcome === 'put') {
      parcel.delivery = { outcome: 'delivered', shard: result.shard, sequence: result.sequence }
    } else fail(parcel, result?.code ?? 'no-result')
  }
}

/** What failed too often is given up, and with it what waits behind it: sent later by the caller, the order still holds. */
function giveUpExhausted(parcels: readonly Parcel[], attemptsMax: number): void {
  const users = new Set<string>()
  for (const parcel of parcels.filter(isWaiting)) {
    const user = parcel.entry.partitionKey
    if (parcel.attempts >= attemptsMax) giveUp(parcel, 'attempts-exhausted')
    else if (users.has(user)) giveUp(parcel, 'behind-undelivered')
    if (!isWaiting(parcel)) users.add(user)
  }
}

function fail(parcel: Parcel, code: string): void {
  parcel.attempts++
  parcel.code = code
}

function giveUp(parcel: Parcel, reason: UndeliveredReason): void {
  parcel.delivery = {
    outcome: 'undelivered',
    reason,
    ...(parcel.code === undefined ? {} : { code: parcel.code }),
  }
}

function isWaiting(parcel: Parcel): boolean {
  return parcel.delivery === undefined
}

function isTooLate(options: ProducerOptions, waitMs: number): boolean {
  return options.deadlineMs !== undefined && options.clock() + waitMs >= options.deadlineMs
}
