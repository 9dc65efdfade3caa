// An explanation for somebody who sees these words for the first time: what was known, what each feature is made of, what comes
// next, what the models said, and whether that is what is stored.
import type { AggregateName } from '../features/feature.ts'
import { featureText } from '../predictions/definition-text.ts'
import type { Evidence } from '../replay/explain-evidence.ts'
import type { ExplainedFeature, NextChange } from '../replay/explain-features.ts'
import type { ExplainedModel } from '../replay/explain-models.ts'
import type { ComparedItem, ComparedPrediction, StoredComparison } from '../replay/explain-stored.ts'
import { servedBy } from '../replay/explain-serving.ts'
import type { Explanation } from '../replay/explain-user.ts'
import { arrow, instant, plural, predictionText, shown, table, titledTable } from './explain-words.ts'
import { describeSince } from './users-explain-since.ts'
import { describeDifference } from './verify-text.ts'

export function describeExplanation(explanation: Explanation): string[] {
  const { userId, askedMs, next, models, stored, since } = explanation
  return [
    `${userId} at ${instant(askedMs)}`,
    ...describeKnown(explanation),
    '',
    ...titledTable(
      ['FEATURE', 'VALUE', 'EVENTS', 'FIRST EVENT', 'LAST EVENT', 'SUM', 'DEFINITION'],
      explanation.moment.features.flatMap(featureRows),
    ),
    'Windows begin at a whole minute, 5 minutes, hour or day, UTC, by their length; a recency is in seconds.',
    '',
    ...describeNext(next),
    ...(models.length === 0 ? [] : ['', ...models.map(describeModel)]),
    ...(stored === undefined ? [] : ['', ...describeStored(stored, models)]),
    ...(since === undefined ? [] : ['', ...describeSince(explanation, since)]),
  ]
}

function describeKnown({ moment: { events, atMs }, askedMs, setAside }: Explanation): string[] {
  const times = events.map(({ ts }) => ts)
  const [first, newest] = [Math.min(...times), Math.max(...times)]
  return [
    `Known by then: ${plural(events.length, 'event')}, the first of ${instant(first)}, the newest of ${instant(newest)}.`,
    ...(atMs > askedMs ? ['The newest is ahead of that instant, so the features are those of its time.'] : []),
    ...(setAside === 0 ? [] : [`${plural(setAside, 'event')} more counted for nothing: dead letters or given up.`]),
  ]
}

/** A line for the feature, and where it is made of several parts one for each of them. */
function featureRows({ name, value, feature, evidence, inputs }: ExplainedFeature): string[][] {
  const [first, second] = evidence
  if (feature.kind === 'aggregate' && first !== undefined) return [[name, shown(value), ...evidenceCells(first)]]
  if (feature.kind === 'ratio' && first !== undefined && second !== undefined) {
    const [, from = '', to = ''] = evidenceCells(second)
    const counts = `${first.events.length} of ${second.events.length}`
    return [[name, shown(value), counts, from, to, '', featureText(feature)]]
  }
  const named = Object.entries(inputs).map(([input, its]) => `${input} ${shown(its)}`)
  const from = named.length === 0 ? '' : `, of ${named.join(', ')}`
  const own = [name, shown(value), '', '', '', '', `${featureText(feature)}${from}`]
  return [own, ...evidence.map(one => ['', '', ...evidenceCells(one)])]
}

/** Aggregates that add: of others the sum says nothing of the value. */
const ADDING: readonly AggregateName[] = ['sum', 'mean', 'variance', 'stddev', 'decayed']

function evidenceCells({ feature, events, sum }: Evidence): string[] {
  const [first, last] = [events[0], events.at(-1)]
  const isSumShown = ADDING.includes(feature.aggregate) && events.length > 0
  return [
    String(events.length),
    first === undefined ? '' : instant(first.ts),
    last === undefined ? '' : instant(last.ts),
    isSumShown && sum !== undefined ? shown(sum) : '',
    featureText(feature),
  ]
}

function describeNext(next: NextChange | undefined): string[] {
  if (next === undefined) return ['If no event comes, nothing changes any more.']
  if (next.changes.length === 0) return [`If no event comes, nothing changes until ${instant(next.atMs)} at least.`]
  return [
    `If no event comes, these change next, at ${instant(next.atMs)}:`,
    ...table(next.changes.map(({ name, from, to }) => [name, arrow(shown(from), shown(to))])),
  ]
}

