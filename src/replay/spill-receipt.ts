// What was removed, by whom, when and why: a table of the catalogue like any other. It is written before anything goes, as a receipt
// for what stayed does less harm than a removal without one.
import type { Catalog } from '../catalog/catalog.ts'
import type { LogEntry } from '../catalog/items.ts'
import type { PartitionRef } from '../catalog/names.ts'
import type { PartInput } from '../catalog/upload-parts.ts'
import type { ObjectInfo } from '../platform/object-store.ts'

const REMOVALS_DB = 'removals'
const ABOUT = 'Which objects were removed: who, when and why. User ids are in it as HMACs only.'
/** Some MB a part. */
const LINES_PER_PART = 50_000

export interface Removal {
  readonly pipeline: string
  readonly stage: string
  /** Predictions, unless given: objects of the catalogue's batches. */
  readonly of?: 'spills' | 'batches'
  readonly bucket: string
  readonly objects: readonly ObjectInfo[]
  readonly who: string
  readonly why: string
}

/** `removals.<pipeline>`, partition `<stage>.spills` or `<stage>.batches`. */
export function removalsRef({
  pipeline,
  stage,
  of = 'spills',
}: Pick<Removal, 'pipeline' | 'stage' | 'of'>): PartitionRef {
  return { db: REMOVALS_DB, table: pipeline, partition: `${stage}.${of}` }
}

/** Throws CatalogError, ObjectStoreError. */
export async function writeReceipt(catalog: Catalog, removal: Removal): Promise<LogEntry> {
  const ref = removalsRef(removal)
  await catalog.createTable(ref, { columns: [], format: 'json', owner: 'millrace', about: ABOUT })
  const { objects, who, why, of } = removal
  const what = of === 'batches' ? 'objects of batches' : 'predictions'
  return catalog.store(ref, { parts: parts(removal), who, why: `${objects.length} ${what} removed: ${why}` })
}

function* parts({ bucket, objects }: Removal): Generator<PartInput> {
  for (let from = 0; from < objects.length; from += LINES_PER_PART) {
    const own = objects.slice(from, from + LINES_PER_PART)
    const lines = own.map(({ key, bytes, createdMs }) => `${JSON.stringify({ bucket, key, bytes, createdMs })}\n`)
    const name = `part-removed-${String(from / LINES_PER_PART).padStart(4, '0')}`
    yield { name, body: Buffer.from(lines.join('')), rows: own.length }
  }
}
