// How good a model has really been: outcomes into files by user, each beside the prediction that stood for it, figures by version and
// period, and what changed meanwhile. Memory follows from neither the number of outcomes nor that of users.
import type { Catalog } from '../catalog/catalog.ts'
import type { LogEntry } from '../catalog/items.ts'
import type { ArtifactManifest } from '../model/artifact-manifest.ts'
import type { ModelDefinition } from '../model/define.ts'
import { modelNotFound } from '../model/model-not-found.ts'
import { modelRef } from '../model/model-refs.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { PredictWith } from '../replay/explain-models.ts'
import { type ArchivedEvents, checkOutcomeField, eventOutcomes, type OutcomeField } from './event-outcomes.ts'
import { type JoinCounts, noJoins, type ReadSpill } from './judged.ts'
import { judgedOutcomes, type PredictionSource, type Way } from './measure.ts'
import { type MetricName, METRICS } from './metrics.ts'
import { outputOf } from './model-output.ts'
import { type OutcomeRules, OutcomeSpool, type RawOutcome } from './outcomes.ts'
import { type PerformanceReport, performanceReport, type TrainingFigure } from './performance-report.ts'
import { PERIOD_MS, type Period } from './period.ts'
import { ReplayedPredictions } from './replay-predictions.ts'
import { type Realised, realised } from './realised.ts'
import { SnapshotPredictions } from './snapshot-predictions.ts'
import { deployMarks, type Mark, modelMarks } from './timeline.ts'

export type OutcomeSource =
  | ({ readonly kind: 'events' } & OutcomeField)
  | { readonly kind: 'rows'; readonly rows: () => AsyncIterable<RawOutcome> }

export interface PerformanceAsked extends Omit<OutcomeRules, 'isOfClasses'> {
  readonly model: ModelDefinition
  readonly metric: MetricName
  readonly by: Period
  readonly output?: string | undefined
  readonly source: OutcomeSource
  /** The same in words. */
  readonly outcomes: string
  readonly way: Way
  readonly horizonMs: number
}

export interface PerformancePorts {
  readonly compiled: CompiledPipeline
  /** Of the deployment, for its definitions. */
  readonly stage: string
  readonly catalog: Catalog
  /** Of a version of the model. */
  readonly manifestOf: (batchId: string) => Promise<ArtifactManifest>
  readonly predictWith: PredictWith
  /** Asked once, and only where events are read; its history is closed here. */
  readonly openArchived: () => Promise<ArchivedEvents>
  /** For values of snapshots' rows that lie elsewhere. */
  readonly readSpill?: ReadSpill | undefined
  /** A folder made and removed by the caller. */
  readonly spoolDir: string
  readonly runBytesMax?: number
  readonly onStep?: (step: 'outcomes' | 'predictions', done: number, total: number) => void
}

/** Throws MillraceError, CatalogError, ObjectStoreError, ArchiveError, ModelError. */
export async function modelPerformance(asked: PerformanceAsked, ports: PerformancePorts): Promise<PerformanceReport> {
  const { model, metric, source } = asked
  const log = await ports.catalog.history(modelRef(model.name))
  const [newest] = log
  if (newest === undefined) throw modelNotFound(model.name)
  const output = outputOf(await ports.manifestOf(newest.batchId), asked.output)
  if (source.kind === 'events') checkOutcomeField(ports.compiled, source)
  const spool = new OutcomeSpool(ports.spoolDir, { ...asked, isOfClasses: METRICS[metric].isOfClasses })
  let archived: Promise<ArchivedEvents> | undefined
  const open = (): Promise<ArchivedEvents> => (archived ??= ports.openArchived())
  try {
    for await (const outcome of outcomesOf(source, open, ports)) spool.add(outcome)
    const found = await measure({ ...asked, output, log }, { spool, open }, ports)
    const { by, outcomes, way, horizonMs } = asked
    const { count, withoutLabel, outsideTime } = spool
    const counts = { outcomes: count, withoutLabel, outsideTime, ...found.counts }
    const isStored = way === 'snapshots'
    const head = {
      model: model.name,
      output,
      metric,
      by,
      outcomes,
      way,
      horizonMs: isStored ? horizonMs : null,
      counts,
    }
    return performanceReport(head, {
      realised: found.realised,
      training: await trainingFigures(found.realised, metric, ports),
      marks: await marksOf(found.realised, { by, model, log }, ports),
    })
  } finally {
    spool.remove()
    await (await archived)?.history.close()
  }
}

async function* outcomesOf(
  source: OutcomeSource,
  open: () => Promise<ArchivedEvents>,
  { onStep }: Pick<PerformancePorts, 'onStep'>,
): AsyncGenerator<RawOutcome> {
  if (source.kind === 'rows') yield* source.rows()
  else yield* eventOutcomes(await open(), source, (done, total) => onStep?.('outcomes', done, total))
}

interface Measured {
  readonly realised: Realised
  readonly counts: JoinCounts
}

interface Read {
  readonly spool: OutcomeSpool
  readonly open: () => Promise<ArchivedEvents>
}

async function measure(
  asked: PerformanceAsked & { readonly output: string; readonly log: readonly LogEntry[] },
  { spool, open }: Read,
  { compiled, catalog, predictWith, readSpill, spoolDir, runBytesMax, onStep }: PerformancePorts,
): Promise<Measured> {
  const { model, output, log, way, horizonMs, by } = asked
  const counts = noJoins()
  const db = compiled.pipeline.name
  const predictions: PredictionSource =
    way === 'snapshots'
      ? { way, horizonMs, snapshots: new SnapshotPredictions({ catalog, db, model: model.name, output, readSpill }) }
      : { way, replayed: new ReplayedPredictions({ archived: await open(), model, output, log, predictWith, counts }) }
  const judged = judgedOutcomes(spool, predictions, {
    spoolDir,
    counts,
    runBytesMax,
    onBucket: (done, total) => onStep?.('predictions', done, total),
  })
  return { realised: await realised(judged, { by, spoolDir, runBytesMax }), counts }
}

async function trainingFigures(
  { versions }: Realised,
  metric: MetricName,
  { manifestOf }: Pick<PerformancePorts, 'manifestOf'>,
): Promise<ReadonlyMap<string, readonly TrainingFigure[]>> {
  const figures = new Map<string, readonly TrainingFigure[]>()
  for (const { batchId } of versions) {
    const { performance } = await manifestOf(batchId)
    figures.set(
      batchId,
      performance.flatMap(each => (sameName(each.metric, metric) ? [{ slice: each.slice, value: each.value }] : [])),
    )
  }
  return figures
}

/** `log_loss`, `Log loss` and `logloss` are all log-loss: manifests are written in many languages. */
function sameName(written: string, metric: MetricName): boolean {
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  return plain(written) === plain(metric)
}

async function marksOf(
  { periods }: Realised,
  { by, model, log }: Pick<PerformanceAsked, 'by' | 'model'> & { readonly log: readonly LogEntry[] },
  { catalog, compiled, stage }: PerformancePorts,
): Promise<readonly Mark[]> {
  const [first, last] = [periods[0], periods.at(-1)]
  if (first === undefined || last === undefined) return []
  // What was current when the first period began is told too.
  const before = log.filter(({ at }) => at < first.start).toSorted((a, b) => b.at - a.at || b.number - a.number)[0]
  const range = { fromMs: first.start, toMs: last.start + PERIOD_MS[by] }
  const versions = modelMarks(log, { ...range, fromMs: before?.at ?? range.fromMs })
  const deploys = await deployMarks(catalog, { pipeline: compiled.pipeline.name, stage, model: model.name }, range)
  return [...versions, ...deploys]
}
