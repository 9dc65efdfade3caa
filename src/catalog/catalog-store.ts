// The port for the catalogue's items: a sorted table of immutable JSON items. There is no overwrite, so pointer and audit
// are one thing, and what two writers both want goes to the first.
import type { Json } from '../platform/canonical-json.ts'

export interface CatalogItem {
  /** `db.table` */
  readonly table: string
  /** Sort key, see layout. */
  readonly sk: string
  readonly attributes: Readonly<Record<string, Json>>
}

export interface ListOptions {
  /** Highest sort key first. */
  readonly isNewestFirst?: boolean
  /** Reads no more than this from the store. */
  readonly limit?: number
}

/** Implementations: dynamodb-catalog-store, and the in-memory fake of the tests; one contract suite. Throws CatalogError. */
export interface CatalogStore {
  /** Creates the item, or says that its keys are taken and leaves what is there. */
  create(item: CatalogItem): Promise<'created' | 'exists'>
  /** Strongly consistent. */
  get(table: string, sk: string): Promise<CatalogItem | undefined>
  /** Items of the table whose sort key starts with the prefix, in sort key order; strongly consistent, paged. */
  list(table: string, prefix: string, options?: ListOptions): AsyncIterable<CatalogItem>
}
