// Outcomes that are events: a field of each event of one type, at the event's own time, from the archive. Each (type, id) counts
// once, and no record with an open dead letter does, as for training sets.
import type { History } from '../archive/history.ts'
import { USER_BUCKETS } from '../platform/hash.ts'
import { MillraceError } from '../platform/errors.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { AcceptedRecords } from '../replay/open-letters.ts'
import { bucketEvents, type EventCounts, type Known, type TimedEvent } from '../replay/training-events.ts'
import type { RawOutcome } from './outcomes.ts'

export interface ArchivedEvents {
  readonly compiled: CompiledPipeline
  readonly history: History
  /** `recordKey` of each of a bucket's records that counts for nobody. */
  readonly openLetters: (bucket: number) => Promise<ReadonlySet<string>>
  /** Of records that count although they are ahead of their arrival. */
  readonly accepted: (bucket: number) => Promise<AcceptedRecords>
  readonly spoolDir: string
}

export interface OutcomeField {
  readonly type: string
  readonly field: string
}

/** Throws MillraceError `outcome-field-unknown`, before anything is read. */
export function checkOutcomeField({ contracts }: Pick<CompiledPipeline, 'contracts'>, wanted: OutcomeField): void {
  const contract = contracts.byType.get(wanted.type)
  if (contract === undefined) {
    throw unknownField(
      `There is no event "${wanted.type}"`,
      `The pipeline has: ${[...contracts.byType.keys()].join(', ')}.`,
    )
  }
  const names = contract.fields.map(({ name }) => name)
  if (names.includes(wanted.field)) return
  throw unknownField(`${wanted.type} has no field "${wanted.field}"`, `It has: ${names.join(', ')}.`)
}

export async function* eventOutcomes(
  archived: ArchivedEvents,
  { type, field }: OutcomeField,
  onBucket?: (done: number, total: number) => void,
): AsyncGenerator<RawOutcome> {
  for (let bucket = 0; bucket < USER_BUCKETS; bucket++) {
    for await (const { event } of timedEvents(archived, bucket, { known: 'all', userIds: undefined })) {
      if (event.type !== type) continue
      const value = event.fields.get(field) ?? null
      if (typeof value === 'string') throw textField(type, field)
      yield { userId: event.userId, time: event.ts, label: value, weight: 1 }
    }
    onBucket?.(bucket + 1, USER_BUCKETS)
  }
}

export interface TimedOptions {
  readonly known: Known
  readonly userIds: ReadonlySet<string> | undefined
}

/** A bucket's events by user and the time from which they are known. */
export async function* timedEvents(
  { compiled, history, openLetters, accepted, spoolDir }: ArchivedEvents,
  bucket: number,
  { known, userIds }: TimedOptions,
): AsyncGenerator<TimedEvent> {
  const counts: EventCounts = { events: 0, duplicates: 0, refused: 0, openLetters: 0 }
  const letters = { openLetters: await openLetters(bucket), accepted: await accepted(bucket) }
  yield* bucketEvents(bucket, { history, compiled, known, userIds, spoolDir, counts, ...letters })
}

function unknownField(message: string, next: string): MillraceError {
  return new MillraceError(message, { code: 'outcome-field-unknown', next })
}

function textField(type: string, field: string): MillraceError {
  return new MillraceError(`${type}.${field} is text, which is no label`, {
    code: 'outcome-field-text',
    next: 'Use a field that is a number or a flag, or a table of outcomes.',
  })
}
