// What the catalogue answers to GETs: tables, partitions, history, and one batch with a URL for each of its parts.
import { choosePartition } from '../catalog/choose-partition.ts'
import { CatalogError } from '../catalog/errors.ts'
import type { TableSchema } from '../catalog/items.ts'
import { type TableRef, tableKey } from '../catalog/names.ts'
import { parseRfc3339Ms } from '../event/event-time.ts'
import type { CatalogHttpDeps, TableRequest } from './catalog-http.ts'
import { isOfAuthorizer } from './http.ts'

/** Long enough to fetch a few hundred parts over a slow line, short enough for what a log or a screenshot shows. */
export const URL_SECONDS = 3_600
/** A URL has some 1.5 KB, and Lambda lets 6 MB out. */
const PARTS_MAX = 1_000
const HISTORY_MAX = 1_000

export async function answerTables({ catalog }: CatalogHttpDeps): Promise<unknown> {
  const tables = await catalog.tables()
  return { tables: tables.map(tableKey) }
}

export async function answerTable({ catalog }: CatalogHttpDeps, { request, ref }: TableRequest): Promise<unknown> {
  knownParameters(request.query, [])
  const schema = await existingSchema(catalog, ref)
  const partitions = await catalog.partitions(ref)
  return {
    table: tableKey(ref),
    ...schema,
    partitions: partitions.map(({ partition, entry }) => ({ partition, current: entry })),
  }
}

export async function answerHistory({ catalog }: CatalogHttpDeps, { request, ref }: TableRequest): Promise<unknown> {
  const query = knownParameters(request.query, ['partition'])
  const { ref: at } = await choosePartition(catalog, { ...ref, partition: query.get('partition') })
  return {
    table: tableKey(ref),
    partition: at.partition,
    entries: await catalog.history(at, { limit: HISTORY_MAX }),
  }
}

/** Without a partition the newest one, without a choice what is current there; `firstPart` goes on where `nextPart` says. */
export async function answerBatch(
  { catalog, urls, clock }: CatalogHttpDeps,
  { request, ref }: TableRequest,
): Promise<unknown> {
  const query = knownParameters(request.query, ['partition', 'batchId', 'anchor', 'asOf', 'firstPart'])
  const place = { ...ref, partition: query.get('partition') }
  const choice = { batchId: query.get('batchId'), anchor: query.get('anchor'), asOfMs: instantOf(query.get('asOf')) }
  const { ref: at, entry: chosen } = await choosePartition(catalog, place, choice)
  const { entry, record, manifest } = await catalog.load(at, chosen.batchId)
  const first = wholeOf(query.get('firstPart'))
  const shown = manifest.parts.slice(first, first + PARTS_MAX)
  const next = first + shown.length
  const parts = await Promise.all(
    shown.map(async part => ({ ...part, url: await urls.get(`${record.location}${part.name}`, URL_SECONDS) })),
  )
  const { format, columns, inputs, properties, createdAt } = manifest
  return {
    table: tableKey(ref),
    partition: at.partition,
    batchId: record.batchId,
    entry,
    createdAt,
    format,
    columns,
    rows: record.rows,
    bytes: record.bytes,
    inputs,
    ...(properties === undefined ? {} : { properties }),
    ...(record.anchors === undefined ? {} : { anchors: Object.keys(record.anchors) }),
    partCount: manifest.parts.length,
    parts,
    ...(next < manifest.parts.length ? { nextPart: next } : {}),
    urlsEndAtMs: clock() + URL_SECONDS * 1000,
  }
}

/** Throws CatalogError `table-not-found`. */
export async function existingSchema(catalog: CatalogHttpDeps['catalog'], ref: TableRef): Promise<TableSchema> {
  const schema = await catalog.schema(ref)
  if (schema !== undefined) return schema
  throw new CatalogError(`There is no table ${tableKey(ref)}`, {
    code: 'table-not-found',
    next: 'Check the name; GET /catalog/tables lists them.',
    table: tableKey(ref),
  })
}

function knownParameters(query: ReadonlyMap<string, string>, known: readonly string[]): ReadonlyMap<string, string> {
  const unknown = [...query.keys()].find(name => !known.includes(name) && !isOfAuthorizer(name))
  if (unknown === undefined) return query
  throw new CatalogError(`The query has ${JSON.stringify(unknown)}, which this route does not know`, {
    code: 'request-invalid',
    next: known.length === 0 ? 'Leave the query out.' : `It takes ${known.join(', ')}.`,
  })
}

function instantOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const instantMs = parseRfc3339Ms(text)
  if (instantMs !== undefined) return instantMs
  throw new CatalogError(`asOf is ${JSON.stringify(text)}`, {
    code: 'request-invalid',
    next: 'Write it as 2026-01-02T03:04:05Z.',
  })
}

function wholeOf(text: string | undefined): number {
  if (text === undefined) return 0
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new CatalogError(`firstPart is ${JSON.stringify(text)}`, { code: 'request-invalid', next: 'Give nextPart.' })
}
