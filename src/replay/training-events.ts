// One bucket's events as a training set wants them: each (type, id) once, the one that arrived first, as the stream folds them, by
// user and by when each was known. Both orders are sorts that spill into local files, so that no user is too busy to be held.
import type { Contracts } from '../event/compile-contracts.ts'
import type { FieldValue } from '../event/decoded-event.ts'
import { compareSequences } from '../event/stream-record.ts'
import { userBucket } from '../platform/hash.ts'
import { sortLines } from '../platform/sort-lines.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { History } from '../archive/history.ts'
import { type HistoryEvent, historyEvent, recordKey } from './counted-events.ts'
import type { AcceptedRecords } from './open-letters.ts'
import { compareText } from './training-labels.ts'

/** `arrival`: an event counts from when it had arrived. `all`: from its own time, however late it came. */
export const KNOWN = ['arrival', 'all'] as const
export type Known = (typeof KNOWN)[number]

export interface TimedEvent extends Pick<HistoryEvent, 'event'> {
  /** The instant from which it counts. */
  readonly knownMs: number
}

export interface EventCounts {
  /** Of these users, each once. */
  events: number
  duplicates: number
  refused: number
  openLetters: number
}

export interface BucketEventsOptions {
  readonly history: History
  readonly compiled: Pick<CompiledPipeline, 'contracts' | 'latenessMs'>
  readonly known: Known
  /** `recordKey` of each record that counts for nobody. */
  readonly openLetters: ReadonlySet<string>
  /** Of records that count although they are ahead of their arrival. */
  readonly accepted: AcceptedRecords
  /** Undefined: all users of the bucket. */
  readonly userIds: ReadonlySet<string> | undefined
  /** For the files of the sorts. */
  readonly spoolDir: string
  readonly counts: EventCounts
  /** Of a sort's run in memory. */
  readonly runBytesMax?: number
}

/** By user and `knownMs`. Throws what the history throws. */
export async function* bucketEvents(bucket: number, options: BucketEventsOptions): AsyncGenerator<TimedEvent> {
  const { compiled, known, spoolDir: folder, runBytesMax } = options
  const read = (line: Uint8Array): SpooledEvent => readEventLine(line, compiled.contracts)
  const knownMs = ({ event, arrivalMs }: SpooledEvent): number => (known === 'arrival' ? arrivalMs : event.ts)
  const compareKnown = (a: SpooledEvent, b: SpooledEvent): number =>
    compareText(a.event.userId, b.event.userId) || knownMs(a) - knownMs(b)
  const sort = { read, folder, ...(runBytesMax === undefined ? {} : { runBytesMax }) }
  const lines = eventLines(bucket, options)
  const byArrival = sortLines(lines, { ...sort, name: 'events-by-id', compare: compareIdAndArrival })
  const once = firstOfEach(byArrival, options.counts)
  for await (const { item } of sortLines(once, { ...sort, name: 'events-by-time', compare: compareKnown })) {
    yield { event: item.event, knownMs: knownMs(item) }
  }
}

async function* eventLines(bucket: number, options: BucketEventsOptions): AsyncGenerator<Uint8Array> {
  const { history, compiled, openLetters, accepted, userIds, counts } = options
  for await (const record of history.bucket(bucket, userIds === undefined ? {} : { userIds })) {
    if (record.kind === 'stream' && openLetters.has(recordKey(record.record))) {
      counts.openLetters++
      continue
    }
    const acceptedMs = record.kind === 'stream' ? accepted.get(recordKey(record.record)) : undefined
    const event = historyEvent(record, compiled, acceptedMs)
    if ('reason' in event) {
      if (record.kind === 'stream') counts.refused++
      continue
    }
    const { userId } = event.event
    // Imported events are not filtered, and a line that nobody could decode when it came is in every bucket.
    const isWanted = userIds === undefined ? userBucket(userId) === bucket : userIds.has(userId)
    if (isWanted) yield eventLine(event)
  }
}

type SpooledEvent = Pick<HistoryEvent, 'event' | 'arrivalMs'> & {
  /** Empty for imported ones, as none of them came after another. */
  readonly sequence: string
}

/** Values by their place in the contract: names are not repeated a million times. */
type EventLine = [
  userId: string,
  arrivalMs: number,
  sequence: string,
  type: string,
  id: string,
  idHash: string,
  ts: number,
  values: readonly FieldValue[],
]

function eventLine({ event, arrivalMs, record }: HistoryEvent): Uint8Array {
  const { userId, type, id, idHash, ts, fields } = event
  const line: EventLine = [userId, arrivalMs, record?.sequence ?? '', type, id, idHash, ts, [...fields.values()]]
  return Buffer.from(JSON.stringify(line))
}

function readEventLine(line: Uint8Array, { byType }: Contracts): SpooledEvent {
  const [userId, arrivalMs, sequence, type, id, idHash, ts, values] = JSON.parse(
    Buffer.from(line).toString('utf8'),
  ) as EventLine
  const fields = new Map(byType.get(type)?.fields.map(({ name }, index) => [name, values[index] ?? null]))
  return { arrivalMs, sequence, event: { userId, type, id, idHash, ts, fields, unknownFields: 0 } }
}

function compareIdAndArrival(a: SpooledEvent, b: SpooledEvent): number {
  return (
    compareText(a.event.userId, b.event.userId) ||
    compareText(a.event.idHash, b.event.idHash) ||
    a.arrivalMs - b.arrivalMs ||
    compareSequences(a.sequence, b.sequence)
  )
}

async function* firstOfEach(
  sorted: AsyncIterable<{ readonly line: Uint8Array; readonly item: SpooledEvent }>,
  counts: EventCounts,
): AsyncGenerator<Uint8Array> {
  let before: SpooledEvent['event'] | undefined
  for await (const { line, item } of sorted) {
    const { event } = item
    const isRepeat = before?.idHash === event.idHash && before.userId === event.userId
    before = event
    if (isRepeat) counts.duplicates++
    else {
      counts.events++
      yield line
    }
  }
}
