// `millrace archive import`: history that never was in the stream, from files, as a batch of its own under a name. Importing under
// the same name again supersedes it, --withdraw takes it back, and `table rollback` undoes either.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { readForgotten } from '../archive/forgotten.ts'
import { IMPORTS_TABLE } from '../archive/history-tables.ts'
import type { Connection } from '../compose/connect.ts'
import { createPredictor } from '../compose/predictor.ts'
import type { EventContract } from '../event/contract.ts'
import { compilePipeline } from '../predictions/compile-pipeline.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import {
  checkImport,
  type CheckOptions,
  type ImportCheck,
  importHistory,
  type ImportProgress,
  type ImportReport,
} from '../replay/import-history.ts'
import { withdrawImport } from '../replay/withdraw-import.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { UsageError } from './errors.ts'
import { type ImportFiles, readImportFiles } from './import-payloads.ts'
import { nearest } from './nearest.ts'
import { REASON_OPTIONS, reasonOf } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

const EVENTS_PER_PROGRESS = 200_000

export const command: Command = {
  name: 'archive import',
  summary: 'Bring in history from Parquet, CSV or NDJSON files, or withdraw what was brought in.',
  positionals: ['files...'],
  options: {
    event: { type: 'string', value: 'TYPE', description: 'The type of the events in the files.' },
    name: {
      type: 'string',
      value: 'NAME',
      description: "What the import is called; the same name again supersedes it. Default: the file's name.",
    },
    map: {
      type: 'string',
      value: 'FIELD=COLUMN',
      multiple: true,
      description: 'Which column is a field, id, user, time or path, where names differ; may be repeated.',
    },
    withdraw: { type: 'string', value: 'NAME', description: 'Take the import of this name out of force.' },
    ...REASON_OPTIONS,
    ...STAGE_OPTION,
  },
  changesThings: true,
  async run(context, args) {
    const withdrawn = args.text('withdraw')
    if (withdrawn === undefined) await bringIn(context, args)
    else await withdraw(context, args, withdrawn)
  },
}

async function bringIn(context: CommandContext, args: CommandArguments): Promise<void> {
  const files = args.rest()
  const name = args.text('name') ?? nameOf(files)
  const columnOf = mapOf(args.texts('map'))
  const type = args.requiredText('event')
  await withConnection(context, args, async (connection, pipeline) => {
    const contract = contractOf(pipeline, type)
    const paths = files.map(file => resolve(context.cwd, file))
    const source = readImportFiles(paths, { contract, typePath: pipeline.typePath, columnOf })
    const options = {
      name,
      type,
      compiled: compilePipeline(pipeline),
      catalog: connection.catalog,
      clock: context.clock,
      forgotten: await readForgotten(connection.archive),
      where: source.where,
      onProgress: progressOf(context),
    }
    if (context.isDryRun) {
      const check = await checkImport(source.payloads, options)
      context.result({ ...check, supersedes: check.supersedes ?? null, isDryRun: true }, () => [
        `Would import ${accepted(check)} of ${check.events} events as ${pipeline.name}.${IMPORTS_TABLE}/${check.partition}`,
        ...describeSuperseded(check),
        ...describeRefused(check),
      ])
      return
    }
    const report = await store(context, args, { connection, source, options })
    const { batch, ...rest } = report
    context.result({ batchId: batch.batchId, ...rest, supersedes: rest.supersedes ?? null }, () => describe(report))
  })
}

async function store(
  context: CommandContext,
  args: CommandArguments,
  { connection, source, options }: { connection: Connection; source: ImportFiles; options: CheckOptions },
): Promise<ImportReport> {
  const { compiled } = options
  const predictor = createPredictor(compiled, { ...connection, refreshMs: Number.POSITIVE_INFINITY, onError: fail })
  const spoolDir = await mkdtemp(join(tmpdir(), 'millrace-import-'))
  try {
    return await importHistory(source.payloads, {
      ...connection,
      ...options,
      predictor,
      spoolDir,
      ...reasonOf(context, args),
    })
  } finally {
    await rm(spoolDir, { recursive: true })
  }
}

function fail(error: unknown): void {
  throw error
}

