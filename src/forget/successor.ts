// The batch that comes in the place of one that has the user: all its parts, without the user's rows. It becomes current only where the one
// before it still is, so that nobody's commit is lost; of a batch that an anchor alone holds it goes into the log behind the current one, both
// entries at once where the store can.
import { importIdOf, IMPORT_OF, IMPORTS_TABLE } from '../archive/history-tables.ts'
import { changeBatch, holdBatch } from '../catalog/change-batch.ts'
import { appendToLog, currentEntry, type LogPorts } from '../catalog/commit-log.ts'
import { CatalogError } from '../catalog/errors.ts'
import { newBatchId } from '../catalog/batch-id.ts'
import { type BegunBatch, claimBatches } from '../catalog/idempotency-key.ts'
import { type BatchRecord, type LogEntry, type TableSchema, toAttributes } from '../catalog/items.ts'
import type { ManifestPart, Manifest } from '../catalog/manifest.ts'
import { logSortKey } from '../catalog/layout.ts'
import { type PartitionRef, tableKey } from '../catalog/names.ts'
import { writeBatch } from '../catalog/store-batch.ts'
import { existingTable } from '../catalog/table-schema.ts'
import type { PartInput } from '../catalog/upload-parts.ts'
import type { Json } from '../platform/canonical-json.ts'
import type { PartRows } from './part-rows.ts'
import type { Pass } from './ports.ts'
import { addTo } from './tally.ts'

export interface Predecessor {
  readonly ref: PartitionRef
  readonly record: BatchRecord
  readonly manifest: Manifest
  readonly rows: PartRows
  /** Of the user. */
  readonly count: number
  readonly contains: readonly string[] | undefined
}

/** Its batch ID, in the log; undefined: somebody has made another batch current meanwhile, and nobody needs this one. */
export async function succeed(pass: Pass, before: Predecessor): Promise<string | undefined> {
  const { ports, hmac, untilMs, who } = pass
  const { ref, record } = before
  const log = logPorts(pass)
  const idempotencyKey = `forget/${hmac}/${untilMs}/${record.batchId}`
  const [begun] = await claimBatches(log, [{ ref }], { idempotencyKey, who, isTogether: false })
  if (begun === undefined) throw new Error('one is claimed for each that is wanted')
  if (begun.committed !== undefined) return begun.batchId
  await writeSuccessor(pass, before, begun)
  const newest = await currentEntry(ports.catalogStores.store, ref)
  if (newest?.batchId !== record.batchId) {
    const isAnchored = Object.keys(record.anchors ?? {}).length > 0
    if (!isAnchored || newest === undefined) return undefined
    await commitBehind(pass, before, begun)
    return begun.batchId
  }
  const entry = { batchId: begun.batchId, who, why: successorWhy(pass, record.batchId) }
  return (await createNext(log, ref, newest, { kind: 'commit', ...entry })) === undefined ? undefined : begun.batchId
}

function logPorts({ ports }: Pass): LogPorts {
  const { clock, random, sleep } = ports
  return { store: ports.catalogStores.store, clock, random, sleep }
}

function successorWhy({ why }: Pass, batchId: string, behind?: string): string {
  return `forget: ${why} (successor of ${batchId}${behind === undefined ? '' : `, behind ${behind}`})`
}

const BEHIND = /^forget: .*\(successor of \S+, behind (\S+)\)$/s

async function writeSuccessor(pass: Pass, before: Predecessor, begun: BegunBatch): Promise<void> {
  const { ports, who } = pass
  const { ref, record, manifest, contains, count } = before
  const { objects, store } = ports.catalogStores
  const schema: TableSchema = {
    ...(await existingTable(store, ref)),
    columns: manifest.columns,
    format: record.format,
  }
  const properties = {
    ...(manifest.properties as Record<string, Json> | undefined),
    forgotten: { batchId: record.batchId, rows: count },
    ...(ref.table === IMPORTS_TABLE && ref.db === pass.pipeline ? { [IMPORT_OF]: importIdOf(manifest) } : {}),
  }
  await writeBatch({ ...logPorts(pass), objects }, ref, schema, {
    begun,
    parts: partsWithout(pass, before),
    who,
    why: successorWhy(pass, record.batchId),
    inputs: [{ table: tableKey(ref), partition: ref.partition, batchId: record.batchId }, ...manifest.inputs],
    ...(contains === undefined ? {} : { contains }),
    properties: () => properties,
  })
}

async function* partsWithout(pass: Pass, { record, manifest, rows }: Predecessor): AsyncGenerator<PartInput> {
  const counts = pass.tally.places.tables
  for (const part of manifest.parts) {
    const loaded = await pass.ports.catalog.loadPart(record, part)
    const name = stemOf(part, record.format)
    if (!rows.mayHold(part.name) || (await rows.count(loaded)) === 0) {
      addTo(counts, { bytesCopied: part.bytes })
      yield { name, body: loaded.body, rows: part.rows }
      continue
    }
    const without = await rows.without(loaded)
    if (without.rows === 0) continue
    addTo(counts, { bytesRewritten: without.body.byteLength })
    yield { name, ...without }
  }
}

function stemOf({ name }: ManifestPart, format: string): string {
  return name.slice(0, -(format.length + 1))
}

type NewEntry = Omit<LogEntry, 'number' | 'at' | 'token'>

