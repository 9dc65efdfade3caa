// Writing a batch over HTTP: the table is defined, URLs are asked for the parts, the parts are put to S3, and a commit makes them
// current. The same steps as any writer's, so that one who stops between them leaves what nobody sees.
import * as z from 'zod/mini'
import { newBatchId } from '../catalog/batch-id.ts'
import { type Column, columnType } from '../catalog/columns.ts'
import { CatalogError } from '../catalog/errors.ts'
import type { TableSchema } from '../catalog/items.ts'
import { batchLocation, partFileName } from '../catalog/layout.ts'
import { type PartitionRef, tableKey, type TableRef } from '../catalog/names.ts'
import { partitionName, type PartitionValues } from '../catalog/partition-name.ts'
import { contentTypeOf } from '../catalog/upload-parts.ts'
import type { Json } from '../platform/canonical-json.ts'
import type { CatalogHttpDeps, TableRequest } from './catalog-http.ts'
import { existingSchema, URL_SECONDS } from './catalog-reads.ts'

/** Of one batch, by this way: the answer has a URL for each. */
const PARTS_MAX = 1_000
/** Before the commit each part is read and its rows are counted: a few are in memory at once, and all of it is done within one request. */
const PART_BYTES_MAX = 64 * 1024 ** 2
const BATCH_BYTES_MAX = 512 * 1024 ** 2

const text = z.string()
const whole = z.number().check(z.int(), z.gte(0))
const values = z.union([z.array(z.union([text, z.number()])), z.record(text, z.union([text, z.number()]))])
const sha256 = z.string().check(z.regex(/^[0-9a-f]{64}$/))
const bytes = z.number().check(z.int(), z.gte(1), z.lte(PART_BYTES_MAX))
const part = z.object({ bytes, rows: whole, sha256 })
const reason = { who: text, why: text }

const tableBody = z.object({
  columns: z.array(z.object({ name: text, type: columnType })),
  format: z.optional(z.enum(['parquet', 'ndjson.gz', 'csv.gz'])),
  partitionKeys: z.optional(z.array(text)),
  owner: text,
  about: z.optional(text),
})

const uploadsBody = z.object({ partitions: values, parts: z.array(part).check(z.maxLength(PARTS_MAX)) })

const commitBody = z.object({
  partition: text,
  batchId: text,
  parts: z.array(z.extend(part, { name: text })).check(z.maxLength(PARTS_MAX)),
  inputs: z.optional(z.array(z.object({ table: text, partition: text, batchId: text }))),
  properties: z.optional(z.record(text, z.unknown())),
  ...reason,
})

const rollbackBody = z.object({ partition: text, to: text, ...reason })

/** Makes the table, or adds to it the columns that it does not have; a writer of a few columns takes none away. */
export async function putTable(deps: CatalogHttpDeps, { request, ref }: TableRequest): Promise<unknown> {
  refuseReserved(deps, ref)
  const { format = 'parquet', ...wanted } = read(tableBody, request.body)
  const before = await deps.catalog.schema(ref)
  const schema: TableSchema =
    before === undefined ? { ...wanted, format } : withColumns(before, wanted.columns, wanted.partitionKeys)
  const outcome = await deps.catalog.createTable(ref, schema)
  return { table: tableKey(ref), outcome, ...schema }
}

/** A batch ID, and for each part where and how it is put. Nothing is written yet. */
export async function planUploads(deps: CatalogHttpDeps, { request, ref }: TableRequest): Promise<unknown> {
  refuseReserved(deps, ref)
  const { partitions, parts } = read(uploadsBody, request.body)
  refuseTooBig(ref, parts)
  const schema = await existingSchema(deps.catalog, ref)
  const partition = partitionName(ref, schema, partitions as PartitionValues)
  const nowMs = deps.clock()
  const batchId = newBatchId(nowMs, deps.random)
  const location = batchLocation({ ...ref, partition }, batchId)
  const contentType = contentTypeOf(schema.format)
  const uploads = await Promise.all(
    parts.map(async ({ rows, ...object }, index) => {
      const name = partFileName(undefined, index, schema.format)
      const created = await deps.urls.create(`${location}${name}`, { ...object, contentType }, URL_SECONDS)
      return { name, rows, ...object, ...created }
    }),
  )
  return {
    table: tableKey(ref),
    partition,
    batchId,
    columns: schema.columns,
    parts: uploads,
    urlsEndAtMs: nowMs + URL_SECONDS * 1000,
  }
}

/** Makes the parts current that were put; each is looked at first. */
export async function commitUploads(deps: CatalogHttpDeps, { request, ref }: TableRequest): Promise<unknown> {
  refuseReserved(deps, ref)
  const { partition, properties, ...input } = read(commitBody, request.body)
  refuseTooBig(ref, input.parts)
  const at: PartitionRef = { ...ref, partition }
  const entry = await deps.catalog.commitParts(at, await existingSchema(deps.catalog, ref), {
    ...input,
    inputs: input.inputs ?? [],
    // A caller that heard no answer says it again.
    isOnce: true,
    ...(properties === undefined ? {} : { properties: () => properties as Record<string, Json> }),
  })
  return { table: tableKey(ref), partition, entry }
}

export async function rollBack(deps: CatalogHttpDeps, { request, ref }: TableRequest): Promise<unknown> {
  refuseReserved(deps, ref)
  const { partition, ...input } = read(rollbackBody, request.body)
  return { table: tableKey(ref), partition, entry: await deps.catalog.rollback({ ...ref, partition }, input) }
}

function withColumns(
  before: TableSchema,
  wanted: readonly Column[],
  partitionKeys: readonly string[] | undefined,
): TableSchema {
  const had = new Set(before.columns.map(({ name }) => name))
  const types = new Map(wanted.map(({ name, type }) => [name, type]))
  const columns = [
    // With the type that is wanted now: another one than before is refused with the reason.
    ...before.columns.map(({ name, type }) => ({ name, type: types.get(name) ?? type })),
    ...wanted.filter(({ name }) => !had.has(name)),
  ]
  return { ...before, columns, ...(partitionKeys === undefined ? {} : { partitionKeys }) }
}

function refuseTooBig(ref: TableRef, parts: readonly { readonly bytes: number }[]): void {
  const total = parts.reduce((sum, part) => sum + part.bytes, 0)
  if (total <= BATCH_BYTES_MAX) return
  throw new CatalogError(`A batch of ${total} bytes is too big to be stored over HTTP: ${BATCH_BYTES_MAX} at most`, {
    code: 'request-invalid',
    next: 'Store it with the Python client, the command or TypeScript, which have no such limit.',
    table: tableKey(ref),
  })
}

function refuseReserved({ reserved }: CatalogHttpDeps, ref: TableRef): void {
  const table = tableKey(ref)
  if (!reserved.has(ref.db) && !reserved.has(table)) return
  throw new CatalogError(`The table ${table} is written by Millrace itself`, {
    code: 'table-reserved',
    next: 'Store into a database of your own; models are published by `millrace model publish`.',
    table,
  })
}

function read<T>(shape: z.ZodMiniType<T>, body: Uint8Array): T {
  const parsed = shape.safeParse(parseJson(body))
  if (parsed.success) return parsed.data
  const where = [...new Set(parsed.error.issues.map(issue => issue.path.join('.') || 'the whole'))]
  throw new CatalogError(`The body is not what this route takes: ${where.join(', ')}`, {
    code: 'request-invalid',
    next: 'See docs/openapi.json for it.',
  })
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    return undefined
  }
}
