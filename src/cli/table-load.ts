// `millrace table load`: the verified bytes of one batch, as files for DuckDB, pandas or Spark, in the format of the table or another one;
// or rows of it to look at, or to pipe on.
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Column, Row, RowValue } from '../catalog/columns.ts'
import { csvHead, csvLines } from '../catalog/csv-rows.ts'
import { ndjsonLines } from '../catalog/ndjson-rows.ts'
import { tableKey } from '../catalog/names.ts'
import { type RowFormatName, rowFormat } from '../catalog/row-formats.ts'
import { rowsOf, rowsOfPart } from '../catalog/table-rows.ts'
import { valuesChecksum } from '../catalog/values-checksum.ts'
import type { Json } from '../platform/canonical-json.ts'
import type { Command, CommandContext } from './command.ts'
import { CommandError, UsageError } from './errors.ts'
import { CHOICE_OPTIONS, chosenBatch, columnsOf, type FoundBatch } from './table-load-options.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

const LIMIT_DEFAULT = 10
const LIMIT_MAX = 100_000_000

/** As people call them. */
const FORMATS: Readonly<Record<string, RowFormatName>> = { csv: 'csv.gz', ndjson: 'ndjson.gz', parquet: 'parquet' }

export const command: Command = {
  name: 'table load',
  summary: 'Fetch and verify a batch of a partition: show rows, or write its files.',
  positionals: ['table', 'partition?'],
  options: {
    ...CHOICE_OPTIONS,
    columns: { type: 'string', value: 'NAMES', description: 'These columns only, with commas between.' },
    out: { type: 'string', value: 'FOLDER', description: 'Write the parts there, which must be a new or empty place.' },
    format: {
      type: 'string',
      value: 'NAME',
      description: 'csv, ndjson or parquet. With --out, of the files; without, csv and ndjson of all rows on stdout.',
    },
    limit: { type: 'string', value: 'N', description: `Without --out, show so many rows. Default: ${LIMIT_DEFAULT}.` },
    checksum: { type: 'boolean', description: 'Show the checksum of values, which every language computes alike.' },
    ...STAGE_OPTION,
  },
  async run(context, args) {
    const choose = chosenBatch(args)
    const [out, format] = [args.text('out'), formatOf(args.text('format'))]
    const limit = args.wholeNumber('limit', { min: 0, max: LIMIT_MAX })
    if (out === undefined && format === 'parquet')
      throw new UsageError('--format parquet is no text', 'Give --out, too.')
    if (out === undefined && format !== undefined && context.isJson) {
      throw new UsageError('--format and --json are two formats of one output', 'Give one of them, or --out.')
    }
    await withConnection(context, args, async ({ catalog }) => {
      const found = await choose(catalog)
      const columns = columnsOf(args, found.batch)
      noteSuccessor(context, found)
      if (args.flag('checksum')) await showChecksum(context, found, columns)
      else if (out !== undefined)
        await writeParts(context, found, { columns, format, folder: resolve(context.cwd, out) })
      else if (format !== undefined) await writeText(context, found, { columns, format, limit })
      else await showRows(context, found, { columns, limit: limit ?? LIMIT_DEFAULT })
    })
  },
}

function formatOf(text: string | undefined): RowFormatName | undefined {
  if (text === undefined) return undefined
  if (Object.hasOwn(FORMATS, text)) return FORMATS[text]
  throw new UsageError(`--format is "${text}"`, `Give one of ${Object.keys(FORMATS).join(', ')}.`)
}

/** Who reads by an anchor has asked for a batch that is gone since somebody was forgotten. */
function noteSuccessor({ stderr, isJson }: CommandContext, { batch: { successorOf, record } }: FoundBatch): void {
  if (successorOf === undefined || isJson) return
  stderr.write(`${record.batchId} is in the place of ${successorOf}, from which somebody was forgotten\n`)
}

function aboutOf({ ref, batch: { record, successorOf } }: FoundBatch) {
  const about = { table: tableKey(ref), partition: ref.partition, batchId: record.batchId }
  return successorOf === undefined ? about : { ...about, successorOf }
}

