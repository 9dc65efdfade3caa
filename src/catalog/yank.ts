// A batch that must not be used again: it stays where it is, for who asks what it was, and nothing makes it current any more. That is
// never taken back: a batch that is right after all is stored anew under a name of its own.
import type { Clock } from '../platform/clock.ts'
import { checkBatchId } from './batch-id.ts'
import type { CatalogStore } from './catalog-store.ts'
import { checkReason, currentPartitions } from './commit-log.ts'
import { CatalogError } from './errors.ts'
import { readYank, toAttributes, type Yank } from './items.ts'
import { BATCHES_PREFIX, YANKS_PREFIX, yankSortKey } from './layout.ts'
import { type TableRef, tableKey } from './names.ts'

export interface YankInput {
  readonly batchId: string
  readonly who: string
  readonly why: string
}

export interface YankPorts {
  readonly store: CatalogStore
  readonly clock: Clock
}

/**
 * What is current somewhere is refused: readers would be left with a batch that nobody may use. A batch that is yanked already keeps
 * the first reason. Throws CatalogError `batch-current`, `batch-not-found`.
 */
export async function yankBatch({ store, clock }: YankPorts, ref: TableRef, input: YankInput): Promise<Yank> {
  const { batchId, who, why } = input
  checkReason(input)
  await planYank(store, ref, batchId)
  const table = tableKey(ref)
  const yank: Yank = { batchId, at: clock(), who, why }
  await store.create({ table, sk: yankSortKey(batchId), attributes: toAttributes(yank) })
  return (await findYank(store, ref, batchId)) ?? yank
}

/** Throws what yanking would. */
export async function planYank(store: CatalogStore, ref: TableRef, batchId: string): Promise<void> {
  const table = tableKey(ref)
  checkBatchId(batchId)
  if (!(await hasBatch(store, table, batchId))) {
    throw new CatalogError(`The table ${table} has no batch ${batchId}`, {
      code: 'batch-not-found',
      next: '`millrace table history` lists those that were committed.',
      table,
      batchId,
    })
  }
  const current = (await currentPartitions(store, ref)).filter(({ entry }) => entry.batchId === batchId)
  if (current.length === 0) return
  const partitions = current.map(({ partition }) => partition)
  throw new CatalogError(`${batchId} is current in ${partitions.join(' and ')}`, {
    code: 'batch-current',
    next: 'Roll it back first.',
    table,
    batchId,
  })
}

async function hasBatch(store: CatalogStore, table: string, batchId: string): Promise<boolean> {
  for await (const { sk } of store.list(table, BATCHES_PREFIX)) if (sk.endsWith(`#${batchId}`)) return true
  return false
}

/** One small read; undefined where the batch may be used. */
export async function findYank(store: CatalogStore, ref: TableRef, batchId: string): Promise<Yank | undefined> {
  const item = await store.get(tableKey(ref), yankSortKey(checkBatchId(batchId)))
  return item === undefined ? undefined : readYank(item)
}

/** All of the table, by batch ID. */
export async function listYanks(store: CatalogStore, ref: TableRef): Promise<ReadonlyMap<string, Yank>> {
  const yanks = new Map<string, Yank>()
  for await (const item of store.list(tableKey(ref), YANKS_PREFIX)) {
    const yank = readYank(item)
    yanks.set(yank.batchId, yank)
  }
  return yanks
}

/** Throws CatalogError `batch-yanked`. */
export async function refuseYanked(store: CatalogStore, ref: TableRef, batchId: string): Promise<void> {
  const yank = await findYank(store, ref, batchId)
  if (yank !== undefined) throw batchYanked(ref, yank)
}

export function batchYanked(ref: TableRef, { batchId, who, why }: Yank): CatalogError {
  return new CatalogError(`${batchId} was yanked by ${who}: ${why}`, {
    code: 'batch-yanked',
    next: 'Use another batch; one that is right after all is stored anew, under a batch ID of its own.',
    table: tableKey(ref),
    batchId,
  })
}
