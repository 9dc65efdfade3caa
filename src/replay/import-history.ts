// History from day one: events that never were in the stream, in upstream's own JSON. They are kept as one batch of the catalogue,
// parted by user bucket, and then folded user by user, in the order of their times, into items of users that have none yet.
import { newBatchId } from '../catalog/batch-id.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { LogEntry } from '../catalog/items.ts'
import type { PartitionRef } from '../catalog/names.ts'
import type { PartInput } from '../catalog/upload-parts.ts'
import {
  bucketPartName,
  HISTORY_FORMAT,
  importPartition,
  IMPORTS_TABLE,
  refusedPartName,
} from '../archive/history-tables.ts'
import { type Forgotten, NOBODY_FORGOTTEN } from '../archive/forgotten.ts'
import { lineParts } from '../archive/line-parts.ts'
import { checkArrival } from '../event/arrival.ts'
import type { Contracts } from '../event/compile-contracts.ts'
import { decodePayload, isRefusal } from '../event/decode.ts'
import type { Refusal, RefusalReason } from '../event/decoded-event.ts'
import { inflatePayload } from '../event/inflate.ts'
import type { Clock } from '../platform/clock.ts'
import { MillraceError } from '../platform/errors.ts'
import { userBucket, USER_BUCKETS } from '../platform/hash.ts'
import { LineSpool } from '../platform/line-spool.ts'
import type { Random } from '../platform/random.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { Predictor } from '../predictions/predictor.ts'
import type { SpillStore } from '../store/spill-store.ts'
import type { UserStore } from '../store/user-item.ts'
import { type FoldCounts, foldFirstItems } from './fold-first-items.ts'

const PROGRESS_EVENTS = 10_000
/** The slot, after those of the buckets, of lines that no contract takes. */
const REFUSED = USER_BUCKETS
const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d

export interface CheckOptions {
  /** What every event is to be; one of another type is refused. */
  readonly type?: string
  /** The partition is `import=<name>`: a later import of the same name supersedes this one. */
  readonly name: string
  readonly compiled: CompiledPipeline
  readonly catalog: Catalog
  readonly clock: Clock
  /** Events of theirs until then are not taken; nobody unless given. */
  readonly forgotten?: Forgotten | undefined
  /** Where the payload that was pulled last came from: `orders.csv, row 12`. */
  readonly where?: () => string
  readonly onProgress?: (progress: ImportProgress) => void
}

export interface ImportOptions extends CheckOptions {
  readonly users: UserStore
  readonly predictor: Predictor
  readonly spills?: SpillStore | undefined
  readonly random: Random
  /** A folder made and removed by the caller; the whole import lies there once, compressed. */
  readonly spoolDir: string
  readonly who: string
  readonly why: string
}

export interface ImportProgress {
  readonly events: number
  readonly users: number
  readonly usersWritten: number
}

export interface Refused {
  readonly count: number
  readonly first: { readonly where: string; readonly detail: string }
}

export interface ImportCheck {
  readonly partition: string
  /** The batch that is in force under this name. */
  readonly supersedes: string | undefined
  readonly events: number
  /** Folded into nobody. What no contract takes is kept in the batch, as a later contract may: except what is too big, or has line breaks. */
  readonly refused: Readonly<Partial<Record<RefusalReason, Refused>>>
}

export interface ImportReport extends ImportCheck, FoldCounts {
  readonly batch: LogEntry
}

/** What an import would be, with nothing stored. Throws MillraceError, CatalogError. */
export async function checkImport(payloads: Payloads, options: CheckOptions): Promise<ImportCheck> {
  const ref = importRef(options)
  const { events, refused } = await takeIn(payloads, () => undefined, options)
  refuseNothing(events, refused)
  return { partition: ref.partition, supersedes: await importInForce(options.catalog, ref), events, refused }
}

/** `payloads`: one event each, in any order. Throws MillraceError, CatalogError, ObjectStoreError, StoreError. */
export async function importHistory(payloads: Payloads, options: ImportOptions): Promise<ImportReport> {
  const { catalog, spoolDir } = options
  const ref = importRef(options)
  const spool = new LineSpool(spoolDir, 'import')
  try {
    const { events, refused } = await takeIn(payloads, (slot, line) => spool.add(slot, line), options)
    refuseNothing(events, refused)
    const supersedes = await importInForce(catalog, ref)
    const batch = await storeBatch(spool, ref, options)
    const onUsers = (users: FoldCounts): void => options.onProgress?.({ events, ...users })
    const folded = await foldFirstItems(acceptedLines(spool), { ...options, batchId: batch.batchId, onUsers })
    return { partition: ref.partition, supersedes, events, refused, ...folded, batch }
  } finally {
    spool.remove()
  }
}

type Payloads = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

