// An import withdrawn wholly: an empty batch becomes current under its name. What it superseded stays in the history of the
// partition, and a rollback brings the import back.
import { importPartition, IMPORTS_TABLE } from '../archive/history-tables.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { LogEntry } from '../catalog/items.ts'
import { MillraceError } from '../platform/errors.ts'
import { importInForce } from './import-history.ts'

export interface WithdrawOptions {
  readonly db: string
  readonly name: string
  readonly who: string
  readonly why: string
  readonly isDryRun?: boolean
}

export interface Withdrawal {
  readonly partition: string
  /** The batch that is in force no more. */
  readonly withdrawn: string
  /** The empty one; undefined in a dry run. */
  readonly batch: LogEntry | undefined
}

/** Throws MillraceError `import-not-found`, CatalogError, ObjectStoreError. */
export async function withdrawImport(catalog: Catalog, options: WithdrawOptions): Promise<Withdrawal> {
  const { db, name, who, why, isDryRun } = options
  const ref = { db, table: IMPORTS_TABLE, partition: importPartition(name) }
  const withdrawn = await importInForce(catalog, ref)
  if (withdrawn === undefined) {
    throw new MillraceError(`No import "${name}" is in force`, {
      code: 'import-not-found',
      next: `\`millrace table history ${db}.${IMPORTS_TABLE} ${ref.partition}\` shows what became of it, if it ever was.`,
    })
  }
  const batch = isDryRun === true ? undefined : await catalog.store(ref, { parts: [], who, why })
  return { partition: ref.partition, withdrawn, batch }
}
