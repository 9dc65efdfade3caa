// What takes bytes of the catalogue's batches away, with a receipt for each removal, for the command line and for programs.
import type { PurgePorts } from '../catalog/purge-batches.ts'
import { tableKey } from '../catalog/names.ts'
import type { Clock } from '../platform/clock.ts'
import { removalsRef, writeReceipt } from '../replay/spill-receipt.ts'
import type { Connection } from './connect.ts'

export interface BatchRemoval {
  readonly ports: PurgePorts
  /** Batch IDs of the receipts that were written. */
  readonly receipts: readonly string[]
  /** `removals.<pipeline>/<stage>.batches` */
  readonly table: string
}

export interface BatchRemovalInput {
  readonly pipeline: string
  readonly stage: string
  readonly clock: Clock
  readonly who: string
  readonly why: string
}

export function batchRemoval(
  { catalog, catalogStores, names }: Pick<Connection, 'catalog' | 'catalogStores' | 'names'>,
  { pipeline, stage, clock, who, why }: BatchRemovalInput,
): BatchRemoval {
  const place = { pipeline, stage, of: 'batches' as const }
  const ref = removalsRef(place)
  const receipts: string[] = []
  const ports: PurgePorts = {
    ...catalogStores,
    clock,
    writeReceipt: async objects => {
      const removal = { ...place, bucket: names.catalogBucket, objects, who, why }
      receipts.push((await writeReceipt(catalog, removal)).batchId)
    },
  }
  return { ports, receipts, table: `${tableKey(ref)}/${ref.partition}` }
}