async function withdraw(context: CommandContext, args: CommandArguments, name: string): Promise<void> {
  if (args.rest().length > 0) throw new UsageError('--withdraw takes no files', 'Import them by a command of its own.')
  const { isDryRun } = context
  await withConnection(context, args, async ({ catalog }, { name: db }) => {
    const options = { db, name, isDryRun, ...reasonOf(context, args) }
    const { partition, withdrawn, batch } = await withdrawImport(catalog, options)
    context.result({ partition, withdrawn, batchId: batch?.batchId ?? null, isDryRun }, () => [
      `${isDryRun ? 'Would take' : 'Took'} batch ${withdrawn} of ${db}.${IMPORTS_TABLE}/${partition} out of force`,
      'Next: `millrace backfill` rebuilds the users whose items contain it.',
    ])
  })
}

function nameOf(files: readonly string[]): string {
  const [file, another] = files
  if (file === undefined) throw new UsageError('No file is given', 'Name Parquet, CSV, NDJSON or JSON files.')
  if (another !== undefined) throw new UsageError('--name is missing', 'Several files need a name for their import.')
  return basename(file)
    .replace(/(\.(parquet|csv|ndjson|jsonl|json|gz))+$/i, '')
    .replaceAll(/[^A-Za-z0-9_.-]+/g, '-')
}

function mapOf(texts: readonly string[]): Map<string, string> {
  const columnOf = new Map<string, string>()
  for (const text of texts) {
    const [target = '', column = ''] = text.split(/=(.*)/s)
    if (target === '' || column === '') throw new UsageError(`--map is "${text}"`, 'Write it as amount=Total.')
    const other = columnOf.get(target)
    if (other !== undefined) throw new UsageError(`--map has two columns for ${target}`, `Keep ${other} or ${column}.`)
    columnOf.set(target, column)
  }
  return columnOf
}

function contractOf({ events, name }: Pipeline, type: string): EventContract {
  const contract = events.find(event => event.type === type)
  if (contract !== undefined) return contract
  const types = events.map(event => event.type)
  const guess = nearest(type, types)
  throw new UsageError(
    `${name} has no event of the type "${type}"`,
    guess === undefined ? `It has ${types.join(', ')}.` : `Did you mean ${guess}?`,
  )
}

function progressOf({ isJson, stderr }: CommandContext): (progress: ImportProgress) => void {
  let [eventsShown, usersShown] = [0, 0]
  return ({ events, users, usersWritten }) => {
    if (isJson) return
    if (users === 0 && events - eventsShown >= EVENTS_PER_PROGRESS) {
      eventsShown = events
      stderr.write(`${events} events read\n`)
    }
    if (users - usersShown >= USERS_PER_PROGRESS) {
      usersShown = users
      stderr.write(`${users} users folded, ${usersWritten} written\n`)
    }
  }
}

const USERS_PER_PROGRESS = 20_000

function describe(report: ImportReport): string[] {
  const { batch, partition, events, users, usersWritten, usersExisting, usersTooBig, duplicates } = report
  const isRebuildNeeded = usersExisting > 0 || report.supersedes !== undefined
  return [
    `${accepted(report)} of ${events} events of ${users} users: batch ${batch.batchId} of ${IMPORTS_TABLE}/${partition}`,
    ...(duplicates === 0 ? [] : [`${duplicates} of them are repeats, and count once`]),
    ...describeSuperseded(report),
    ...describeRefused(report),
    `${usersWritten} users got their first item; ${usersExisting} had one before${usersTooBig === 0 ? '' : `; ${usersTooBig} would be too big`}`,
    ...(isRebuildNeeded ? ['Next: `millrace backfill` rebuilds the users whose items do not contain it yet.'] : []),
  ]
}

function accepted({ events, refused }: ImportCheck): number {
  return events - Object.values(refused).reduce((sum, { count }) => sum + count, 0)
}

function describeSuperseded({ supersedes }: ImportCheck): string[] {
  return supersedes === undefined
    ? []
    : [`It supersedes batch ${supersedes}; imports that belong beside each other need a --name each`]
}

function describeRefused({ refused }: ImportCheck): string[] {
  return Object.entries(refused).map(
    ([reason, { count, first }]) => `${count} refused, ${reason}: first ${first.where}: ${first.detail}`,
  )
}
