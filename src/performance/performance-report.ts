// Realised figures beside those of training and what changed meanwhile: when did it fall, by how much more than chance, and what
// changed just then.
import type { JoinCounts } from './judged.ts'
import type { Way } from './measure.ts'
import { type Figure, type MetricName, METRICS, type PairFigures } from './metrics.ts'
import { PERIOD_MS, type Period } from './period.ts'
import type { Realised, RealisedFigures } from './realised.ts'
import type { Mark } from './timeline.ts'

/** Of a difference of two periods: chance does as much in one of 740 comparisons, and a chart of a year by week has 51. */
export const FALL_ERRORS = 3

export interface TrainingFigure {
  readonly slice: string
  readonly value: number
}

export interface MeasuredGroup {
  readonly batchId: string
  readonly outcomes: number
  readonly meanPredicted: number
  readonly meanSeen: number
  /** Null where these outcomes have none: of one class alone there is no auc. */
  readonly realised: Figure | null
}

export interface MeasuredVersion extends MeasuredGroup {
  /** Of the same metric, as the manifest has it. */
  readonly training: readonly TrainingFigure[]
}

export interface MeasuredPeriod extends MeasuredGroup {
  readonly start: number
}

export interface Fall {
  /** Of the period that is worse. */
  readonly start: number
  readonly batchId: string
  readonly before: MeasuredPeriod
  readonly after: MeasuredPeriod
  /** The difference in standard errors of it. */
  readonly errors: number
  /** From the beginning of the period before to the end of this one. */
  readonly marks: readonly Mark[]
}

export interface PerformanceReport {
  readonly model: string
  readonly output: string
  readonly metric: MetricName
  readonly by: Period
  /** From where outcomes came, in words. */
  readonly outcomes: string
  readonly way: Way
  /** Of snapshots: how old a prediction may be; null where they are replayed. */
  readonly horizonMs: number | null
  readonly counts: OutcomeCounts
  readonly versions: readonly MeasuredVersion[]
  readonly periods: readonly MeasuredPeriod[]
  /** By time. */
  readonly marks: readonly Mark[]
  readonly falls: readonly Fall[]
}

export interface OutcomeCounts extends JoinCounts {
  readonly outcomes: number
  readonly withoutLabel: number
  readonly outsideTime: number
}

export type ReportHead = Pick<
  PerformanceReport,
  'model' | 'output' | 'metric' | 'by' | 'outcomes' | 'way' | 'horizonMs' | 'counts'
>

export interface ReportInput {
  readonly realised: Realised
  /** By version. */
  readonly training: ReadonlyMap<string, readonly TrainingFigure[]>
  /** In any order. */
  readonly marks: readonly Mark[]
}

export function performanceReport(head: ReportHead, { realised, training, marks }: ReportInput): PerformanceReport {
  const { metric, by } = head
  const inOrder = marks.toSorted((a, b) => a.at - b.at)
  const periods = realised.periods.map(figures => ({ ...measured(figures, metric), start: figures.start }))
  const firstSeen = new Map(periods.toReversed().map(({ batchId, start }) => [batchId, start]))
  const versions = realised.versions
    .map(figures => ({ ...measured(figures, metric), training: training.get(figures.batchId) ?? [] }))
    .toSorted((a, b) => (firstSeen.get(a.batchId) ?? 0) - (firstSeen.get(b.batchId) ?? 0))
  return { ...head, versions, periods, marks: inOrder, falls: falls(periods, { metric, by, marks: inOrder }) }
}

function measured(figures: RealisedFigures & PairFigures, metric: MetricName): MeasuredGroup {
  const { batchId, pairs, meanPredicted, meanSeen, metrics } = figures
  return { batchId, outcomes: pairs, meanPredicted, meanSeen, realised: metrics[metric] ?? null }
}

interface FallOptions {
  readonly metric: MetricName
  readonly by: Period
  readonly marks: readonly Mark[]
}

/** Each period against the one before it, by the version that predicted most of that. */
function falls(periods: readonly MeasuredPeriod[], { metric, by, marks }: FallOptions): readonly Fall[] {
  return periods.flatMap(after => {
    const before = mainOf(periods, periods.findLast(({ start }) => start < after.start)?.start)
    const errors = before === undefined ? undefined : worseBy(before.realised, after.realised, metric)
    if (before === undefined || errors === undefined || errors < FALL_ERRORS) return []
    const { start, batchId } = after
    const until = start + PERIOD_MS[by]
    const meanwhile = marks.filter(({ at }) => at >= before.start && at < until)
    return [{ start, batchId, before, after, errors, marks: meanwhile }]
  })
}

function mainOf(periods: readonly MeasuredPeriod[], start: number | undefined): MeasuredPeriod | undefined {
  const own = periods.filter(period => period.start === start)
  return own.toSorted((a, b) => b.outcomes - a.outcomes)[0]
}

/** In standard errors of the difference; negative where it is better. Undefined where nothing can be said. */
export function worseBy(before: Figure | null, after: Figure | null, metric: MetricName): number | undefined {
  if (before === null || after === null || before.error === null || after.error === null) return undefined
  const error = Math.hypot(before.error, after.error)
  return error === 0 ? undefined : (badness(after.value, metric) - badness(before.value, metric)) / error
}

function badness(value: number, metric: MetricName): number {
  const { better } = METRICS[metric]
  return better === 'higher' ? -value : better === 'lower' ? value : Math.abs(value)
}
