// Events from outside to the stream. Each is judged as its consumer will judge it, so what is accepted here is not refused
// there, and each has its own result, so that a caller knows what to send again. Ids make that safe: a repeat is folded once.
import { checkArrival } from './arrival.ts'
import type { Contracts } from './compile-contracts.ts'
import { decodePayload, isRefusal } from './decode.ts'
import type { DecodedEvent, Refusal, RefusalReason } from './decoded-event.ts'
import type { StreamEntry } from './event-stream-writer.ts'
import type { Delivery, UndeliveredReason } from './producer.ts'

export interface IngestOptions {
  readonly contracts: Contracts
  readonly nowMs: number
  /** One delivery per entry, in their order. */
  readonly deliver: (entries: readonly StreamEntry[]) => Promise<readonly Delivery[]>
}

export type IngestResult =
  /** In the stream; it will be folded. */
  | { readonly index: number; readonly id: string; readonly status: 'accepted' }
  /** Sending it again unchanged cannot help. `id` where it could be read. */
  | {
      readonly index: number
      readonly id?: string
      readonly status: 'refused'
      readonly reason: RefusalReason
      readonly detail: string
    }
  /** Send it again, with the same id. */
  | {
      readonly index: number
      readonly id: string
      readonly status: 'undelivered'
      readonly reason: Exclude<UndeliveredReason, 'too-big'>
      readonly detail: string
    }

const UNDELIVERED_DETAIL = {
  refused: 'The stream refused the call; see the log of this function.',
  'attempts-exhausted': 'The stream did not take it at any attempt; send it again later.',
  'behind-undelivered': 'An earlier event of its user was not delivered; send both again in this order.',
  deadline: 'The time for this call was over before the stream took it; send it again.',
} as const satisfies Record<Exclude<UndeliveredReason, 'too-big'>, string>

const TOO_BIG_DETAIL = 'Payload and user id together are larger than one record of the stream.'

/** One result per event, in their order: the payload as it came, keyed by its user. */
export async function ingest(events: readonly Uint8Array[], options: IngestOptions): Promise<readonly IngestResult[]> {
  const judged = events.map(data => ({ data, decoded: judge(data, options) }))
  const entries: StreamEntry[] = []
  for (const { data, decoded } of judged) if (!isRefusal(decoded)) entries.push({ partitionKey: decoded.userId, data })
  const deliveries = (await options.deliver(entries)).values()
  return judged.map(({ decoded }, index): IngestResult => {
    if (isRefusal(decoded)) return { index, status: 'refused', reason: decoded.reason, detail: decoded.detail }
    return resultOf(index, decoded.id, deliveries.next().value)
  })
}

function judge(data: Uint8Array, { contracts, nowMs }: IngestOptions): DecodedEvent | Refusal {
  const decoded = decodePayload(data, contracts)
  if (isRefusal(decoded)) return decoded
  return checkArrival(decoded, { partitionKey: decoded.userId, arrivalMs: nowMs }) ?? decoded
}

function resultOf(index: number, id: string, delivery: Delivery | undefined): IngestResult {
  if (delivery?.outcome === 'delivered') return { index, id, status: 'accepted' }
  const reason = delivery?.reason ?? 'deadline'
  return reason === 'too-big'
    ? { index, id, status: 'refused', reason, detail: TOO_BIG_DETAIL }
    : { index, id, status: 'undelivered', reason, detail: UNDELIVERED_DETAIL[reason] }
}