interface WriteOptions {
  readonly columns: readonly Column[] | undefined
  readonly format: RowFormatName | undefined
  readonly folder: string
}

/** As they are stored, with their manifest; those of other columns or another format are made anew, and no manifest is theirs. */
async function writeParts(
  context: CommandContext,
  found: FoundBatch,
  { columns, format, folder }: WriteOptions,
): Promise<void> {
  const { batch, words } = found
  const { manifest, record, manifestBytes } = batch
  const { parts, rows } = record
  const isAsStored = columns === undefined && (format === undefined || format === record.format)
  await mkdir(folder, { recursive: true })
  const progress = context.progress('Loading', parts)
  const wanted = columns ?? manifest.columns
  let bytes = 0
  for await (const part of batch.parts()) {
    const to = format ?? record.format
    const body = isAsStored
      ? part.body
      : rowFormat(manifest.table, { format: to, columns: wanted }).write(wanted, await rowsOfPart(batch, part, wanted))
    const name = isAsStored ? part.name : `${part.name.slice(0, part.name.indexOf('.'))}.${to}`
    await writeNewFile(join(folder, name), body)
    bytes += body.byteLength
    progress.advance(1)
  }
  if (isAsStored) await writeNewFile(join(folder, 'manifest.json'), manifestBytes)
  progress.done()
  context.result(
    { ...aboutOf(found), parts, rows, bytes, folder },
    () => `${parts} parts, ${rows} rows, ${bytes} bytes of ${words} in ${folder}`,
  )
}

/** Never over a file that is there: it may be another batch, half of which would stay. */
async function writeNewFile(path: string, body: Uint8Array): Promise<void> {
  try {
    await writeFile(path, body, { flag: 'wx' })
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    if (!isThere) throw error
    throw new CommandError(`${path} is there already`, {
      code: 'file-exists',
      next: 'Give --out an empty or a new folder.',
      cause: error,
    })
  }
}

interface TextOptions {
  readonly columns: readonly Column[] | undefined
  readonly format: RowFormatName
  readonly limit: number | undefined
}

/** Some rows at a time are one piece of text. */
const TEXT_ROWS = 1_000

async function writeText(context: CommandContext, { batch }: FoundBatch, { columns, format, limit }: TextOptions) {
  const wanted = columns ?? batch.manifest.columns
  const lines = format === 'csv.gz' ? csvLines : ndjsonLines
  let held: Row[] = []
  let count = 0
  if (format === 'csv.gz') context.stdout.write(csvHead(wanted))
  if (limit === 0) return
  for await (const row of rowsOf(batch, wanted)) {
    held.push(row)
    if (held.length >= TEXT_ROWS) {
      context.stdout.write(lines(wanted, held))
      held = []
    }
    if (++count === limit) break
  }
  context.stdout.write(lines(wanted, held))
}

async function showChecksum(
  context: CommandContext,
  found: FoundBatch,
  columns: readonly Column[] = found.batch.manifest.columns,
): Promise<void> {
  const { batch, words } = found
  const { rows } = batch.record
  const checksum = await valuesChecksum(columns, rowsOf(batch, columns))
  context.result({ ...aboutOf(found), rows, checksum }, () => `${checksum}  ${rows} rows of ${words}`)
}

interface ShowOptions {
  readonly columns: readonly Column[] | undefined
  readonly limit: number
}

async function showRows(context: CommandContext, found: FoundBatch, { columns, limit }: ShowOptions) {
  const { batch, words } = found
  const total = batch.record.rows
  const rows: Row[] = []
  if (limit > 0) {
    for await (const row of rowsOf(batch, columns)) {
      rows.push(row)
      if (rows.length >= limit) break
    }
  }
  const shown = rows.map(toJson)
  context.result({ ...aboutOf(found), total, rows: shown }, () => [
    ...shown.map(row => JSON.stringify(row)),
    `${rows.length} of ${total} rows of ${words}`,
  ])
}

/** Integers beyond 2^53 as decimal text, which is what JSON can carry; in lists and maps too. */
function toJson(row: Row): Record<string, Json> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]))
}

function plain(value: RowValue): Json {
  const text = JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? String(member) : member))
  return JSON.parse(text) as Json
}
