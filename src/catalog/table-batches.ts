// Every batch of a table with all that says whether somebody needs it: what retention and the sweep decide from. A batch that was
// promoted is one batch with several items, as its bytes are there once.
import type { CatalogStore } from './catalog-store.ts'
import { type BatchInput, type BatchRecord, type LogEntry, readBatchRecord, readLogEntry } from './items.ts'
import { BATCHES_PREFIX, LOGS_PREFIX, partitionOfBatch, partitionOfLog, placeOfLocation } from './layout.ts'
import { type LoadPorts, readManifest } from './load-batch.ts'
import { type TableRef, tableKey } from './names.ts'
import { INPUTS_IN_ITEM_MAX } from './store-batch.ts'

export interface TableBatch {
  readonly batchId: string
  readonly location: string
  /** The partition that it was stored in. */
  readonly home: string
  /** Its item in each partition that has one. */
  readonly records: ReadonlyMap<string, BatchRecord>
  /** Partitions whose log names it; of none: it was never committed. */
  readonly namedIn: ReadonlySet<string>
}

export interface TableBatches {
  /** By location. */
  readonly batches: ReadonlyMap<string, TableBatch>
  /** By partition, oldest entry first. */
  readonly logs: ReadonlyMap<string, readonly LogEntry[]>
  /** Batch IDs that a log names and whose item was not there when items were read: of somebody who is at work. */
  readonly unresolved: ReadonlySet<string>
}

interface Growing extends TableBatch {
  readonly records: Map<string, BatchRecord>
  readonly namedIn: Set<string>
}

/** Items before logs: what was committed in between is unresolved, and not taken for an orphan. */
export async function readTableBatches(store: CatalogStore, ref: TableRef): Promise<TableBatches> {
  const table = tableKey(ref)
  const batches = new Map<string, Growing>()
  const byItem = new Map<string, Growing>()
  for await (const item of store.list(table, BATCHES_PREFIX)) {
    const record = readBatchRecord(item)
    const { batchId, location } = record
    const partition = partitionOfBatch(item.sk)
    const home = placeOfLocation(location)?.partition ?? partition
    const batch = batches.get(location) ?? { batchId, location, home, records: new Map(), namedIn: new Set() }
    batch.records.set(partition, record)
    batches.set(location, batch)
    byItem.set(itemName(partition, batchId), batch)
  }
  const logs = new Map<string, LogEntry[]>()
  const unresolved = new Set<string>()
  for await (const item of store.list(table, LOGS_PREFIX)) {
    const partition = partitionOfLog(item.sk)
    const entry = readLogEntry(item, partition)
    const log = logs.get(partition)
    if (log === undefined) logs.set(partition, [entry])
    else log.push(entry)
    const batch = byItem.get(itemName(partition, entry.batchId))
    if (batch === undefined) unresolved.add(entry.batchId)
    else batch.namedIn.add(partition)
  }
  return { batches, logs, unresolved }
}

/** Undefined where the item of its own partition is not there: nobody made that. */
export function homeRecord({ home, records }: TableBatch): BatchRecord | undefined {
  return records.get(home)
}

export function isAnchored({ records }: TableBatch): boolean {
  return [...records.values()].some(({ anchors }) => Object.keys(anchors ?? {}).length > 0)
}

export function isCurrent({ batchId, namedIn }: TableBatch, { logs }: TableBatches): boolean {
  return [...namedIn].some(partition => logs.get(partition)?.at(-1)?.batchId === batchId)
}

/** Batches that were read to make others, for a look-up: of `db.table`, partition and batch ID. */
export type Pins = ReadonlySet<string>

export function pinOf({ table, partition, batchId }: BatchInput): string {
  return `${table}#${partition}#${batchId}`
}

/**
 * What went into the batches of these tables that are not purged: of a version of a model what it was trained on. Throws CatalogError where
 * a manifest that may name more than the item does cannot be read: who does not know what is needed lets nothing go.
 */
export async function readPins(ports: LoadPorts, tables: readonly TableRef[]): Promise<Pins> {
  const pins = new Set<string>()
  for (const ref of tables) {
    for await (const item of ports.store.list(tableKey(ref), BATCHES_PREFIX)) {
      const record = readBatchRecord(item)
      if (record.state === 'purged') continue
      for (const input of await inputsOf(ports, record)) pins.add(pinOf(input))
    }
  }
  return pins
}

async function inputsOf(ports: LoadPorts, record: BatchRecord): Promise<readonly BatchInput[]> {
  // Of one that was let go the manifest may be gone already.
  if (record.inputs.length < INPUTS_IN_ITEM_MAX || record.purged !== undefined) return record.inputs
  return (await readManifest(ports, record)).manifest.inputs
}

export function isPinned({ batchId, records }: TableBatch, table: string, pins: Pins): boolean {
  return [...records.keys()].some(partition => pins.has(pinOf({ table, partition, batchId })))
}

function itemName(partition: string, batchId: string): string {
  return `${partition}#${batchId}`
}
