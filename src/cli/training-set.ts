// `millrace training-set`: for each (user, time, label) the features one millisecond before, from history, as a batch of the
// catalogue. It is what a model is trained on, and a row of it is what a GET at that instant answers.
import { resolve } from 'node:path'
import { tableKey } from '../catalog/names.ts'
import { rowsOf } from '../catalog/table-rows.ts'
import { type CompiledPipeline, compilePipeline } from '../predictions/compile-pipeline.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import { canonicalJson } from '../platform/canonical-json.ts'
import { SECOND_MS } from '../platform/duration.ts'
import { LineSpool } from '../platform/line-spool.ts'
import { recordKey } from '../replay/counted-events.ts'
import { spooledAccepted, spooledLetters, spoolOpenLetters } from '../replay/open-letters.ts'
import { KNOWN, type Known } from '../replay/training-events.ts'
import { makeTrainingSet, trainingTable, type TrainingSetReport } from '../replay/training-set.ts'
import type { Connection } from '../compose/connect.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { UsageError } from './errors.ts'
import { type HistoryViews, withHistoryViews } from './history-views.ts'
import { readInstantRows } from './instant-rows.ts'
import { nearest } from './nearest.ts'
import { refuseExisting, writeParquetFile } from './parquet-out.ts'
import type { Progress } from './progress.ts'
import { REASON_OPTIONS, reasonOf } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'
import { FINGERPRINTS_KEY, inputsJson, MODELS_KEY } from './write-features-table.ts'

const NAME_DEFAULT = 'default'

export const command: Command = {
  name: 'training-set',
  summary: 'Make a table of features as they were just before each (user, time, label), from history.',
  positionals: [],
  options: {
    labels: {
      type: 'string',
      value: 'FILE',
      required: true,
      description: 'CSV, NDJSON or Parquet with columns user and time, in any order; others are carried along.',
    },
    features: {
      type: 'string',
      value: 'NAMES',
      description: 'These features only, with commas between. Default: all.',
    },
    known: {
      type: 'string',
      value: 'RULE',
      description:
        'arrival: only what had arrived by then, as a GET knew it. all: whatever happened by then. Default: arrival.',
    },
    name: { type: 'string', value: 'NAME', description: `The table is training_<NAME>. Default: ${NAME_DEFAULT}.` },
    out: { type: 'string', value: 'FILE', description: 'Write the rows to this Parquet file too; it must not exist.' },
    ...REASON_OPTIONS,
    ...STAGE_OPTION,
  },
  changesThings: true,
  async run(context, args) {
    const startMs = context.clock()
    const out = args.text('out')
    const outPath = out === undefined ? undefined : resolve(context.cwd, out)
    if (outPath !== undefined) await refuseExisting(outPath)
    const report = await withConnection(context, args, async (connection, pipeline) => {
      const wanted = wantedOf(args, Object.keys(pipeline.features.features))
      const { name: db } = pipeline
      const made = await withHistoryViews(connection, db, views =>
        make(context, args, { connection, compiled: compilePipeline(pipeline), views, wanted }),
      )
      if (outPath !== undefined) await writeOut(outPath, made, { connection, pipeline })
      return made
    })
    const seconds = (context.clock() - startMs) / SECOND_MS
    const { ref, batch, ...figures } = report
    const { isDryRun } = context
    const named = { table: tableKey(ref), partition: ref.partition, batchId: batch?.batchId ?? null, isDryRun }
    context.result({ ...named, seconds, ...figures }, () => [
      ...describe(report, seconds),
      ...(outPath === undefined || isDryRun ? [] : [`Also in ${outPath}`]),
    ])
  },
}

interface Wanted {
  readonly known: Known
  readonly name: string
  readonly features: readonly string[] | undefined
}

