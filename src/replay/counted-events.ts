// Which events of history an item counts. This is the definition of "stream equals batch": records keyed by the user, up to the mark
// of their shard or arrived before `settled`, and the imports that the item names, less records that are set aside unless the item
// knows their event from nowhere else, each (type, id) once. Backfill, rebuild and training sets all read history through here.
import { markKey } from '../affected/decide.ts'
import type { DedupState } from '../affected/dedup-state.ts'
import type { HistoryRecord } from '../archive/history.ts'
import { batchIdTimeMs } from '../catalog/batch-id.ts'
import { checkArrival } from '../event/arrival.ts'
import { decodePayload, decodeRecord, isRefusal } from '../event/decode.ts'
import type { DecodedEvent, Refusal } from '../event/decoded-event.ts'
import { compareSequences, type StreamRecord } from '../event/stream-record.ts'
import { SECOND_MS } from '../platform/duration.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'

export interface HistoryEvent {
  readonly event: DecodedEvent
  /** When it could be known: the record's arrival; of an import, which has none, event time + the type's lateness. */
  readonly arrivalMs: number
  /** Of the stream; undefined for imported ones. */
  readonly record: StreamRecord | undefined
  /** Of an import; undefined for the stream's. */
  readonly batchId: string | undefined
  /** Its time is further ahead of its arrival than is taken: it counts only where somebody accepted it. */
  readonly isAhead?: boolean
}

/**
 * As recompute would decode it today; what it would refuse is refused here. `acceptedMs`: the instant by which a record of the stream
 * was judged when it was accepted though ahead of its arrival.
 */
export function historyEvent(
  history: HistoryRecord,
  { contracts, latenessMs }: Pick<CompiledPipeline, 'contracts' | 'latenessMs'>,
  acceptedMs?: number,
): HistoryEvent | Refusal {
  if (history.kind === 'stream') {
    const { record } = history
    const event = decodeRecord(record, contracts)
    if (isRefusal(event)) return event
    const refusal = checkArrival(event, judgedAt(record, acceptedMs))
    return refusal ?? { event, arrivalMs: record.arrivalMs, record, batchId: undefined }
  }
  const event = decodePayload(history.payload, contracts)
  if (isRefusal(event)) return event
  const { batchId } = history
  // The second in which the import began is the last that any of its events can be of.
  const importedMs = (batchIdTimeMs(batchId) ?? 0) + SECOND_MS
  const refusal = checkArrival(event, { partitionKey: event.userId, arrivalMs: importedMs })
  return refusal ?? { event, arrivalMs: event.ts + latenessMs(event.type), record: undefined, batchId }
}

/** The same of a record of the stream, but that what is ahead of its arrival is told and not refused: who reads on decides. */
export function recordEvent(
  record: StreamRecord,
  { contracts }: Pick<CompiledPipeline, 'contracts'>,
): HistoryEvent | Refusal {
  const event = decodeRecord(record, contracts)
  if (isRefusal(event)) return event
  const refusal = checkArrival(event, record)
  if (refusal !== undefined && refusal.reason !== 'future') return refusal
  const isAhead = refusal === undefined ? {} : { isAhead: true }
  return { event, arrivalMs: record.arrivalMs, record, batchId: undefined, ...isAhead }
}

/** The record as one that arrived when it was accepted, if that was later. */
export function judgedAt<Record extends Pick<StreamRecord, 'arrivalMs'>>(
  record: Record,
  acceptedMs: number | undefined,
): Record {
  return { ...record, arrivalMs: Math.max(record.arrivalMs, acceptedMs ?? 0) }
}

export interface CountedBy {
  readonly dedup: DedupState
  /** Batch IDs. */
  readonly imports: ReadonlySet<string>
  /** `recordKey` of each record with an open dead letter, or of a batch that Lambda gave up on. */
  readonly openLetters: ReadonlySet<string>
}

export interface CountedEvents {
  /** By marks, `settled` and imports. */
  readonly reached: readonly HistoryEvent[]
  /**
   * Set aside, and known to the item from nothing that it has reached: folded nevertheless, by a replay that has not closed the letter
   * yet, or in a batch that Lambda gave up on later.
   */
  readonly folded: readonly HistoryEvent[]
}

export function countedEvents(events: readonly HistoryEvent[], rule: CountedBy): CountedEvents {
  const { openLetters } = rule
  const isAside = ({ record }: HistoryEvent): boolean => record !== undefined && openLetters.has(recordKey(record))
  const reached = events.filter(event => !isAside(event) && isReached(event, rule))
  const brought = new Set(reached.map(({ event }) => event.idHash))
  const known = knownIds(rule.dedup)
  const folded = events.filter(
    event => isAside(event) && known.has(event.event.idHash) && !brought.has(event.event.idHash),
  )
  return { reached, folded }
}

function isReached({ record, batchId }: HistoryEvent, { dedup, imports }: CountedBy): boolean {
  if (record === undefined) return batchId !== undefined && imports.has(batchId)
  const mark = dedup.marks.get(markKey(record))
  if (mark !== undefined && compareSequences(record.sequence, mark.sequence) <= 0) return true
  return record.arrivalMs < (dedup.settledMs ?? 0)
}

/** Id hashes, of all types: the type is hashed with the id. */
export function knownIds({ types }: Pick<DedupState, 'types'>): ReadonlySet<string> {
  return new Set([...types.values()].flatMap(({ ids }) => ids.map(({ idHash }) => idHash)))
}

/** A record's own name, over all streams and shards. */
export function recordKey({ stream, shard, sequence }: Pick<StreamRecord, 'stream' | 'shard' | 'sequence'>): string {
  return `${stream}/${shard}/${sequence}`
}

/** Each (type, id) of one user once: the one that arrived first, as the stream would have folded it. In order of arrival. */
export function eachOnce(events: readonly HistoryEvent[]): readonly HistoryEvent[] {
  const inOrder = events.toSorted(compareArrival)
  const seen = new Set<string>()
  return inOrder.filter(({ event }) => {
    if (seen.has(event.idHash)) return false
    seen.add(event.idHash)
    return true
  })
}

function compareArrival(a: HistoryEvent, b: HistoryEvent): number {
  return (
    a.arrivalMs - b.arrivalMs ||
    compareSequences(a.record?.sequence ?? '', b.record?.sequence ?? '') ||
    (a.event.idHash < b.event.idHash ? -1 : a.event.idHash > b.event.idHash ? 1 : 0)
  )
}
