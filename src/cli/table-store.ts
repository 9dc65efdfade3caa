// `millrace table store`: a file of this machine as a new batch of a table, which readers see once all of it is there.
import { resolve } from 'node:path'
import type { Catalog } from '../catalog/catalog.ts'
import { checkColumns, type Column, type ColumnType, type Row } from '../catalog/columns.ts'
import type { TableSchema } from '../catalog/items.ts'
import { checkPartition, parseTableName, type PartitionRef, tableKey, type TableRef } from '../catalog/names.ts'
import { checkPartitionKeys, partitionName, refuseOtherKeys } from '../catalog/partition-name.ts'
import { refuseReservedTable } from '../catalog/reserved-tables.ts'
import { ROW_FORMATS, rowFormat } from '../catalog/row-formats.ts'
import { PART_ROWS_MAX, rowParts, storeRows } from '../catalog/table-rows.ts'
import { tableNotFound } from '../catalog/table-schema.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { CommandError, UsageError } from './errors.ts'
import { givenTypes, otherColumns } from './infer-columns.ts'
import type { Progress } from './progress.ts'
import { openTableFile, type TableFile } from './table-file.ts'
import { asUsage, describeEntry, REASON_OPTIONS, reasonOf } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

export const command: Command = {
  name: 'table store',
  summary: 'Store a CSV, NDJSON or Parquet file as a new batch of a partition.',
  positionals: ['file', 'table', 'partition?'],
  options: {
    key: {
      type: 'string',
      value: 'K=V',
      multiple: true,
      description: 'Instead of the partition: the value of a partition key, once for each.',
    },
    create: {
      type: 'boolean',
      description: 'Make the table if there is none, or add the columns that it does not have.',
    },
    type: {
      type: 'string',
      value: 'C=TYPE',
      multiple: true,
      description: 'The type of a new column. Default: what its values let guess.',
    },
    format: {
      type: 'string',
      value: 'NAME',
      description: `Of a new table: ${ROW_FORMATS.join(', ')}. Default: parquet.`,
    },
    owner: { type: 'string', value: 'NAME', description: 'Of a new table. Default: who stores.' },
    about: { type: 'string', value: 'TEXT', description: 'What is in a new table.' },
    'idempotency-key': {
      type: 'string',
      value: 'KEY',
      description: 'The same key gives the same batch, however often it is stored.',
    },
    ...REASON_OPTIONS,
    ...STAGE_OPTION,
  },
  changesThings: true,
  async run(context, args) {
    const table = asUsage(() => parseTableName(args.positional('table')))
    const types = givenTypes(args.texts('type'))
    const file = await openTableFile(resolve(context.cwd, args.positional('file')))
    await withConnection(context, args, async ({ catalog }, { name: pipeline }) => {
      refuseReservedTable(table, pipeline)
      const plan = await planStore(context, args, { catalog, table, types, file })
      if (context.isDryRun) await describePlan(context, plan, file)
      else await store(context, args, { catalog, plan, file })
    })
  },
}

interface StorePlan {
  readonly ref: PartitionRef
  readonly schema: TableSchema
  /** What becomes of the table's definition. */
  readonly change: 'created' | 'changed' | 'exists'
  /** Of the file. */
  readonly columns: readonly Column[]
  readonly rows: number
}

interface Asked {
  readonly catalog: Catalog
  readonly table: TableRef
  readonly types: ReadonlyMap<string, ColumnType>
  readonly file: TableFile
}

async function planStore(
  context: CommandContext,
  args: CommandArguments,
  { catalog, table, types, file }: Asked,
): Promise<StorePlan> {
  const before = await catalog.schema(table)
  const isCreated = args.flag('create')
  if (before === undefined && !isCreated) {
    throw new CommandError(tableNotFound(table).message, {
      code: 'table-not-found',
      next: 'Give --create to make it of the columns of the file; --dry-run shows them first.',
    })
  }
  const known = new Map([...(before?.columns.map(({ name, type }) => [name, type] as const) ?? []), ...types])
  const keys = keysOf(args)
  const wanted = before ?? newSchema(context, args, [...keys.keys()])
  // Before the file is read, which may take minutes.
  const ref = partitionOf(table, wanted, { keys, name: args.optionalPositional('partition') })
  const { columns, rows } = await file.look(known)
  const plan = { ref, columns, rows }
  if (before === undefined) return { ...plan, schema: checked({ ...wanted, columns }), change: 'created' }
  const names = new Set(before.columns.map(({ name }) => name))
  const added = columns.filter(({ name }) => !names.has(name))
  if (added.length === 0) return { ...plan, schema: before, change: 'exists' }
  if (!isCreated)
    throw (
      otherColumns(
        added.map(({ name }) => name),
        before.columns,
      ) ?? new Error('no other column')
    )
  return { ...plan, schema: checked({ ...before, columns: [...before.columns, ...added] }), change: 'changed' }
}

/** What the catalogue would say of it, before the rows are looked at. */
function checked(schema: TableSchema): TableSchema {
  checkColumns(schema.columns)
  return schema
}

