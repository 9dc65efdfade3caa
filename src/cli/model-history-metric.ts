// `millrace model history --metric`: how good the versions of a model really were, by day or week, beside what training said and what
// was deployed, promoted and rolled back meanwhile.
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Connection } from '../compose/connect.ts'
import { createPinnedPredictor } from '../compose/predictor.ts'
import { parseRfc3339Ms } from '../event/event-time.ts'
import { modelRegistry } from '../model/registry.ts'
import { METRIC_NAMES } from '../performance/metrics.ts'
import { modelPerformance, type PerformanceAsked, type PerformancePorts } from '../performance/model-performance.ts'
import { PERIODS } from '../performance/period.ts'
import { HOUR_MS } from '../platform/duration.ts'
import { LineSpool } from '../platform/line-spool.ts'
import { compilePipeline } from '../predictions/compile-pipeline.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import { recordKey } from '../replay/counted-events.ts'
import { spooledAccepted, spooledLetters, spoolOpenLetters } from '../replay/open-letters.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { CommandContext, CommandOption } from './command.ts'
import { durationOption } from './durations.ts'
import { CommandError, UsageError } from './errors.ts'
import { type HistoryViews, withHistoryViews } from './history-views.ts'
import { outcomeSource, parseOutcomes } from './model-history-metric-outcomes.ts'
import { performancePage } from './model-history-metric-page.ts'
import { performanceLines } from './model-history-metric-text.ts'
import { refuseExisting } from './parquet-out.ts'
import type { Progress } from './progress.ts'
import { stageOf } from './stage.ts'

const HORIZON_DEFAULT_HOURS = 48

export const METRIC_OPTIONS = {
  metric: {
    type: 'string',
    value: 'NAME',
    description: `How good it really was, by outcomes: ${METRIC_NAMES.join(', ')}.`,
  },
  outcomes: {
    type: 'string',
    value: 'WHAT',
    description:
      'EVENT_TYPE.FIELD, a file (CSV, NDJSON, Parquet) or DB.TABLE/PARTITION; "… above 15" makes 1 and 0 of it.',
  },
  label: { type: 'string', value: 'COLUMN', description: 'Of a file or table: what was seen. Default: label.' },
  by: { type: 'string', value: 'PERIOD', description: `With --metric: ${PERIODS.join(' or ')}, UTC. Default: day.` },
  output: {
    type: 'string',
    value: 'NAME',
    description: 'The output that is held against outcomes, if there are several.',
  },
  horizon: {
    type: 'string',
    value: 'DURATION',
    description: `How long a snapshot's prediction counts. Default: ${HORIZON_DEFAULT_HOURS}h.`,
  },
  replayed: {
    type: 'boolean',
    description: 'Predict anew from the archive, by the version of then, instead of reading snapshots.',
  },
  from: { type: 'string', value: 'TIME', description: 'With --metric: only outcomes from then on.' },
  to: { type: 'string', value: 'TIME', description: 'With --metric: only outcomes before then.' },
  html: {
    type: 'string',
    value: 'FILE',
    description: 'With --metric: write a page with a chart too; it must not exist.',
  },
} as const satisfies Record<string, CommandOption>

/** Whether the command line is about performance at all. Throws UsageError where it is so by half. */
export function isAboutMetric(args: CommandArguments): boolean {
  if (args.text('metric') !== undefined) return true
  const stray = Object.entries(METRIC_OPTIONS).find(([name, { type }]) =>
    type === 'boolean' ? args.flag(name) : args.text(name) !== undefined,
  )
  if (stray !== undefined) throw new UsageError(`--${stray[0]} without --metric`, 'Add --metric auc, or leave it out.')
  return false
}

export async function runMetric(
  context: CommandContext,
  args: CommandArguments,
  {
    connection,
    pipeline,
    model,
  }: { readonly connection: Connection; readonly pipeline: Pipeline; readonly model: string },
): Promise<void> {
  const asked = askedOf(args, { connection, pipeline, model, cwd: context.cwd })
  const html = args.text('html')
  const htmlPath = html === undefined ? undefined : resolve(context.cwd, html)
  if (htmlPath !== undefined) await refuseExisting(htmlPath)
  const report = await withHistoryViews(connection, pipeline.name, async views => {
    const letters = new LineSpool(views.spoolDir, 'letters')
    const steps = stepsOn(context)
    try {
      const ports = portsOf(args, { connection, pipeline, views, letters })
      return await modelPerformance(asked, { ...ports, onStep: steps.on })
    } finally {
      letters.remove()
      steps.done()
    }
  })
  if (htmlPath !== undefined) await writeFile(htmlPath, performancePage(report), { flag: 'wx' })
  context.result({ ...report }, () => [
    ...performanceLines(report),
    ...(htmlPath === undefined ? [] : [`Also in ${htmlPath}`]),
  ])
}

