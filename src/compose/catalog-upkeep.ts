// What keeps a catalogue in order, for programs: who changed what, what differs, what is damaged, what writers that died have left.
import { type AuditEntry, readAudit } from '../catalog/audit.ts'
import { checkReason } from '../catalog/commit-log.ts'
import type { DiffOptions } from '../catalog/diff-batches.ts'
import { CatalogError } from '../catalog/errors.ts'
import { tableKey, type TableRef } from '../catalog/names.ts'
import { type SweepReport, SWEEP_GRACE_MS, sweepTable } from '../catalog/sweep.ts'
import { existingTable } from '../catalog/table-schema.ts'
import { type VerifiedBatch, verifyBatch } from '../catalog/verify-batch.ts'
import { HOUR_MS } from '../platform/duration.ts'
import { batchRemoval } from './batch-removal.ts'
import { compareBatches, type TableDiff } from './compare-batches.ts'
import type { Connection } from './connect.ts'
import { chosenIn, instantOf, type LoadFrom } from './load-from.ts'

export interface AuditRange {
  /** Nothing before it: a Date, or RFC 3339 text. */
  readonly since?: Date | string | undefined
  readonly until?: Date | string | undefined
}

export interface SweepInput {
  readonly who: string
  readonly why: string
  /** Removes what is found, with a receipt; without it nothing is written. */
  readonly isDeleting?: boolean
  /** Younger ones stay, as their writer may be at work: a day unless given, an hour at least. */
  readonly graceMs?: number
}

export interface Swept extends SweepReport {
  /** Batch IDs of the receipts, in `removals.<pipeline>`: which objects were removed. */
  readonly receipts: readonly string[]
}

export interface CatalogUpkeep {
  /** Who changed what of the table, when and why, oldest first; without a table, of all. Throws CatalogError `table-not-found`. */
  audit(ref?: TableRef, range?: AuditRange): Promise<readonly AuditEntry[]>
  /**
   * What is different between two batches: rows that were added, removed and changed, by their key (`user_id` unless `keys` are given), columns,
   * and how numbers are distributed. Throws CatalogError `diff-key-unknown`, and as `load`.
   */
  diff(from: LoadFrom, to: LoadFrom, options?: Pick<DiffOptions, 'keys' | 'examplesMax'>): Promise<TableDiff>
  /**
   * What writers that died have left in the table: objects of no batch that history names. Never what history or an anchor names. Throws
   * CatalogError `table-not-found`, `grace-too-short`.
   */
  sweep(ref: TableRef, input: SweepInput): Promise<Swept>
  /**
   * Holds every byte of a batch against its papers, and with `isReadingRows` every row. It lists what differs and does not throw of it.
   * Throws CatalogError `partition-empty`, `batch-not-found`.
   */
  verify(from: LoadFrom, options?: { readonly isReadingRows?: boolean }): Promise<VerifiedBatch>
}

export interface UpkeepPlace {
  readonly pipeline: string
  readonly stage: string
}

type UpkeepPorts = Pick<Connection, 'catalog' | 'catalogStores' | 'names' | 'clock'>

export function catalogUpkeep(ports: UpkeepPorts, place: UpkeepPlace): CatalogUpkeep {
  const { catalog, catalogStores } = ports
  const placed = async (from: LoadFrom) => {
    const { ref, batchId } = await chosenIn(catalog, from)
    return { ref, batch: await catalog.load(ref, batchId) }
  }
  return {
    async audit(ref, { since, until } = {}) {
      const range = { sinceMs: instantOf('since', since), untilMs: instantOf('until', until) }
      if (ref !== undefined) await existingTable(catalogStores.store, ref)
      return readAudit(catalogStores.store, ref === undefined ? await catalog.tables() : [ref], range)
    },
    diff: async (from, to, options = {}) => compareBatches(await placed(from), await placed(to), options),
    sweep: (ref, input) => sweep(ports, ref, { ...place, ...input }),
    async verify(from, { isReadingRows = false } = {}) {
      const { ref, batchId } = await chosenIn(catalog, from)
      return verifyBatch({ ...catalogStores, isReadingRows }, ref, batchId)
    },
  }
}

async function sweep(
  ports: UpkeepPorts,
  ref: TableRef,
  { isDeleting = false, graceMs = SWEEP_GRACE_MS, who, why, ...place }: SweepInput & UpkeepPlace,
): Promise<Swept> {
  checkReason({ who, why })
  if (!(graceMs >= HOUR_MS)) {
    throw new CatalogError(`A grace of ${graceMs} ms is less than an hour`, {
      code: 'grace-too-short',
      next: 'Give an hour or more: a writer may be at work.',
      table: tableKey(ref),
    })
  }
  await existingTable(ports.catalogStores.store, ref)
  const removal = batchRemoval(ports, { ...place, clock: ports.clock, who, why })
  const report = await sweepTable(removal.ports, ref, { graceMs, isDeleting, who, why })
  return { ...report, receipts: removal.receipts }
}
