// What moved between two instants, in words: each feature with the events that came and that left, and each prediction with what
// every moved input did to it.
import type { Prediction } from '../predictions/evaluated-user.ts'
import { outputNumbers } from '../predictions/output-numbers.ts'
import type { MovedModel } from '../replay/explain-models.ts'
import type { Move, MovedPart } from '../replay/explain-moves.ts'
import { servedBy } from '../replay/explain-serving.ts'
import type { ExplainedSince, Explanation } from '../replay/explain-user.ts'
import type { InputShare } from '../replay/input-shares.ts'
import { featureText } from '../predictions/definition-text.ts'
import { arrow, instant, plural, predictionText, shown, titledTable } from './explain-words.ts'

export function describeSince({ askedMs, moment }: Explanation, since: ExplainedSince): string[] {
  const { moves, movedModels } = since
  const ids = new Set(since.moment.events.map(({ idHash }) => idHash))
  const came = moment.events.filter(({ idHash }) => !ids.has(idHash)).length
  return [
    `What moved from ${instant(since.askedMs)} to ${instant(askedMs)}: ${plural(came, 'event')} came.`,
    ...(moves.length === 0 ? ['No feature has another value.'] : ['', ...titledTable(MOVES_HEAD, moves.map(moveRow))]),
    ...movedModels.flatMap(moved => ['', ...describeMovedModel(moved, moves)]),
    ...(movedModels.length === 0 && since.models.length > 0 ? ['', 'No prediction moved.'] : []),
  ]
}

const MOVES_HEAD = ['FEATURE', 'BEFORE → AFTER', 'WHY']

function moveRow({ name, from, to, parts, feature }: Move): string[] {
  if (feature.kind === 'derived' && parts.length === 0)
    return [name, arrow(shown(from), shown(to)), featureText(feature)]
  const [numerator, denominator] = parts
  const why =
    feature.kind === 'ratio' && numerator !== undefined && denominator !== undefined
      ? [ratioCounts(numerator, denominator), changesOf(denominator)].filter(Boolean).join('; ')
      : parts.map(part => `${plural(part.before, 'event')} → ${part.after}${and(changesOf(part))}`).join(', ')
  return [name, arrow(shown(from), shown(to)), why]
}

function ratioCounts(numerator: MovedPart, denominator: MovedPart): string {
  return `${numerator.before} of ${plural(denominator.before, 'event')} → ${numerator.after} of ${denominator.after}`
}

function changesOf({ came, left, feature }: MovedPart): string {
  const where =
    feature.withinMs === undefined && feature.aggregate !== 'decayed' ? 'no longer count' : 'left the window'
  const changes = [
    ...(came.length === 0 ? [] : [`${came.length} came`]),
    ...(left.length === 0 ? [] : [`${left.length} ${where}`]),
  ]
  return changes.length === 0 ? 'by time alone' : changes.join(', ')
}

function and(text: string): string {
  return text === '' ? '' : `; ${text}`
}

function describeMovedModel(moved: MovedModel, moves: readonly Move[]): string[] {
  const { name, from, to, byVersionAlone, shares } = moved
  const [was, is] = [servedBy(from)?.batchId, servedBy(to)?.batchId]
  const versions = was === is ? 'by the same version' : `from version ${was ?? 'none'} to ${is ?? 'none'}`
  const before = byVersionAlone ?? from.prediction
  return [
    `Model ${name}: ${movedText(from.prediction, to.prediction)}, ${versions}.`,
    ...(byVersionAlone === undefined
      ? []
      : [`The other version alone makes of the features before: ${predictionText(byVersionAlone)}.`]),
    ...(shares === undefined || shares.length === 0
      ? []
      : [
          'What each input that moved did to it, over many orders in which they could have moved:',
          ...titledTable(
            ['INPUT', 'BEFORE → AFTER', ...outputsOf(to.prediction)],
            [
              ...shareRows(shares, outputsOf(to.prediction), moves),
              ['in all', '', ...outputsOf(to.prediction).map(output => signed(moveOf(to.prediction, before, output)))],
            ],
          ),
        ]),
  ]
}

/** `probability 0.2 → 0.3`, or in whole where one of them has no value. */
function movedText(from: Prediction, to: Prediction): string {
  if (from.value === undefined || to.value === undefined) return arrow(predictionText(from), predictionText(to))
  const { value } = from
  return Object.entries(to.value)
    .map(([output, number]) => `${output} ${arrow(shown(value[output] ?? null), shown(number))}`)
    .join(', ')
}

function shareRows(shares: readonly InputShare[], outputs: readonly string[], moves: readonly Move[]): string[][] {
  const [main = ''] = outputs
  const size = ({ effects }: InputShare): number => Math.abs(effects[main] ?? 0)
  return shares
    .toSorted((a, b) => size(b) - size(a))
    .map(({ input, effects }) => {
      const move = moves.find(({ name }) => name === input)
      const values = move === undefined ? '' : arrow(shown(move.from), shown(move.to))
      return [input, values, ...outputs.map(output => signed(effects[output] ?? Number.NaN))]
    })
}

function moveOf(to: Prediction, from: Prediction, output: string): number {
  return (outputNumbers(to.value)[output] ?? Number.NaN) - (outputNumbers(from.value)[output] ?? Number.NaN)
}

function outputsOf({ value = {} }: Prediction): string[] {
  return Object.keys(outputNumbers(value))
}

const EFFECT_DECIMALS = 4

function signed(effect: number): string {
  if (Number.isNaN(effect)) return 'none'
  const text = Math.abs(effect).toFixed(EFFECT_DECIMALS)
  return `${Number(text) === 0 ? ' ' : effect < 0 ? '−' : '+'}${text}`
}
