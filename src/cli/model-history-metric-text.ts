// A report of performance as lines: versions, then periods with what changed between them in order of time, then each fall and what
// changed just then.
import { dayText, PERIOD_MS } from '../performance/period.ts'
import type { Fall, MeasuredPeriod, MeasuredVersion, PerformanceReport } from '../performance/performance-report.ts'
import { FALL_ERRORS } from '../performance/performance-report.ts'
import type { Mark } from '../performance/timeline.ts'
import { type Figure, METRICS } from '../performance/metrics.ts'
import { HOUR_MS } from '../platform/duration.ts'
import { instant, plural, table, titledTable } from './explain-words.ts'

const DIGITS = 4

export function performanceLines(report: PerformanceReport): readonly string[] {
  const { model, output, metric, by, versions } = report
  const weeks = by === 'week' ? 'weeks from Monday, ' : ''
  return [
    `${model}, ${output}: ${metric} by ${by} (${weeks}UTC): ${METRICS[metric].about}`,
    ...sourceLines(report),
    ...(versions.length === 0
      ? ['No outcome has a prediction to be held against.', nextStep(report)]
      : figureLines(report)),
  ]
}

/** What was held against what: where predictions came from is never left open. */
export function sourceLines({ outcomes, way, horizonMs, counts }: PerformanceReport): readonly string[] {
  const from =
    way === 'snapshots'
      ? `from snapshots: the newest strictly before each outcome, at most ${(horizonMs ?? 0) / HOUR_MS} h old`
      : 'replayed: made anew for this from the archive, 1 ms before each outcome, by the version in production then; not what was stored'
  const missing = [
    [counts.withoutPrediction, 'without a prediction in time'],
    [counts.withoutValue, 'with a prediction that has no value (not ready, refused)'],
    [counts.gone, 'with a prediction whose value was removed since, or damaged'],
    [counts.withoutLabel, 'left out for having no label'],
    [counts.outsideTime, 'outside the time that was asked for'],
  ] as const
  return [
    `Outcomes: ${outcomes}. Predictions ${from}.`,
    [
      `${plural(counts.outcomes, 'outcome')}, ${counts.joined} with a prediction`,
      ...missing.flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`])),
    ].join('; '),
  ]
}

function nextStep({ way }: PerformanceReport): string {
  return way === 'snapshots'
    ? 'Take snapshots (`millrace snapshot run`), give a longer --horizon, or predict anew with --replayed.'
    : 'Check that a version was in production before the outcomes: `millrace model history` shows since when.'
}

function figureLines(report: PerformanceReport): readonly string[] {
  const { metric, falls } = report
  const head = ['version', 'training', 'realised', 'outcomes', 'predicted', 'seen']
  return [
    '',
    'Versions:',
    ...titledTable(head, report.versions.map(versionCells)),
    '',
    `Timeline (± one standard error; fell: by ${FALL_ERRORS} or more of them since the period before):`,
    ...timelineLines(report),
    ...(falls.length === 0 ? [] : ['', 'Falls, and what changed from the period before to the end of that one:']),
    ...falls.flatMap(fall => fallLines(fall, metric)),
  ]
}

function versionCells(version: MeasuredVersion): readonly string[] {
  const training = version.training.map(({ slice, value }) => `${value.toFixed(DIGITS)} (${slice})`).join(', ')
  return [version.batchId, training === '' ? 'none in its papers' : training, ...groupCells(version)]
}

export function groupCells({
  realised,
  outcomes,
  meanPredicted,
  meanSeen,
}: MeasuredVersion | MeasuredPeriod): string[] {
  return [figureText(realised), String(outcomes), meanPredicted.toFixed(DIGITS), meanSeen.toFixed(DIGITS)]
}

export function figureText(figure: Figure | null): string {
  if (figure === null) return 'none'
  const error = figure.error === null ? '' : ` ± ${figure.error.toFixed(DIGITS)}`
  return `${figure.value.toFixed(DIGITS)}${error}`
}

function timelineLines({ by, periods, marks, falls, metric }: PerformanceReport): readonly string[] {
  const head = [by, 'version', metric, 'outcomes', 'predicted', 'seen', '']
  const rows = periods.map(period => {
    const fall = falls.find(({ start, batchId }) => start === period.start && batchId === period.batchId)
    return [dayText(period.start), period.batchId, ...groupCells(period), fall === undefined ? '' : 'fell']
  })
  const [titles = '', ...lines] = table([head, ...rows])
  const left = [...marks]
  const timeline = periods.flatMap((period, index) => {
    // What happened within a period is told above its line.
    const own = left.splice(0, left.filter(({ at }) => at < period.start + PERIOD_MS[by]).length)
    return [...own.map(mark => `  -- ${markText(mark)}`), lines[index] ?? '']
  })
  return [titles, ...timeline, ...left.map(mark => `  -- ${markText(mark)}`)]
}

export function markText({ at, kind, batchId, who, text }: Mark): string {
  return `${instant(at)}  ${kind} ${batchId} by ${who}: ${text}`
}

function fallLines({ before, after, errors, marks }: Fall, metric: string): readonly string[] {
  const [was, is] = [figureText(before.realised), figureText(after.realised)]
  const seen = `${before.meanSeen.toFixed(DIGITS)} → ${after.meanSeen.toFixed(DIGITS)}`
  const version = before.batchId === after.batchId ? '' : `; version ${before.batchId} → ${after.batchId}`
  return [
    `  ${dayText(after.start)}: ${metric} ${was} → ${is}, ${errors.toFixed(1)} standard errors; mean seen ${seen}${version}`,
    ...(marks.length === 0
      ? ['    no version and no deploy: look at what came in']
      : marks.map(mark => `    ${markText(mark)}`)),
  ]
}