/** The entry right after the one that is newest; undefined: somebody else has made that. */
async function createNext(
  { store, clock, random }: LogPorts,
  ref: PartitionRef,
  newest: LogEntry,
  entry: NewEntry,
): Promise<LogEntry | undefined> {
  const item = itemAfter({ clock, random }, ref, newest, entry)
  if ((await store.create(item)) === 'created') return entryOf(item.attributes, newest.number + 1)
  const taker = await store.get(item.table, item.sk)
  return taker?.attributes['token'] === item.attributes['token']
    ? entryOf(item.attributes, newest.number + 1)
    : undefined
}

function itemAfter(
  { clock, random }: Pick<LogPorts, 'clock' | 'random'>,
  ref: PartitionRef,
  { number, at }: Pick<LogEntry, 'number' | 'at'>,
  { at: own = Math.max(clock(), at), ...entry }: NewEntry & Partial<Pick<LogEntry, 'at'>>,
) {
  const attributes = toAttributes({ ...entry, at: own, token: newBatchId(clock(), random) })
  return { table: tableKey(ref), sk: logSortKey(ref.partition, number + 1), attributes }
}

function entryOf(attributes: Record<string, Json>, number: number): LogEntry {
  return { number, ...(attributes as unknown as Omit<LogEntry, 'number'>) }
}

const ROUNDS_MAX = 10

async function commitBehind(pass: Pass, { ref, record }: Predecessor, { batchId }: BegunBatch): Promise<void> {
  const log = logPorts(pass)
  const { store } = log
  const { who } = pass
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    const newest = await currentEntry(store, ref)
    if (newest === undefined) throw new Error('a batch that is anchored is in the log')
    // The answer about the first of two entries was lost.
    if (newest.batchId === batchId) return putBack(pass, ref)
    await holdBatch(log, ref, await recordOf(pass, ref, newest.batchId))
    const why = successorWhy(pass, record.batchId, newest.batchId)
    const first = itemAfter(log, ref, newest, { kind: 'commit', batchId, who, why })
    const firstEntry = entryOf(first.attributes, newest.number + 1)
    // Of one time, so that who asks for what was current then gets what still is.
    const second = itemAfter(log, ref, firstEntry, {
      at: firstEntry.at,
      kind: 'rollback',
      batchId: newest.batchId,
      who,
      why: `forget: as it was before ${batchId}`,
    })
    try {
      if ((await store.createAll([first, second])) === 'created') return
    } catch (error) {
      if (!(error instanceof CatalogError) || error.code !== 'transactions-unavailable') throw error
      // One after the other: for the moment between them the one that the anchor holds is current. Whoever was faster than the second one has
      // made another batch current.
      if ((await store.create(first)) === 'created') return void (await store.create(second))
    }
  }
  throw new CatalogError(`Others keep committing to ${tableKey(ref)}, partition ${ref.partition}`, {
    code: 'log-contended',
    retriable: true,
    next: 'Run it again.',
  })
}

async function recordOf({ ports }: Pass, ref: PartitionRef, batchId: string): Promise<BatchRecord> {
  return ports.catalog.batch(ref, batchId)
}

/** A run that stopped between the two entries has left a successor current that only an anchor needs. */
export async function putBack(pass: Pass, ref: PartitionRef): Promise<void> {
  const newest = await currentEntry(pass.ports.catalogStores.store, ref)
  const behind = BEHIND.exec(newest?.why ?? '')?.[1]
  if (newest === undefined || behind === undefined) return
  const why = `forget: as it was before ${newest.batchId}`
  await appendToLog(logPorts(pass), ref, { kind: 'rollback', batchId: behind, who: pass.who, why })
}

/** For whoever asks for the one before it, once that is gone. */
export async function nameSuccessor(
  { ports }: Pass,
  { ref, record }: Pick<Predecessor, 'ref' | 'record'>,
  successor: string,
): Promise<void> {
  await changeBatch(ports.catalogStores.store, ref, record.batchId, before =>
    before.successor === successor ? undefined : { ...before, successor },
  )
}

/** The names. First the successor has them, so that a reader finds one of the two at any moment, and the newer one of both. */
export async function moveAnchors(
  pass: Pass,
  { ref, record }: Pick<Predecessor, 'ref' | 'record'>,
  successor: string,
): Promise<readonly string[]> {
  const { store } = pass.ports.catalogStores
  const { who, ports } = pass
  const anchors = Object.entries(record.anchors ?? {})
  if (anchors.length === 0) return []
  const at = ports.clock()
  const noted = `somebody was forgotten: this is the successor of ${record.batchId}`
  await changeBatch(store, ref, successor, next => {
    const moved = anchors.map(([name, note]) => [name, { at, who, why: `${note.why} (${noted})` }] as const)
    return { ...next, anchors: { ...Object.fromEntries(moved), ...next.anchors } }
  })
  await changeBatch(store, ref, record.batchId, before => {
    const set = Object.entries(before.anchors ?? {})
    if (set.length === 0) return undefined
    const released = set.map(([anchor, note]) => ({
      anchor,
      set: note,
      released: { at, who, why: `forget: moved to ${successor}` },
    }))
    return { ...before, anchors: {}, released: [...released, ...(before.released ?? [])].slice(0, RELEASED_MAX) }
  })
  return anchors.map(([name]) => name)
}

/** As many as an anchor that is released leaves. */
const RELEASED_MAX = 20
