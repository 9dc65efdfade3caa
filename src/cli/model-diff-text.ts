// The differences of two versions as people read them in a terminal.
import type { ColumnDiff, MetricDiff } from '../model/diff-models.ts'
import type { OutputDiff } from '../model/diff-predictions.ts'
import { shortNumber } from '../report/table.ts'
import type { ModelDiff } from './model-diff.ts'
import type { SampleSource } from './model-diff-sample.ts'
import { textTable } from './text-table.ts'

export function modelDiffLines(diff: ModelDiff): readonly string[] {
  const { name, before, now, changes, inputs, outputs, metrics } = diff
  return [
    `${name}: ${before} → ${now}${before === now ? ', the same version' : ''}`,
    ...section(
      'Papers',
      changes.map(({ field, before: was, now: is }) => `${field}: ${was ?? '(none)'} → ${is ?? '(none)'}`),
    ),
    ...section('Inputs', inputs.filter(isWorthALine).map(columnText), restText(inputs)),
    ...section('Outputs', outputs.filter(isWorthALine).map(columnText), restText(outputs)),
    ...section('Metrics', metrics.length === 0 ? ['neither has any'] : metricLines(metrics)),
    ...section('Predictions', predictionLines(diff)),
  ]
}

function section(heading: string, lines: readonly string[], rest?: string): readonly string[] {
  const all = [...lines, ...(rest === undefined ? [] : [rest])]
  return ['', heading, ...(all.length === 0 ? ['the same'] : all).map(line => `  ${line}`)]
}

function isWorthALine({ change, changed, reading }: ColumnDiff): boolean {
  return change !== 'kept' || changed.length > 0 || reading === 'moved' || reading === 'moved-much'
}

function restText(columns: readonly ColumnDiff[]): string | undefined {
  const rest = columns.filter(column => !isWorthALine(column))
  const unknown = rest.filter(({ reading }) => reading === 'unknown').length
  if (rest.length === 0) return undefined
  const ofUnknown =
    unknown === 0 ? '' : `; of ${unknown} whether its values moved is unknown: no distributions in the papers`
  return `${rest.length} as before${ofUnknown}`
}

const READINGS = {
  steady: 'values as before',
  moved: 'values moved',
  'moved-much': 'values moved much',
  'too-few': 'too few rows to say',
  unknown: 'unknown whether values moved',
} as const

/** `amount: definition changed; values moved, PSI 0.134; missing 1.0 % → 2.5 %` */
export function columnText({
  name,
  change,
  changed,
  psi,
  reading,
  missingShareBefore,
  missingShareNow,
}: ColumnDiff): string {
  if (change !== 'kept') return `${name}: ${change}`
  const parts = [
    ...(changed.length === 0 ? [] : [`${changed.join(', ')} changed`]),
    `${READINGS[reading]}${psi === null ? '' : `, PSI ${psi.toFixed(3)}`}`,
    ...(missingShareBefore === missingShareNow
      ? []
      : [`missing ${percent(missingShareBefore)} → ${percent(missingShareNow)}`]),
  ]
  return `${name}: ${parts.join('; ')}`
}

export function percent(share: number | null): string {
  return share === null ? 'unknown' : `${(share * 100).toFixed(1)} %`
}

function metricLines(metrics: readonly MetricDiff[]): readonly string[] {
  const cell = (value: number | null): string => (value === null ? 'unknown' : shortNumber(value))
  return textTable(
    ['metric', 'slice', 'before', 'now', 'difference'],
    metrics.map(({ metric, slice, before, now, difference }) => [
      metric,
      slice,
      cell(before),
      cell(now),
      difference === null ? 'unknown' : `${difference > 0 ? '+' : ''}${shortNumber(difference)}`,
    ]),
  )
}

export function sampleText(sample: SampleSource): string {
  if (sample.kind === 'snapshot') return `users of the snapshot ${sample.partition}, batch ${sample.batchId}`
  if (sample.kind === 'golden') return `golden rows of ${sample.batchId}, which are nobody: ${sample.why}`
  return `nobody: ${sample.why}`
}

function predictionLines({ sample, predictions, users }: ModelDiff): readonly string[] {
  const asked = `asked about ${sampleText(sample)}`
  if (predictions === null) return [asked]
  const { rows, compared, leftOut, tolerance, outputs } = predictions
  return [
    asked,
    `${compared} of ${rows} rows compared`,
    ...Object.entries(leftOut).map(([why, count]) => `  left out ${count}: ${why}`),
    ...(outputs.length === 0 ? ['they have no output of one name'] : []),
    ...outputs.flatMap(output => [
      outputText(output, tolerance),
      ...(users === undefined
        ? output.movers.slice(0, 3).map(({ row, before, now }) => moverText(`row ${row + 1}`, before, now))
        : (users[output.name] ?? []).map(({ user, before, now }) => moverText(user, before, now))),
    ]),
  ]
}

/** `score: 12.3 % changed by more than 0.01; rank correlation 0.987; mean 0.21 → 0.24` */
export function outputText(
  { name, changedShare, rankCorrelation, meanBefore, meanNow }: OutputDiff,
  tolerance: number,
): string {
  if (meanBefore === null || meanNow === null) return `${name}: ${percent(changedShare)} have another label`
  const rank =
    rankCorrelation === null
      ? 'no rank correlation, as all of one are equal'
      : `rank correlation ${rankCorrelation.toFixed(3)}`
  const means = `mean ${shortNumber(meanBefore)} → ${shortNumber(meanNow)}`
  return `${name}: ${percent(changedShare)} changed by more than ${tolerance}; ${rank}; ${means}`
}

function moverText(who: string, before: number | string, now: number | string): string {
  return `  ${who}: ${shortNumber(before)} → ${shortNumber(now)}`
}