function newSchema(context: CommandContext, args: CommandArguments, keys: readonly string[]): TableSchema {
  const format = args.text('format') ?? 'parquet'
  if (!ROW_FORMATS.some(name => name === format)) {
    throw new UsageError(`--format is "${format}"`, `Give one of ${ROW_FORMATS.join(', ')}.`)
  }
  asUsage(() => checkPartitionKeys(keys))
  const owner = args.text('owner') ?? reasonOf(context, args).who
  const about = args.text('about')
  return {
    columns: [],
    format,
    owner,
    ...(about === undefined ? {} : { about }),
    ...(keys.length === 0 ? {} : { partitionKeys: keys }),
  }
}

function keysOf(args: CommandArguments): ReadonlyMap<string, string> {
  const keys = new Map<string, string>()
  for (const text of args.texts('key')) {
    const [, name, value] = /^([^=]+)=(.+)$/.exec(text) ?? []
    if (name === undefined || value === undefined) {
      throw new UsageError(`--key is "${text}"`, 'Write name=value: --key year=2026.')
    }
    if (keys.has(name)) throw new UsageError(`--key ${name} is given twice`, 'Give each key once.')
    keys.set(name, value)
  }
  return keys
}

function partitionOf(
  table: TableRef,
  schema: TableSchema,
  { keys, name }: { readonly keys: ReadonlyMap<string, string>; readonly name: string | undefined },
): PartitionRef {
  if ((name === undefined) === (keys.size === 0)) {
    throw new UsageError(
      name === undefined ? 'Which partition is not said' : 'Both the partition and --key are given',
      'Name the partition, or give --key for each of its keys.',
    )
  }
  return asUsage(() => {
    const ref = { ...table, partition: name ?? partitionName(table, schema, Object.fromEntries(keys)) }
    checkPartition(ref)
    refuseOtherKeys(ref, schema)
    return ref
  })
}

/** Every row, as it would be written. Throws as the catalogue would. */
async function check(context: CommandContext, { ref, schema, rows }: StorePlan, file: TableFile) {
  const progress = context.progress('Checking', rows)
  const cut = { format: rowFormat(tableKey(ref), schema), partRowsMax: PART_ROWS_MAX }
  let [parts, bytes] = [0, 0]
  for await (const part of rowParts(schema.columns, counted(file.rows(schema.columns), progress), cut)) {
    parts++
    bytes += part.body.byteLength
  }
  progress.done()
  return { parts, bytes }
}

async function describePlan(context: CommandContext, plan: StorePlan, file: TableFile) {
  const { ref, schema, change, columns, rows } = plan
  const { parts, bytes } = await check(context, plan, file)
  const where = `${tableKey(ref)}, partition ${ref.partition}`
  const json = { isDryRun: true, table: tableKey(ref), partition: ref.partition, change, rows, parts, bytes }
  context.result({ ...json, format: schema.format, columns: schema.columns }, () => [
    ...(change === 'exists'
      ? []
      : [change === 'created' ? 'Would make the table:' : 'Would add columns to the table:']),
    ...schema.columns.map(({ name, type }) => {
      const isThere = columns.some(column => column.name === name)
      return `  ${name} ${type}${isThere ? '' : ', null in all rows of this file'}`
    }),
    `Would store ${rows} rows as ${parts} parts of ${schema.format}, ${bytes} bytes, into ${where}`,
  ])
}

async function store(
  context: CommandContext,
  args: CommandArguments,
  { catalog, plan, file }: { readonly catalog: Catalog; readonly plan: StorePlan; readonly file: TableFile },
): Promise<void> {
  const { ref, schema, change, rows } = plan
  const idempotencyKey = args.text('idempotency-key')
  if (change !== 'exists') {
    // The type of a column is for ever: one that was guessed, or given, wrongly must not stay behind a file that is refused.
    await check(context, plan, file)
    await catalog.createTable(ref, schema)
  }
  const progress = context.progress('Storing', rows)
  const entry = await storeRows(catalog, ref, {
    rows: counted(file.rows(schema.columns), progress),
    ...reasonOf(context, args),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  })
  progress.done()
  const { parts, bytes, rows: stored } = await catalog.batch(ref, entry.batchId)
  const where = { table: tableKey(ref), partition: ref.partition }
  context.result({ ...where, change, rows: stored, parts, bytes, ...entry }, () => [
    `${stored} rows, ${bytes} bytes are current in ${where.table}, partition ${where.partition}:`,
    describeEntry(entry),
  ])
}

/** Reported now and then: a call for each row would take as long as the row. */
const PROGRESS_ROWS = 1_000

async function* counted(rows: AsyncIterable<Row>, progress: Progress): AsyncGenerator<Row> {
  let count = 0
  for await (const row of rows) {
    if (++count % PROGRESS_ROWS === 0) progress.advance(PROGRESS_ROWS)
    yield row
  }
  progress.advance(count % PROGRESS_ROWS)
}
