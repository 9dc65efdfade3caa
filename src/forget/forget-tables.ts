// Every batch of every table that was ever committed and is still there: one with rows of the user gets a successor where somebody relies on
// it, and is purged. Nothing that history names keeps the user, and what a retention let go of before goes with its hidden versions.
import { EVENTS_TABLE, IMPORTS_TABLE } from '../archive/history-tables.ts'
import { findManifest } from './find-manifest.ts'
import { DBS_WITHOUT_USERS, findOrphans } from './find-orphans.ts'
import { type TableRef, tableKey } from '../catalog/names.ts'
import { type PurgedBatch, purgeBatches, unfinishedPurge } from '../catalog/purge-batches.ts'
import { HOLD_MS } from '../catalog/change-batch.ts'
import {
  homeRecord,
  isAnchored,
  isCurrent,
  readTableBatches,
  type TableBatch,
  type TableBatches,
} from '../catalog/table-batches.ts'
import type { ObjectInfo } from '../platform/object-store.ts'
import { rawSuccessors } from './forget-lines.ts'
import { partRows } from './part-rows.ts'
import type { Pass } from './ports.ts'
import { moveAnchors, nameSuccessor, type Predecessor, putBack, succeed } from './successor.ts'
import { addTo } from './tally.ts'
import { unreadableReason } from './unreadable.ts'

export interface TablesPass extends Pass {
  /** Before anything of a batch is removed. */
  readonly writeReceipt: (objects: readonly ObjectInfo[]) => Promise<void>
}

/** Throws CatalogError, ObjectStoreError. */
export async function forgetTables(pass: TablesPass): Promise<void> {
  const rawNames = await rawSuccessors(pass)
  const known = new Set<string>()
  for (const ref of historyFirst(await pass.ports.catalog.tables(), pass.pipeline)) {
    if (DBS_WITHOUT_USERS.has(ref.db)) continue
    pass.onProgress(tableKey(ref))
    await unlessUnreadable(pass, tableKey(ref), () => forgetTable(pass, ref, { rawNames, known }))
  }
  await findOrphans(pass, known)
}

/** What cannot be read is left, and the rest is gone on with. */
async function unlessUnreadable<T>(pass: Pass, where: string, look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look()
  } catch (error) {
    const why = unreadableReason(error)
    if (why === undefined) throw error
    pass.tally.left.push({ where, why })
    return undefined
  }
}

/** What arrived of another life is known before rows of tables are judged by it. */
function historyFirst(refs: readonly TableRef[], pipeline: string): readonly TableRef[] {
  const isHistory = ({ db, table }: TableRef): boolean =>
    db === pipeline && (table === EVENTS_TABLE || table === IMPORTS_TABLE)
  return [...refs].sort((a, b) => Number(isHistory(b)) - Number(isHistory(a)))
}

interface Shared {
  readonly rawNames: ReadonlyMap<string, readonly string[]>
  /** Locations of batches, to which this adds. */
  readonly known: Set<string>
}

async function forgetTable(pass: TablesPass, ref: TableRef, { rawNames, known }: Shared): Promise<void> {
  const { store } = pass.ports.catalogStores
  if (!pass.isDryRun) {
    const logs = [...(await readTableBatches(store, ref)).logs.keys()]
    for (const partition of logs) await putBack(pass, { ...ref, partition })
  }
  const all = await readTableBatches(store, ref)
  for (const location of all.batches.keys()) known.add(location)
  findNamed(pass, ref, all)
  const going: TableBatch[] = []
  for (const batch of all.batches.values()) {
    const where = placeOf(pass, ref, batch)
    const isGoing = await unlessUnreadable(pass, where, () => forgetBatch(pass, { ref, batch, all, rawNames }))
    if (isGoing === true) going.push(batch)
  }
  if (pass.isDryRun || going.length === 0) return
  addPurged(pass, await purge(pass, ref, going))
}

/** Partitions that are called by the user. */
function findNamed(pass: Pass, ref: TableRef, { logs, batches }: TableBatches): void {
  const partitions = new Set([...logs.keys(), ...[...batches.values()].flatMap(({ records }) => [...records.keys()])])
  for (const partition of [...partitions].sort()) {
    if (!pass.names.names({ ...ref, partition })) continue
    pass.tally.left.push({
      where: `${tableKey(ref)}/${pass.names.masked(partition)}`,
      why:
        'the user is in the name of the partition: store an empty batch there, let the others go by `millrace table retain`, ' +
        'then remove its items and objects',
    })
  }
}

function placeOf({ names }: Pass, ref: TableRef, { home, batchId }: Pick<TableBatch, 'home' | 'batchId'>): string {
  return `${tableKey(ref)}/${names.masked(home)}, batch ${batchId}`
}

interface BatchAmongAll {
  readonly ref: TableRef
  readonly batch: TableBatch
  readonly all: TableBatches
  readonly rawNames: Shared['rawNames']
}