/** Throws UsageError, MillraceError: what cannot be right is said before anything is read. */
function wantedOf(args: CommandArguments, names: readonly string[]): Wanted {
  const knownText = args.text('known') ?? 'arrival'
  const known = KNOWN.find(rule => rule === knownText)
  if (known === undefined) throw new UsageError(`--known is "${knownText}"`, `Give ${KNOWN.join(' or ')}.`)
  const name = args.text('name') ?? NAME_DEFAULT
  const features = args
    .text('features')
    ?.split(',')
    .map(text => text.trim())
  const unknown = features?.find(feature => !names.includes(feature))
  if (unknown !== undefined) {
    const guess = nearest(unknown, names)
    const next = guess === undefined ? `The pipeline has ${names.join(', ')}.` : `Did you mean ${guess}?`
    throw new UsageError(`There is no feature "${unknown}"`, next)
  }
  trainingTable(name)
  return { known, name, features }
}

interface Making {
  readonly connection: Connection
  readonly compiled: CompiledPipeline
  readonly views: HistoryViews
  readonly wanted: Wanted
}

async function make(
  context: CommandContext,
  args: CommandArguments,
  { connection, compiled, views, wanted }: Making,
): Promise<TrainingSetReport> {
  const { spoolDir } = views
  const letters = new LineSpool(spoolDir, 'letters')
  let progress: Progress | undefined
  try {
    const report = await makeTrainingSet(readInstantRows(resolve(context.cwd, args.requiredText('labels'))), {
      ...wanted,
      ...reasonOf(context, args),
      compiled,
      catalog: connection.catalog,
      spoolDir,
      openedMs: context.clock(),
      openHistory: async () => {
        const history = await views.openHistory()
        // After the view: a letter is written when its record may be archived already.
        await spoolOpenLetters(connection.archive, letters)
        return history
      },
      openLetters: async bucket => {
        const byUser = await spooledLetters(letters, bucket)
        return new Set([...byUser.values()].flat().map(recordKey))
      },
      accepted: bucket => spooledAccepted(letters, bucket),
      isDryRun: context.isDryRun,
      onRows: (added, total) => {
        progress ??= context.progress('rows', total)
        progress.advance(added)
      },
    })
    progress?.done()
    return report
  } finally {
    letters.remove()
  }
}

interface Made {
  readonly connection: Connection
  readonly pipeline: Pipeline
}

/** What the catalogue has now, each part checked, as one file that says the same of itself as one of `features export`. */
async function writeOut(path: string, { ref, batch, features }: TrainingSetReport, { connection, pipeline }: Made) {
  if (batch === undefined) return
  const loaded = await connection.catalog.load(ref, batch.batchId)
  await writeParquetFile(path, {
    columns: loaded.manifest.columns,
    rows: rowsOf(loaded),
    metadata: {
      [FINGERPRINTS_KEY]: canonicalJson(features),
      [MODELS_KEY]: inputsJson(pipeline),
      'millrace.batch': batch.batchId,
      'millrace.table': tableKey(ref),
      'millrace.partition': ref.partition,
    },
  })
}

function describe(report: TrainingSetReport, seconds: number): string[] {
  const { ref, batch, rows, users, usersWithoutEvents, events, notArrived, rowsNotSettled } = report
  const table = `${tableKey(ref)}/${ref.partition}`
  const where = batch === undefined ? `Would write them to ${table}` : `Batch ${batch.batchId} of ${table}`
  const without = usersWithoutEvents === 0 ? '' : `, ${usersWithoutEvents} of them without an event`
  return [
    `${rows} rows of ${users} users${without}, from ${events} events, in ${seconds.toFixed(1)} s`,
    where,
    ...line(notArrived, 'events had not arrived by some row after their time, which does not count them'),
    ...line(report.openLetters, 'records have an open dead letter and are not counted'),
    ...line(report.refused, 'records are refused by the contracts'),
    ...line(rowsNotSettled, 'rows are so new that events of theirs may not be archived yet; make it again in a while'),
  ]
}

function line(count: number, what: string): string[] {
  return count === 0 ? [] : [`${count} ${what}`]
}