function importRef({ compiled, name }: CheckOptions): PartitionRef {
  return { db: compiled.pipeline.name, table: IMPORTS_TABLE, partition: importPartition(name) }
}

/** Every line to the slot of its bucket, decoded once to find it. */
async function takeIn(
  payloads: Payloads,
  keep: (slot: number, line: Uint8Array) => void,
  { compiled, type, clock, forgotten = NOBODY_FORGOTTEN, where, onProgress }: CheckOptions,
): Promise<Pick<ImportCheck, 'events' | 'refused'>> {
  const refused: Partial<Record<RefusalReason, Refused>> = {}
  let events = 0
  for await (const payload of payloads) {
    events++
    const { slot, refusal } = examine(payload, { contracts: compiled.contracts, type, forgotten, nowMs: clock() })
    if (slot !== undefined) keep(slot, slot === REFUSED ? payload : oneLine(payload))
    if (refusal !== undefined) {
      const { reason, detail } = refusal
      const known = refused[reason]
      const first = known?.first ?? { where: where?.() ?? `event ${events}`, detail }
      refused[reason] = { count: (known?.count ?? 0) + 1, first }
    }
    if (events % PROGRESS_EVENTS === 0) onProgress?.({ events, users: 0, usersWritten: 0 })
  }
  return { events, refused }
}

/** JSON that was decoded has line breaks between members only: inside text they are escaped, or it would be none. */
function oneLine(payload: Uint8Array): Uint8Array {
  if (!payload.includes(NEWLINE)) return payload
  const inflated = inflatePayload(payload)
  return 'reason' in inflated ? payload : inflated.filter(byte => byte !== NEWLINE && byte !== CARRIAGE_RETURN)
}

const OTHER_TYPE: Refusal = { reason: 'unknown-type', detail: 'The event is of another type than the import.' }

interface Examination {
  /** Undefined: the line is not kept. */
  readonly slot: number | undefined
  readonly refusal: Refusal | undefined
}

interface Rules {
  readonly contracts: Contracts
  readonly type: string | undefined
  readonly forgotten: Forgotten
  readonly nowMs: number
}

/** An event of the future or of another type is not kept: whoever reads the batch would take it for one that was imported. */
function examine(payload: Uint8Array, { contracts, type, forgotten, nowMs }: Rules): Examination {
  const event = decodePayload(payload, contracts)
  // Bytes that nobody could decode are kept as they are or not at all, and a line break would end their line.
  const isLine = !payload.includes(NEWLINE)
  if (isRefusal(event)) return { slot: isLine && event.reason !== 'too-big' ? REFUSED : undefined, refusal: event }
  const { userId } = event
  if (forgotten.has(userId, event.ts)) return { slot: undefined, refusal: undefined }
  const isOther = type !== undefined && event.type !== type
  const refusal = isOther ? OTHER_TYPE : checkArrival(event, { partitionKey: userId, arrivalMs: nowMs })
  return { slot: refusal === undefined ? userBucket(userId) : undefined, refusal }
}

/** A batch without an event would withdraw what is in force, and nobody asked for that. */
function refuseNothing(events: number, refused: ImportReport['refused']): void {
  const reasons = Object.entries(refused)
  if (reasons.reduce((sum, [, { count }]) => sum + count, 0) < events) return
  const details = reasons.map(
    ([reason, { count, first }]) => `${count} ${reason}, first ${first.where}: ${first.detail}`,
  )
  const all = `All ${events} events were refused: ${details.join(' ')}`
  throw new MillraceError(events === 0 ? 'There is no event to import' : all, {
    code: 'import-empty',
    next: 'Check the files, the event type and the names of the columns.',
  })
}

/** Its batch; undefined where there never was one, or it was withdrawn. */
export async function importInForce(catalog: Catalog, ref: PartitionRef): Promise<string | undefined> {
  const current = await catalog.current(ref)
  if (current === undefined) return undefined
  return (await catalog.batch(ref, current.batchId)).rows === 0 ? undefined : current.batchId
}

/** Before any user names it. */
async function storeBatch(spool: LineSpool, ref: PartitionRef, options: ImportOptions): Promise<LogEntry> {
  const { catalog, compiled, clock, random, who, why } = options
  await catalog.createTable(ref, { columns: [], format: HISTORY_FORMAT, owner: compiled.pipeline.name })
  return catalog.store(ref, { parts: partsOf(spool), who, why, batchId: newBatchId(clock(), random) })
}

async function* partsOf(spool: LineSpool): AsyncGenerator<PartInput> {
  for (const slot of spool.slots()) {
    yield* lineParts(spool.lines(slot), number =>
      slot === REFUSED ? refusedPartName(number) : bucketPartName(slot, number),
    )
  }
}

function* acceptedLines(spool: LineSpool): Generator<AsyncIterable<Uint8Array>> {
  for (const slot of spool.slots()) if (slot !== REFUSED) yield spool.lines(slot)
}
