// The catalogue's items as code sees them, and the check of what comes back from the store. Attributes that this code does
// not know are left alone, so a later release may add some.
import * as z from 'zod/mini'
import type { Json } from '../platform/canonical-json.ts'
import type { CatalogItem } from './catalog-store.ts'
import { type Column, columnType } from './columns.ts'
import { CatalogError } from './errors.ts'
import { logNumberOf } from './layout.ts'

export interface TableSchema {
  /** Empty where a part is one opaque file, as a model's is. */
  readonly columns: readonly Column[]
  /** Also the file extension of a part: `parquet`, `zip`, `ndjson.gz`. */
  readonly format: string
  readonly owner: string
  readonly about?: string | undefined
  /** In this order, as in `year=2026/country=de`; without them a partition has any name. They never change. */
  readonly partitionKeys?: readonly string[] | undefined
}

/** A batch that went into the making of another one. */
export interface BatchInput {
  readonly table: string
  readonly partition: string
  readonly batchId: string
}

export interface BatchRecord {
  readonly batchId: string
  /** Prefix of its objects, with the slash. */
  readonly location: string
  readonly format: string
  readonly parts: number
  readonly rows: number
  readonly bytes: number
  readonly manifestKey: string
  readonly manifestSha256: string
  /** The first thousand; all of them are in the manifest. */
  readonly inputs: readonly BatchInput[]
  /** `cold`: the bytes were moved where a reader has to ask for them first; `purged`: they are gone. */
  readonly state: (typeof BATCH_STATES)[number]
  readonly at: number
  readonly who: string
  /** By name: who relies on this very batch, so that retention leaves it alone. */
  readonly anchors?: Readonly<Record<string, Note>> | undefined
  /** Of anchors that were released, newest first. */
  readonly released?: readonly ReleasedAnchor[] | undefined
  /** Who lets the bytes go. Nobody may rely on them from then on, though they are there until `state` says that they are not. */
  readonly purged?: Note | undefined
  /** The batch that has its other rows, where somebody was forgotten. */
  readonly successor?: string | undefined
  /** When the last of its objects was removed, ms; in the item of the partition that its location names, as `heldAt` is. */
  readonly removedAt?: number | undefined
  /** When somebody was about to make it current somewhere, or to anchor it, ms: it is not purged for an hour. */
  readonly heldAt?: number | undefined
  /** How often this item was replaced, for a compare-and-set; absent: never. */
  readonly revision?: number | undefined
}

export const BATCH_STATES = ['hot', 'cold', 'purged'] as const

/** Who did something, when and why. */
export interface Note {
  readonly at: number
  readonly who: string
  readonly why: string
}

export interface ReleasedAnchor {
  readonly anchor: string
  readonly set: Note
  readonly released: Note
}

export const COMMIT_KINDS = ['commit', 'rollback', 'promote'] as const

export interface LogEntry {
  /** From 1; the highest is current. */
  readonly number: number
  readonly kind: (typeof COMMIT_KINDS)[number]
  readonly batchId: string
  readonly at: number
  readonly who: string
  readonly why: string
  /** Names this very write, so that its own repetition is told from another's. */
  readonly token: string
}

/** Why a batch must not be used again. */
export interface Yank {
  readonly batchId: string
  readonly at: number
  readonly who: string
  readonly why: string
}

/** Which batch an idempotency key stands for in a partition. */
export interface Claim {
  readonly batchId: string
  /** The newest number of the log when it was made: the batch is in none of the entries until then. */
  readonly after: number
  /** SHA-256 of the partitions that are stored together with this one; absent: none. */
  readonly together?: string | undefined
  readonly at: number
  readonly who: string
}

const whole = z.number().check(z.int(), z.gte(0))
const note = z.object({ at: whole, who: z.string(), why: z.string() })
const column = z.object({ name: z.string(), type: columnType })

const schemaAttributes = z.object({
  columns: z.array(column),
  format: z.string(),
  owner: z.string(),
  about: z.optional(z.string()),
  partitionKeys: z.optional(z.array(z.string())),
})

const batchAttributes = z.object({
  batchId: z.string(),
  location: z.string(),
  format: z.string(),
  parts: whole,
  rows: whole,
  bytes: whole,
  manifestKey: z.string(),
  manifestSha256: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  inputs: z.array(z.object({ table: z.string(), partition: z.string(), batchId: z.string() })),
  state: z.enum(BATCH_STATES),
  at: whole,
  who: z.string(),
  anchors: z.optional(z.record(z.string(), note)),
  released: z.optional(z.array(z.object({ anchor: z.string(), set: note, released: note }))),
  purged: z.optional(note),
  successor: z.optional(z.string()),
  removedAt: z.optional(whole),
  heldAt: z.optional(whole),
  revision: z.optional(whole),
})

const logAttributes = z.object({
  kind: z.enum(COMMIT_KINDS),
  batchId: z.string(),
  at: whole,
  who: z.string(),
  why: z.string(),
  token: z.string(),
})

const yankAttributes = z.object({ batchId: z.string(), at: whole, who: z.string(), why: z.string() })

const claimAttributes = z.object({
  batchId: z.string(),
  after: whole,
  together: z.optional(z.string()),
  at: whole,
  who: z.string(),
})

export function toAttributes(
  value: TableSchema | BatchRecord | Yank | Claim | Omit<LogEntry, 'number'>,
): Record<string, Json> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined))
}

/** These throw CatalogError `catalog-item-corrupt`. */
export function readSchema(item: CatalogItem): TableSchema {
  return read(schemaAttributes, item)
}

export function readBatchRecord(item: CatalogItem): BatchRecord {
  return read(batchAttributes, item)
}

export function readYank(item: CatalogItem): Yank {
  return read(yankAttributes, item)
}

export function readClaim(item: CatalogItem): Claim {
  return read(claimAttributes, item)
}

export function readLogEntry(item: CatalogItem, partition: string): LogEntry {
  const number = logNumberOf(partition, item.sk)
  if (number === undefined) throw corrupt(item, 'its number')
  return { number, ...read(logAttributes, item) }
}

function read<T>(schema: z.ZodMiniType<T>, item: CatalogItem): T {
  const parsed = schema.safeParse(item.attributes)
  if (parsed.success) return parsed.data
  const paths = parsed.error.issues.map(issue => issue.path.join('.'))
  throw corrupt(item, paths.join(', '))
}

function corrupt({ table, sk }: CatalogItem, what: string): CatalogError {
  return new CatalogError(`The catalogue item ${table} ${sk} is not of its layout: ${what}`, {
    code: 'catalog-item-corrupt',
    next: 'Compare it with docs/catalog.md; it was written by something else than Millrace or by a newer release.',
    table,
  })
}
