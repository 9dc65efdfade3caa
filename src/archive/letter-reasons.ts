// Every reason for which a record may be set aside, with what it means and what helps: one table for the commands and the docs, so
// that whoever meets a code in a metric, a listing or a file finds the same words.
import type { RefusalReason } from '../event/decoded-event.ts'
import { GIVEN_UP } from './given-up.ts'

export type LetterReason = RefusalReason | typeof GIVEN_UP

export interface ReasonMeaning {
  readonly meaning: string
  /** A whole sentence. */
  readonly next: string
}

const SENDER = 'Upstream must send it again as it should be; this record never will be accepted.'

export const LETTER_REASONS: Readonly<Record<LetterReason, ReasonMeaning>> = {
  'not-base64': { meaning: 'The data of the record is not base64.', next: SENDER },
  'too-big': { meaning: 'The payload is over the size limit of an event, as it came or inflated.', next: SENDER },
  'not-inflatable': { meaning: 'The payload says that it is compressed, and cannot be inflated.', next: SENDER },
  'kpl-aggregated': {
    meaning: 'The Kinesis Producer Library packed several records into one.',
    next: 'Turn aggregation off in the producer (AggregationEnabled=false), and send the events again.',
  },
  'not-utf8': { meaning: 'The payload is not UTF-8.', next: SENDER },
  'not-json': { meaning: 'The payload is not JSON.', next: SENDER },
  'too-deep': { meaning: 'The payload is nested deeper than an event may be.', next: SENDER },
  'forbidden-key': { meaning: 'The payload has a member such as `__proto__`, which no event may have.', next: SENDER },
  'duplicate-key': { meaning: 'An object of the payload has one member twice.', next: SENDER },
  'unknown-type': {
    meaning: 'No contract is for this type of event.',
    next: 'Add its contract to the pipeline and deploy it, then replay; or take the type off the stream.',
  },
  'unknown-version': {
    meaning: 'The event is of a version that its contract has no upgrade from.',
    next: 'Add the upgrade to the contract and deploy it, then replay.',
  },
  contract: {
    meaning: 'A field is missing or is not what the contract says.',
    next: 'Where the contract is wrong, mend it, deploy it and replay; where upstream is, let it send the events again.',
  },
  'user-id-invalid': { meaning: 'The user id is missing or is not one.', next: SENDER },
  'time-invalid': {
    meaning: 'The event time is missing or is not one.',
    next: 'Where the contract names the wrong unit or field, mend it, deploy it and replay; else upstream must send it again.',
  },
  'mis-keyed': {
    meaning: 'The partition key is not the user id, so the order per user is not given.',
    next: 'Send the event again keyed by its user; a replay folds it only where its key is its user.',
  },
  future: {
    meaning: 'The event time is more than 5 minutes after the arrival.',
    next: 'Set the clock upstream; where the times are right by now, replay with --accept-future.',
  },
  late: {
    meaning: 'The event is older than all that the user’s item remembers of its type, and its shard was not so far.',
    next: 'Replay: the user is rebuilt from the archive with it. Where it happens often, raise the lateness of the contract.',
  },
  'item-corrupt': {
    meaning: 'The user’s item cannot be read: its checksum or its content is wrong.',
    next: 'Run millrace users repair for the user; it counts these letters and closes them.',
  },
  'item-too-big': {
    meaning: 'The user’s item would be over the size limit.',
    next: 'Define fewer or shorter windows, or raise itemBytesMax; deploy it, then replay.',
  },
  [GIVEN_UP]: {
    meaning: 'Lambda gave up on the whole batch after its last retry; the record itself may be right.',
    next: 'Mend what failed (the log of the recompute function says it), then replay.',
  },
}

/** Undefined for what newer code may have written. */
export function meaningOf(reason: string): ReasonMeaning | undefined {
  return Object.hasOwn(LETTER_REASONS, reason) ? LETTER_REASONS[reason as LetterReason] : undefined
}
