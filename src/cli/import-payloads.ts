// Files of history as upstream's own JSON, whatever their format, one event at a time. NDJSON and JSON are upstream's already and go
// through as they are, with the type added where they have none.
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type { EventContract } from '../event/contract.ts'
import { isContainer, type Path, splitPath, valueAt, withValue } from '../event/payload-path.ts'
import { parseStrictJson } from '../event/strict-json.ts'
import { csvRecords, csvText } from './csv.ts'
import { UsageError } from './errors.ts'
import { openParquetFile } from './parquet-file.ts'
import { fileError, readPayloads } from './read-events-file.ts'
import { rowPayloads, type RowShape } from './row-payload.ts'

export interface ImportFiles {
  readonly payloads: AsyncIterable<Uint8Array>
  /** Of the payload that came last: `orders.csv, row 12`. */
  readonly where: () => string
}

export interface ImportFilesOptions {
  readonly contract: EventContract
  readonly typePath: string
  /** By field, `id`, `user`, `time` or path: the column. */
  readonly columnOf: ReadonlyMap<string, string>
}

/** Throws CommandError. */
export function readImportFiles(paths: readonly string[], options: ImportFilesOptions): ImportFiles {
  let [current, row] = ['', 0]
  async function* payloads(): AsyncGenerator<Uint8Array> {
    for (const path of paths) {
      ;[current, row] = [path, 0]
      for await (const { number, payload } of payloadsOf(path, options)) {
        row = number
        yield payload
      }
    }
  }
  return { payloads: payloads(), where: () => `${current}, row ${row}` }
}

interface Numbered {
  /** From 1, without the header. */
  readonly number: number
  readonly payload: Uint8Array
}

function payloadsOf(path: string, options: ImportFilesOptions): AsyncIterable<Numbered> {
  if (path.endsWith('.parquet')) return parquetPayloads(path, options)
  return /\.csv(\.gz)?$/.test(path) ? csvPayloads(path, options) : jsonPayloads(path, options)
}

async function* parquetPayloads(path: string, options: ImportFilesOptions): AsyncGenerator<Numbered> {
  const { columns, rows } = await openParquetFile(path)
  const toPayload = rowPayloads(shapeOf(path, columns, { ...options, isText: false }))
  let number = 0
  for await (const cells of rows()) yield { number: ++number, payload: toPayload(cells) }
}

async function* csvPayloads(path: string, options: ImportFilesOptions): AsyncGenerator<Numbered> {
  let toPayload: ((cells: readonly unknown[]) => Uint8Array) | undefined
  let number = 0
  try {
    for await (const record of csvRecords(csvText(bytesOf(path)))) {
      if (toPayload === undefined) toPayload = rowPayloads(shapeOf(path, record, { ...options, isText: true }))
      else yield { number: ++number, payload: toPayload(record) }
    }
  } catch (error) {
    throw fileError(path, error)
  }
}

function shapeOf(
  path: string,
  columns: readonly string[],
  options: ImportFilesOptions & Pick<RowShape, 'isText'>,
): RowShape {
  for (const column of options.columnOf.values()) {
    if (columns.includes(column)) continue
    throw new UsageError(`${path} has no column "${column}"`, `It has ${columns.join(', ')}.`)
  }
  return { ...options, columns }
}

function bytesOf(path: string): AsyncIterable<Uint8Array> {
  const file = createReadStream(path)
  if (!path.endsWith('.gz')) return file
  const gunzip = createGunzip()
  // What fails destroys both; the reader of `gunzip` throws it.
  pipeline(file, gunzip).catch((error: unknown) => gunzip.destroy(error instanceof Error ? error : undefined))
  return gunzip
}

async function* jsonPayloads(
  path: string,
  { contract, typePath, columnOf }: ImportFilesOptions,
): AsyncGenerator<Numbered> {
  if (columnOf.size > 0) {
    throw new UsageError(`${path} has no columns that --map could name`, 'The contract says where members of JSON are.')
  }
  const typeAt = splitPath(typePath)
  for await (const { line, payload } of readPayloads(path)) {
    yield { number: line, payload: withType(payload, typeAt, contract.type) }
  }
}

const FIRST_OF_JSON = /^\s*\{/

/**
 * The type is written before all other members, which stay byte for byte what upstream wrote: read and written again, a number
 * might lose digits. What is no object, or none that the decoder takes, goes through for the decoder to refuse.
 */
function withType(payload: Uint8Array, typeAt: Path, type: string): Uint8Array {
  const parsed = parseStrictJson(payload)
  if ('reason' in parsed) return payload
  const { value } = parsed
  if (!isContainer(value) || valueAt(value, typeAt) !== undefined) return payload
  const typed = withValue({}, typeAt, type)
  if (Object.hasOwn(value, typeAt[0])) {
    const changed = withValue(value, typeAt, type)
    return changed === undefined ? payload : Buffer.from(JSON.stringify(changed))
  }
  const rest = Buffer.from(payload).toString('utf8').replace(FIRST_OF_JSON, '')
  const first = JSON.stringify(typed).slice(0, -1)
  return Buffer.from(Object.keys(value).length === 0 ? first + rest : `${first},${rest}`)
}
