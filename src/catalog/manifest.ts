// What a batch consists of, written once beside its parts: whoever has the bucket can read and verify the batch without the
// catalogue. Its own hash is in the batch item, so nothing of a batch can change unseen.
import * as z from 'zod/mini'
import { toRfc3339 } from '../platform/clock.ts'
import { type Column, columnType } from './columns.ts'
import { CatalogError } from './errors.ts'
import type { BatchInput } from './items.ts'

export const MANIFEST_FORMAT_VERSION = 1

export interface ManifestPart {
  /** File name inside the batch's location. */
  readonly name: string
  readonly bytes: number
  readonly rows: number
  readonly sha256: string
}

export interface Manifest {
  readonly formatVersion: typeof MANIFEST_FORMAT_VERSION
  /** `db.table` */
  readonly table: string
  readonly partition: string
  readonly batchId: string
  /** When the batch was begun, RFC 3339: people open this file. */
  readonly createdAt: string
  readonly who: string
  readonly why: string
  readonly format: string
  readonly columns: readonly Column[]
  readonly inputs: readonly BatchInput[]
  /** Objects outside the catalogue whose content is in this batch, by key: what a reader need not read beside it. */
  readonly contains?: readonly string[] | undefined
  /** What else defines the content or was counted while it was made, in its maker's own words. */
  readonly properties?: Readonly<Record<string, unknown>> | undefined
  readonly parts: readonly ManifestPart[]
}

const whole = z.number().check(z.int(), z.gte(0))

const manifestSchema = z.object({
  formatVersion: z.literal(MANIFEST_FORMAT_VERSION),
  table: z.string(),
  partition: z.string(),
  batchId: z.string(),
  createdAt: z.string(),
  who: z.string(),
  why: z.string(),
  format: z.string(),
  columns: z.array(z.object({ name: z.string(), type: columnType })),
  inputs: z.array(z.object({ table: z.string(), partition: z.string(), batchId: z.string() })),
  contains: z.optional(z.array(z.string())),
  properties: z.optional(z.record(z.string(), z.unknown())),
  // A reader may make a file of this name.
  parts: z.array(
    z.object({ name: z.string().check(z.regex(/^part-[a-z0-9.-]+$/)), bytes: whole, rows: whole, sha256: z.string() }),
  ),
})

/** Of a batch that came in the place of another one from which somebody was forgotten: that one. */
export function forgottenFrom({ properties }: Pick<Manifest, 'properties'>): string | undefined {
  const forgotten = properties?.['forgotten'] as { readonly batchId?: unknown } | null | undefined
  return typeof forgotten?.batchId === 'string' ? forgotten.batchId : undefined
}

export type ManifestContent = Omit<Manifest, 'formatVersion' | 'createdAt'> & { readonly createdAtMs: number }

export function encodeManifest({ createdAtMs, ...content }: ManifestContent): Uint8Array {
  const { table, partition, batchId, who, why, format, columns, inputs, contains, properties, parts } = content
  const manifest: Manifest = {
    formatVersion: MANIFEST_FORMAT_VERSION,
    table,
    partition,
    batchId,
    createdAt: toRfc3339(createdAtMs),
    who,
    why,
    format,
    columns,
    inputs,
    ...(contains === undefined ? {} : { contains }),
    ...(properties === undefined ? {} : { properties }),
    parts,
  }
  return new TextEncoder().encode(`${JSON.stringify(manifest, undefined, 2)}\n`)
}

/** Throws CatalogError `manifest-invalid`. */
export function decodeManifest(bytes: Uint8Array, key: string): Manifest {
  const parsed = manifestSchema.safeParse(parseJson(bytes))
  if (parsed.success) return parsed.data
  const where = parsed.error.issues.map(issue => issue.path.join('.') || 'the whole').join(', ')
  throw new CatalogError(`The manifest ${key} is not one of format version ${MANIFEST_FORMAT_VERSION}: ${where}`, {
    code: 'manifest-invalid',
    next: 'Read it with the release that wrote it, or roll the partition back.',
  })
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
}