/** Whether its bytes are to go. */
async function forgetBatch(pass: TablesPass, of: BatchAmongAll): Promise<boolean> {
  const { ref, batch, all } = of
  const counts = pass.tally.places.tables
  const where = placeOf(pass, ref, batch)
  const home = homeRecord(batch)
  counts.looked++
  if (home?.state === 'purged') {
    if (!pass.isDryRun) await endHidden(pass, batch)
    return unfinishedPurge(batch) !== undefined
  }
  const found = home === undefined ? undefined : await findManifest(pass, home)
  if (home === undefined || found === undefined || home.state === 'cold') {
    pass.tally.left.push({ where, why: 'its bytes cannot be read' })
    return false
  }
  const rows = partRows(pass, { ref, manifest: found, record: home })
  if (rows === undefined) {
    pass.tally.left.push({ where, why: `nobody can tell what is in parts of the format ${home.format}` })
    return false
  }
  let count = 0
  for (const part of found.parts) {
    if (!rows.mayHold(part.name)) continue
    count += await rows.count(await pass.ports.catalog.loadPart(home, part))
  }
  if (count === 0) return false
  if (batch.namedIn.size === 0) {
    pass.tally.left.push({ where, why: 'it was never committed: sweep the table, or wait for its writer' })
    return false
  }
  addTo(counts, { found: 1, rows: count })
  const contains = containsOf(ref, found.contains, of.rawNames)
  for (const [partition, record] of batch.records) {
    const at = { ...ref, partition }
    await replaceIn(pass, all, { ref: at, record, manifest: found, rows, count, contains })
  }
  return true
}

async function replaceIn(pass: TablesPass, all: TableBatches, before: Predecessor): Promise<void> {
  const { ref, record, count } = before
  const isNeeded =
    all.logs.get(ref.partition)?.at(-1)?.batchId === record.batchId || Object.keys(record.anchors ?? {}).length > 0
  const successor = isNeeded && !pass.isDryRun ? await succeed(pass, before) : undefined
  if (successor !== undefined) await nameSuccessor(pass, before, successor)
  const anchors = successor === undefined ? [] : await moveAnchors(pass, before, successor)
  pass.tally.replaced.push({
    table: tableKey(ref),
    partition: pass.names.masked(ref.partition),
    batchId: record.batchId,
    successor: successor ?? null,
    anchors,
    rows: count,
  })
}

/** Raw objects that were written anew are in the compacted hour as those were that they came from. */
function containsOf(
  { table }: TableRef,
  contains: readonly string[] | undefined,
  rawNames: Shared['rawNames'],
): readonly string[] | undefined {
  if (contains === undefined || table !== EVENTS_TABLE) return contains
  return [...new Set(contains.flatMap(key => [key, ...(rawNames.get(key) ?? [])]))].sort()
}

async function purge(pass: TablesPass, ref: TableRef, batches: readonly TableBatch[]): Promise<readonly PurgedBatch[]> {
  const { ports, names, who, why, writeReceipt } = pass
  const { store, objects } = ports.catalogStores
  const remover = {
    remove: async (key: string): Promise<void> => {
      await ports.stillAlone()
      await ports.catalogEnder.end(key)
    },
  }
  const purgePorts = {
    store,
    objects,
    remover,
    clock: ports.clock,
    writeReceipt: (gone: readonly ObjectInfo[]) =>
      writeReceipt(gone.map(info => ({ ...info, key: names.masked(info.key) }))),
  }
  const request = { batches, who, why: `forget: ${why}`, keptBecause: keptBecause(ports.clock()) }
  const { purged, kept } = await purgeBatches(purgePorts, ref, request)
  for (const { partition, batchId, because } of kept) {
    pass.tally.left.push({
      where: placeOf(pass, ref, { home: partition, batchId }),
      why: `it is ${because}: run it again`,
    })
  }
  return purged
}

/** Only what somebody came to rely on meanwhile; the next run takes it. */
function keptBecause(nowMs: number): (all: TableBatches) => (batch: TableBatch) => string | undefined {
  return all => batch => {
    if (all.unresolved.has(batch.batchId)) return 'unresolved'
    if (isCurrent(batch, all)) return 'current'
    if (isAnchored(batch)) return 'anchored'
    return isBeingMadeCurrent(batch, all, nowMs) ? 'held' : undefined
  }
}

/** Whoever held it has not made it current yet. */
function isBeingMadeCurrent(batch: TableBatch, { logs }: TableBatches, nowMs: number): boolean {
  const heldAt = homeRecord(batch)?.heldAt
  if (heldAt === undefined || nowMs >= heldAt + HOLD_MS) return false
  const isDone = [...batch.namedIn].some(partition =>
    logs.get(partition)?.some(({ batchId, at }) => batchId === batch.batchId && at >= heldAt),
  )
  return !isDone
}

function addPurged(pass: TablesPass, purged: readonly PurgedBatch[]): void {
  for (const { bytes } of purged) addTo(pass.tally.places.tables, { bytesRemoved: bytes })
}

/** Versions that a bucket kept of a batch that was purged before. */
async function endHidden(pass: TablesPass, { location }: TableBatch): Promise<void> {
  const isOwn = (key: string): boolean => !key.includes('/', location.length)
  const { bytes } = await pass.ports.catalogEnder.endBelow(location, isOwn)
  addTo(pass.tally.places.tables, { bytesRemoved: bytes })
}
