// What a record must be, beyond its payload, for its event to be folded where it arrived.
import { MINUTE_MS } from '../platform/duration.ts'
import type { DecodedEvent, Refusal } from './decoded-event.ts'
import type { StreamRecord } from './stream-record.ts'

/** Clocks of upstream may be ahead by this much. The arrival timestamp is the only clock that is compared with event time. */
export const FUTURE_SKEW_MS = 5 * MINUTE_MS

const MIS_KEYED: Refusal = {
  reason: 'mis-keyed',
  detail: 'The partition key is not the user id, so the order per user is not given; send the event keyed by its user.',
}
const FUTURE: Refusal = {
  reason: 'future',
  detail: `The event time is more than ${FUTURE_SKEW_MS / MINUTE_MS} minutes after the arrival; set the clock upstream.`,
}

export function checkArrival(
  event: DecodedEvent,
  record: Pick<StreamRecord, 'partitionKey' | 'arrivalMs'>,
): Refusal | undefined {
  if (record.partitionKey !== event.userId) return MIS_KEYED
  return event.ts > record.arrivalMs + FUTURE_SKEW_MS ? FUTURE : undefined
}