interface Where {
  readonly connection: Connection
  readonly pipeline: Pipeline
  readonly model: string
  readonly cwd: string
}

/** Throws UsageError, CommandError, CatalogError: what cannot be right is said before anything is read. */
function askedOf(args: CommandArguments, { connection, pipeline, model: name, cwd }: Where): PerformanceAsked {
  const model = pipeline.models.find(each => each.name === name)
  if (model === undefined) {
    throw new CommandError(`This folder's pipeline has no model ${name}`, {
      code: 'model-unknown',
      next: 'Its inputs and its snapshots are known where the pipeline is: run it in that folder.',
    })
  }
  const outcomes = args.text('outcomes')
  if (outcomes === undefined) throw new UsageError('--metric needs --outcomes', 'Say what really happened: see --help.')
  const { named, threshold } = parseOutcomes(outcomes)
  return {
    model,
    metric: oneOf(args, 'metric', METRIC_NAMES) ?? 'auc',
    by: oneOf(args, 'by', PERIODS) ?? 'day',
    output: args.text('output'),
    source: outcomeSource(named, { catalog: connection.catalog, cwd, label: args.text('label') ?? 'label' }),
    outcomes,
    threshold,
    way: args.flag('replayed') ? 'replayed' : 'snapshots',
    horizonMs: durationOption(args, 'horizon') ?? HORIZON_DEFAULT_HOURS * HOUR_MS,
    fromMs: timeOption(args, 'from'),
    toMs: timeOption(args, 'to'),
  }
}

function oneOf<Name extends string>(args: CommandArguments, option: string, names: readonly Name[]): Name | undefined {
  const text = args.text(option)
  const found = names.find(name => name === text)
  if (text !== undefined && found === undefined) {
    throw new UsageError(`--${option} is "${text}"`, `Give one of ${names.join(', ')}.`)
  }
  return found
}

function timeOption(args: CommandArguments, option: string): number | undefined {
  const text = args.text(option)
  if (text === undefined) return undefined
  const ms = parseRfc3339Ms(text)
  if (ms === undefined) throw new UsageError(`--${option} is "${text}"`, 'Write it as 2026-01-02T03:04:05Z.')
  return ms
}

interface Opened {
  readonly connection: Connection
  readonly pipeline: Pipeline
  readonly views: HistoryViews
  readonly letters: LineSpool
}

function portsOf(args: CommandArguments, { connection, pipeline, views, letters }: Opened): PerformancePorts {
  const { catalog, archive, spills } = connection
  const { spoolDir } = views
  const compiled = compilePipeline(pipeline)
  const registry = modelRegistry(catalog)
  return {
    compiled,
    catalog,
    spoolDir,
    stage: stageOf(args, pipeline.name),
    manifestOf: async batchId => (await registry.artifact(args.positional('model'), batchId)).manifest,
    readSpill: spilled => spills.read(spilled),
    predictWith: versions => createPinnedPredictor(compiled, { catalog, versions }),
    openArchived: async () => {
      const history = await views.openHistory()
      // After the view: a letter is written when its record may be archived already.
      await spoolOpenLetters(archive, letters)
      return {
        compiled,
        history,
        spoolDir,
        openLetters: async bucket =>
          new Set([...(await spooledLetters(letters, bucket)).values()].flat().map(recordKey)),
        accepted: bucket => spooledAccepted(letters, bucket),
      }
    },
  }
}

/** A bar for each of the steps, one after the other. */
function stepsOn(context: CommandContext) {
  let current: { readonly step: string; readonly bar: Progress; done: number } | undefined
  const on = (step: string, done: number, total: number): void => {
    if (current?.step !== step) {
      current?.bar.done()
      current = { step, bar: context.progress(`Buckets of ${step}`, total), done: 0 }
    }
    current.bar.advance(done - current.done)
    current.done = done
  }
  return { on, done: () => current?.bar.done() }
}
