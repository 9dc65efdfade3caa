// What is different between two batches: rows by their key, columns, and how the numbers of both are distributed, in one reading of each.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BatchDiff, diffBatches, type DiffOptions } from '../catalog/diff-batches.ts'
import type { LoadedBatch } from '../catalog/load-batch.ts'
import type { PartitionRef } from '../catalog/names.ts'
import { type DistributionDiff, DistributionDiffs } from '../snapshot/diff-distributions.ts'

export interface TableDiff extends BatchDiff {
  /** `db.table` of `from`. */
  readonly table: string
  readonly from: DiffedBatch
  readonly to: DiffedBatch
  /** Of the columns of numbers that both have. */
  readonly distributions: readonly DistributionDiff[]
}

export interface DiffedBatch {
  readonly partition: string
  readonly batchId: string
  readonly rows: number
}

export interface PlacedBatch {
  readonly ref: PartitionRef
  readonly batch: LoadedBatch
}

/** Both are sorted into local files of a folder that is gone afterwards. Throws CatalogError `diff-key-unknown`, and as loading does. */
export async function compareBatches(
  from: PlacedBatch,
  to: PlacedBatch,
  options: Pick<DiffOptions, 'keys' | 'examplesMax'>,
): Promise<TableDiff> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-diff-'))
  const columns = { from: from.batch.manifest.columns, to: to.batch.manifest.columns }
  const distributions = new DistributionDiffs(folder, columns)
  try {
    const diff = await diffBatches(from.batch, to.batch, {
      ...options,
      folder,
      onRows: (side, rows) => distributions.add(side, rows),
    })
    const { table } = from.batch.manifest
    return { table, from: aboutOf(from), to: aboutOf(to), ...diff, distributions: distributions.result() }
  } finally {
    distributions.remove()
    await rm(folder, { recursive: true, force: true })
  }
}

function aboutOf({ ref: { partition }, batch: { record } }: PlacedBatch): DiffedBatch {
  return { partition, batchId: record.batchId, rows: record.rows }
}
