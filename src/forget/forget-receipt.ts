// What a forgetting did, as a batch of the catalogue: a line that sums it up, one for each batch that was replaced, one for each thing that
// is left. A user is in it as an HMAC only.
import type { Catalog } from '../catalog/catalog.ts'
import type { LogEntry } from '../catalog/items.ts'
import type { PartitionRef } from '../catalog/names.ts'
import { removalsRef } from '../replay/spill-receipt.ts'
import type { ForgetReport } from './forget-user.ts'

export interface ReceiptPlace {
  readonly pipeline: string
  readonly stage: string
}

/** `removals.<pipeline>`, partition `<stage>.forgets`. */
export function forgetsRef({ pipeline, stage }: ReceiptPlace): PartitionRef {
  return { ...removalsRef({ pipeline, stage }), partition: `${stage}.forgets` }
}

/** Throws CatalogError, ObjectStoreError. */
export async function writeForgetReceipt(
  catalog: Catalog,
  place: ReceiptPlace,
  { report, who, why }: { readonly report: ForgetReport; readonly who: string; readonly why: string },
): Promise<LogEntry> {
  const ref = forgetsRef(place)
  await catalog.createTable(ref, { columns: [], format: 'json', owner: 'millrace' })
  const { replaced, left, ...summary } = report
  const lines = [
    { kind: 'forget', ...summary },
    ...replaced.map(each => ({ kind: 'replaced', ...each })),
    ...left.map(each => ({ kind: 'left', ...each })),
  ]
  const body = Buffer.from(lines.map(line => `${JSON.stringify(line)}\n`).join(''))
  const state = report.isFinal ? 'final' : report.isComplete ? 'complete' : 'incomplete'
  const parts = [{ name: 'part-forgotten-0000', body, rows: lines.length }]
  return catalog.store(ref, { parts, who, why: `one user forgotten, ${state}: ${why}` })
}
