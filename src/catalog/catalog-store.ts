// The port for the catalogue's items: a sorted table of JSON items. What says which batch is current is created once and never
// overwritten, so pointer and audit are one thing, and what two writers both want goes to the first.
import type { Json } from '../platform/canonical-json.ts'

export interface CatalogItem {
  /** `db.table` */
  readonly table: string
  /** Sort key, see layout. */
  readonly sk: string
  readonly attributes: Readonly<Record<string, Json>>
}

/** Of DynamoDB's TransactWriteItems (Amazon DynamoDB developer guide, "Service quotas"). */
export const TRANSACTION_ITEMS_MAX = 100

export interface ListOptions {
  /** Highest sort key first. */
  readonly isNewestFirst?: boolean
  /** Reads no more than this from the store. */
  readonly limit?: number
}

/** Implementations: dynamodb-catalog-store, and the in-memory fake of the tests; one contract suite. Throws CatalogError. */
export interface CatalogStore {
  /**
   * Creates the item, or says that its keys are taken and leaves what is there. Throws CatalogError `catalog-contended` where a
   * createAll was at them at that very moment.
   */
  create(item: CatalogItem): Promise<'created' | 'exists'>
  /**
   * Creates all of them, or says that keys of some are taken and creates none. At most TRANSACTION_ITEMS_MAX. Throws CatalogError
   * `transactions-unavailable` where the store cannot, `catalog-contended` where others were at the same keys at that very moment: then
   * it created none.
   */
  createAll(items: readonly CatalogItem[]): Promise<'created' | 'exists'>
  /** Whether createAll would do its work for the table, with nothing written. Throws CatalogError `transactions-unavailable`. */
  checkTransactions(table: string): Promise<void>
  /**
   * Puts the item in the place of the one whose attribute `revision` is the one before its own (absent is 0), which it must carry; a
   * batch item only: who relies on it, and whether its bytes are there. `changed`: somebody else was first, or there is none.
   */
  replace(item: CatalogItem & { readonly attributes: { readonly revision: number } }): Promise<'replaced' | 'changed'>
  /** Strongly consistent. */
  get(table: string, sk: string): Promise<CatalogItem | undefined>
  /** Items of the table whose sort key starts with the prefix, in sort key order; strongly consistent, paged. */
  list(table: string, prefix: string, options?: ListOptions): AsyncIterable<CatalogItem>
  /** Every table that has a first schema, as `db.table`, in code point order: by reading the keys of all items, page by page. */
  tables(): Promise<readonly string[]>
}
