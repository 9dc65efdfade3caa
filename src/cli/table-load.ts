// `millrace table load`: the verified bytes of one batch, as files for DuckDB, pandas or Spark, or its first rows to look at.
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Row, RowValue } from '../catalog/columns.ts'
import type { LoadedBatch } from '../catalog/load-batch.ts'
import { type PartitionRef, tableKey } from '../catalog/names.ts'
import { rowsOf } from '../catalog/table-rows.ts'
import type { Json } from '../platform/canonical-json.ts'
import type { Command, CommandContext } from './command.ts'
import { CommandError } from './errors.ts'
import { batchIdOf, partitionOf, TABLE_POSITIONALS } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

const LIMIT_DEFAULT = 10
const LIMIT_MAX = 100_000

export const command: Command = {
  name: 'table load',
  summary: 'Fetch and verify a batch of a partition: show rows, or write its files.',
  positionals: TABLE_POSITIONALS,
  options: {
    batch: { type: 'string', value: 'ID', description: 'This batch. Default: the current one.' },
    out: { type: 'string', value: 'FOLDER', description: 'Write the parts there, which must be a new or empty place.' },
    limit: { type: 'string', value: 'N', description: `Without --out, show so many rows. Default: ${LIMIT_DEFAULT}.` },
    ...STAGE_OPTION,
  },
  async run(context, args) {
    const ref = partitionOf(args)
    const out = args.text('out')
    const batchText = args.text('batch')
    const batchId = batchText === undefined ? undefined : batchIdOf(batchText)
    const limit = args.wholeNumber('limit', { min: 0, max: LIMIT_MAX }) ?? LIMIT_DEFAULT
    await withConnection(context, args, async ({ catalog }) => {
      const batch = await catalog.load(ref, batchId)
      if (out === undefined) await showRows(context, ref, { batch, limit })
      else await writeParts(context, ref, { batch, folder: resolve(context.cwd, out) })
    })
  },
}

async function writeParts(
  context: CommandContext,
  ref: PartitionRef,
  { batch, folder }: { readonly batch: LoadedBatch; readonly folder: string },
): Promise<void> {
  const { batchId, parts, rows, bytes } = batch.record
  await mkdir(folder, { recursive: true })
  const progress = context.progress('Loading', parts)
  for await (const { name, body } of batch.parts()) {
    await writeNewFile(join(folder, name), body)
    progress.advance(1)
  }
  await writeNewFile(join(folder, 'manifest.json'), batch.manifestBytes)
  progress.done()
  context.result(
    { table: tableKey(ref), partition: ref.partition, batchId, parts, rows, bytes, folder },
    () => `${parts} parts, ${rows} rows, ${bytes} bytes of batch ${batchId} in ${folder}`,
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

async function showRows(
  context: CommandContext,
  ref: PartitionRef,
  { batch, limit }: { readonly batch: LoadedBatch; readonly limit: number },
): Promise<void> {
  const { batchId, rows: total } = batch.record
  const rows: Row[] = []
  if (limit > 0) {
    for await (const row of rowsOf(batch)) {
      rows.push(row)
      if (rows.length >= limit) break
    }
  }
  const shown = rows.map(toJson)
  context.result({ table: tableKey(ref), partition: ref.partition, batchId, total, rows: shown }, () => [
    ...shown.map(row => JSON.stringify(row)),
    `${rows.length} of ${total} rows of batch ${batchId}`,
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
