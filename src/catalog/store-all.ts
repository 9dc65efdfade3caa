// Batches of several partitions of one table in one call: every one is written whole first, and then all become visible at one instant.
import type { CurrentPartition } from './commit-log.ts'
import { appendAllToLog, checkTogether } from './commit-together.ts'
import { CatalogError } from './errors.ts'
import { type BegunBatch, claimBatches } from './idempotency-key.ts'
import type { TableSchema } from './items.ts'
import { type PartitionRef, tableKey, type TableRef } from './names.ts'
import { checkStore, newBatch, type StoreInput, type StorePorts, writeBatch } from './store-batch.ts'

/** Of one of the partitions: what is its own. */
export interface PartitionBatch extends Omit<StoreInput, 'who' | 'why' | 'idempotencyKey'> {
  readonly partition: string
}

/** Of all of them. */
export type StoreAllInput = Pick<StoreInput, 'who' | 'why' | 'inputs' | 'idempotencyKey'>

/**
 * In the order given. Throws before anything is written CatalogError `transactions-unavailable` where they cannot be committed together,
 * `transaction-too-big`, `partition-twice`; and as Catalog.store does, with none of them visible.
 */
export async function storeAllBatches(
  ports: StorePorts,
  table: TableRef,
  schema: TableSchema,
  batches: readonly PartitionBatch[],
  input: StoreAllInput,
): Promise<readonly CurrentPartition[]> {
  const { who, why, idempotencyKey, inputs } = input
  const wanted = batches.map(batch => ({
    ref: { ...table, partition: batch.partition },
    batch,
    batchId: batch.batchId,
  }))
  checkTogether(wanted.length)
  for (const { ref, batchId } of wanted)
    checkStore(ref, schema, { who, why, ...(batchId === undefined ? {} : { batchId }) })
  refuseTwice(wanted.map(({ ref }) => ref))
  if (wanted.length === 0) return []
  await ports.store.checkTransactions(tableKey(table))
  const begun =
    idempotencyKey === undefined
      ? wanted.map(({ batchId }) => newBatch(ports, batchId))
      : await claimBatches(ports, wanted, { idempotencyKey, who, isTogether: true })
  if (!isCommitted(begun)) {
    for (const [index, { ref, batch }] of wanted.entries()) {
      const { partition: _, ...own } = batch
      const common = { who, why, ...(inputs === undefined ? {} : { inputs }) }
      await writeBatch(ports, ref, schema, { ...common, ...own, begun: begun[index] as BegunBatch })
    }
  }
  return appendAllToLog(
    ports,
    wanted.map(({ ref }, index) => {
      const { batchId, after } = begun[index] as BegunBatch
      return { ref, commit: { kind: 'commit', batchId, who, why }, after }
    }),
  )
}

function isCommitted(begun: readonly BegunBatch[]): boolean {
  return begun.every(({ committed }) => committed !== undefined)
}

function refuseTwice(refs: readonly PartitionRef[]): void {
  const twice = refs.find((ref, index) => refs.findIndex(({ partition }) => partition === ref.partition) !== index)
  if (twice === undefined) return
  throw new CatalogError(`The partition ${twice.partition} came twice`, {
    code: 'partition-twice',
    next: 'Give each partition once, with all of its rows.',
    table: tableKey(twice),
    partition: twice.partition,
  })
}