function describeModel({ name, entry, standIn, prediction }: ExplainedModel): string {
  if (entry === undefined) return `Model ${name}: none was in production.`
  const { batchId, at, who, why } = entry
  const said = `Model ${name}: ${predictionText(prediction)}, by version`
  const since = `in production since ${instant(at)} (${who}: ${why})`
  if (standIn === undefined) return `${said} ${batchId}, ${since}.`
  return `${said} ${standIn.entry.batchId}, which stands in for ${batchId}, ${since}: ${batchId} is not ready, as ${standIn.why}.`
}

function describeStored({ verdict, item }: StoredComparison, models: readonly ExplainedModel[]): string[] {
  switch (verdict.kind) {
    case 'corrupt':
      return [`Stored: the item cannot be read: ${verdict.detail}.`]
    case 'behind':
      return [
        `Stored: the item contains events that the archive does not have yet (${verdict.shard}), so it is ahead of what stands here. Ask again in a minute.`,
      ]
    case 'unarchived':
      return [
        `Stored: the item contains events that the archive lacks and will not get (${verdict.shard} is gone from the stream), so it is ahead of what stands here.`,
      ]
    case 'extra':
    case 'missing':
    case 'none':
      return ['Stored: an item, though no event in history could have made it.']
    default:
      return item === undefined
        ? []
        : [...describeItem(item), ...describeVerdict(verdict), ...describePredictions(item, models)]
  }
}

function describeItem(item: ComparedItem): string[] {
  const { version, asOfMs, freshUntilMs, isOfToday, isFresh, isExact, notYetFolded } = item
  const until = freshUntilMs === undefined ? 'the next event' : instant(freshUntilMs)
  const other = isOfToday ? 'other versions of models than serve now' : 'other definitions than those of today'
  const why = isOfToday && !isFresh ? 'which is over' : `but by ${other}`
  const get = isExact ? '; a GET hands it out as it is' : `, ${why}, so a GET evaluates it anew`
  return [
    `Stored: version ${version} as of ${instant(asOfMs)}, exact until ${until}${get}.`,
    ...(notYetFolded === 0
      ? []
      : [`  ${plural(notYetFolded, 'event')} of those above came later and is not in it yet.`]),
  ]
}

function describeVerdict(verdict: Extract<StoredComparison['verdict'], { readonly values: number }>): string[] {
  const pending = verdict.backfilling === 0 ? '' : `; ${plural(verdict.backfilling, 'feature')} null until backfilled`
  if (verdict.kind === 'matched')
    return [`  Its features are what history says, at that instant and evaluated for now${pending}.`]
  return [
    '  Its features are not what history says:',
    ...verdict.differences.map(one => `    ${describeDifference(one)}`),
  ]
}

function describePredictions({ predictions }: ComparedItem, models: readonly ExplainedModel[]): string[] {
  return predictions.flatMap(prediction => {
    const { name, stored, recomputed, isSame } = prediction
    const by = versionLines(
      prediction,
      models.find(model => model.name === name),
    )
    if (!isSame)
      return [
        `  Its prediction of ${name} is ${predictionText(stored)}; the model says ${predictionText(recomputed)}.`,
        ...by,
      ]
    if (stored.status === 'no-model') return [`  It has no prediction of ${name}: no version was in production.`, ...by]
    return [`  Its prediction of ${name} is what the model says of them: ${predictionText(stored)}.`, ...by]
  })
}

/** Which version made it, where that is not the one in production, and why. */
function versionLines({ stored, version }: ComparedPrediction, model: ExplainedModel | undefined): string[] {
  const current = model?.entry?.batchId
  const standIn = model?.standIn
  if (version === 'production' || stored.batchId === undefined || model === undefined || current === undefined)
    return []
  const by = `    It was made by version ${stored.batchId}`
  if (version === 'stand-in' && standIn !== undefined)
    return [`${by}, as ${current}, which is in production, is not ready: ${standIn.why}.`]
  return [`${by}; ${servedBy(model)?.batchId} serves now.`]
}
