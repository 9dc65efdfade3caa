// History as verify and explain read it: each archived event with where it came from. Written anew after docs/verify.md: with what
// folds, backfills or trains it shares the decoding and nothing else, so that no mistake there can be made here as well.
import type { HistoryRecord } from '../archive/history.ts'
import { batchIdTimeMs } from '../catalog/batch-id.ts'
import { decodePayload, decodeRecord, isRefusal } from '../event/decode.ts'
import type { DecodedEvent, FieldValue } from '../event/decoded-event.ts'
import { MINUTE_MS, SECOND_MS } from '../platform/duration.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'

export interface PastEvent {
  readonly event: DecodedEvent
  readonly origin: StreamOrigin | ImportOrigin
}

export interface StreamOrigin {
  readonly kind: 'stream'
  readonly stream: string
  readonly shard: string
  readonly sequence: string
  readonly arrivalMs: number
  /** Ahead of its arrival by more than is taken: it counts where it was accepted, by an instant that is late enough. */
  readonly isAhead: boolean
}

export interface ImportOrigin {
  readonly kind: 'import'
  readonly batchId: string
  /** Event time + the type's lateness: by then it would have come through the stream. */
  readonly arrivalMs: number
}

/** How far ahead of its arrival an event may be; those beyond are dead letters (docs/architecture.md). */
const AHEAD_MS_MAX = 5 * MINUTE_MS

/** Undefined for what is nobody's event: refused by its contract, keyed by another than its user, or of an import and ahead of it. */
export type ReadHistory = (history: HistoryRecord) => PastEvent | undefined

export function historyReader({
  contracts,
  latenessMs,
}: Pick<CompiledPipeline, 'contracts' | 'latenessMs'>): ReadHistory {
  const importsMs = new Map<string, number>()
  return history => {
    if (history.kind === 'stream') {
      const { stream, shard, sequence, arrivalMs, partitionKey } = history.record
      const event = decodeRecord(history.record, contracts)
      if (isRefusal(event) || event.userId !== partitionKey) return undefined
      const isAhead = event.ts > arrivalMs + AHEAD_MS_MAX
      return { event, origin: { kind: 'stream', stream, shard, sequence, arrivalMs, isAhead } }
    }
    const { batchId, payload } = history
    const event = decodePayload(payload, contracts)
    const importedMs = importsMs.get(batchId) ?? endOfSecond(batchId)
    importsMs.set(batchId, importedMs)
    if (isRefusal(event) || event.ts > importedMs + AHEAD_MS_MAX) return undefined
    return { event, origin: { kind: 'import', batchId, arrivalMs: event.ts + latenessMs(event.type) } }
  }
}

/** A batch ID has whole seconds: its events came before the second is over. */
function endOfSecond(batchId: string): number {
  return (batchIdTimeMs(batchId) ?? 0) + SECOND_MS
}

/** Whether a record that is ahead of its arrival was taken by whoever accepted it then. */
export function isAcceptedBy({ event }: PastEvent, acceptedMs: number | undefined): boolean {
  return acceptedMs !== undefined && event.ts <= acceptedMs + AHEAD_MS_MAX
}

/** A record's name over all streams and shards. */
export function recordName({ stream, shard, sequence }: Pick<StreamOrigin, 'stream' | 'shard' | 'sequence'>): string {
  return `${stream}/${shard}/${sequence}`
}

/** Each (type, id) once: the one that came first. */
export function firstOfEach(events: readonly PastEvent[]): readonly DecodedEvent[] {
  const byId = new Map<string, DecodedEvent>()
  for (const { event } of events.toSorted(byArrival)) {
    const id = `${event.type}\0${event.id}`
    if (!byId.has(id)) byId.set(id, event)
  }
  return [...byId.values()]
}

function byArrival({ origin: a, event: left }: PastEvent, { origin: b, event: right }: PastEvent): number {
  if (a.arrivalMs !== b.arrivalMs) return a.arrivalMs - b.arrivalMs
  const [first, second] = [a, b].map(origin => (origin.kind === 'stream' ? BigInt(origin.sequence) : 0n))
  if (first !== undefined && second !== undefined && first !== second) return first < second ? -1 : 1
  return left.idHash < right.idHash ? -1 : 1
}

/** One line of JSON, for a sort that does not fit into memory. */
export function pastEventLine({ event, origin }: PastEvent): Uint8Array {
  return Buffer.from(JSON.stringify([origin, { ...event, fields: [...event.fields] }]))
}

export function readPastEventLine(line: Uint8Array): PastEvent {
  const [origin, event] = JSON.parse(Buffer.from(line).toString('utf8')) as [
    PastEvent['origin'],
    Omit<DecodedEvent, 'fields'> & { readonly fields: readonly (readonly [string, FieldValue])[] },
  ]
  return { event: { ...event, fields: new Map(event.fields) }, origin }
}
