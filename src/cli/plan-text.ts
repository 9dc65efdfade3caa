// What a deploy would do, as lines for people.
import { toRfc3339 } from '../platform/clock.ts'
import { isEmptyDiff } from '../predictions/definitions-diff.ts'
import type { FoundDefinitions } from '../predictions/definitions-table.ts'
import { stateText } from '../recompute/definition-too-big.ts'
import type { ChangePlan } from '../replay/plan-change.ts'
import type { ModelChange } from '../replay/plan-models.ts'
import { diffLines, readinessText } from './diff-text.ts'
import type { TriedEvents } from './plan-events.ts'
import { percent, reasonLines } from './refused-text.ts'

export interface PlanText {
  readonly pipeline: string
  /** Null with --offline. */
  readonly stage: string | null
  readonly deployed: FoundDefinitions | undefined
  readonly plan: ChangePlan
  readonly events: TriedEvents | undefined
}

const STATES_SHOWN = 3

export function planLines({ pipeline, stage, deployed, plan, events }: PlanText): readonly string[] {
  return [
    ...againstLines({ pipeline, stage, deployed, plan }),
    ...(stage === null ? [] : modelLines(plan.models)),
    ...(events === undefined ? [] : eventLines(events)),
    ...bytesLines(plan),
    plan.breaks.length === 0 ? 'Nothing would break.' : `It would break something: ${plan.breaks.join('; ')}.`,
  ]
}

function againstLines({ pipeline, stage, deployed, plan }: Omit<PlanText, 'events'>): readonly string[] {
  if (stage === null) return [`${pipeline}: this folder alone`]
  if (deployed === undefined) {
    return [
      `${pipeline}, stage ${stage}: nothing is recorded as deployed, so everything is new`,
      'Users that are there already may wait for more than is told here.',
    ]
  }
  const { entry, release } = deployed
  const from = `${entry.batchId} of ${toRfc3339(entry.at)}${release === null ? '' : `, release ${release}`}`
  const readinessOf = (name: string): string | undefined => {
    const readiness = plan.readiness.get(name)
    return readiness === undefined ? undefined : readinessText(readiness)
  }
  return [
    `${pipeline}, stage ${stage}: this folder against ${from}`,
    ...(isEmptyDiff(plan.diff) ? ['Nothing has changed.'] : diffLines(plan.diff, readinessOf)),
  ]
}

function modelLines(models: readonly ModelChange[]): readonly string[] {
  if (models.length === 0) return []
  return ['Models in production:', ...models.map(model => `  ${model.name}: ${modelText(model)}`)]
}

function modelText(change: ModelChange): string {
  const { batchId, status, servedByNow, isRefusedAlready, detail, waitsFor } = change
  switch (status) {
    case 'serves':
      return servedByNow === null || servedByNow === batchId
        ? `${batchId} goes on`
        : `${batchId} would serve everybody, instead of ${servedByNow}, which stands in for it now`
    case 'waits':
      return `${batchId} is not ready for users that are there already until ${waitsFor.join(', ')} can be told`
    case 'stood-in':
      return standInText(change)
    case 'refused':
      return `${batchId} ${isRefusedAlready ? 'is refused already' : 'would be refused, for everybody'}: ${detail}; none of the versions before it fits, so there is no prediction until one that does is in production`
    case 'no-artifact':
      return 'none is published'
    case 'unknown':
      return 'nobody looked'
  }
}

/** Which version, for whom, and until when. */
function standInText({ batchId, servedBy, servedByNow, isRefusedAlready, detail, waitsFor }: ModelChange): string {
  const refused = `${batchId} ${isRefusedAlready ? 'is refused already' : 'would be refused'}: ${detail}`
  const isSo = isRefusedAlready && servedByNow === servedBy
  const forWhom =
    waitsFor.length === 0
      ? 'for everybody'
      : `for new users, and for those that are there already once ${waitsFor.join(', ')} can be told,`
  const standsIn = `${servedBy}, the newest before it that fits, ${isSo ? 'stands in' : 'would stand in'} ${forWhom}`
  return `${refused}; ${standsIn} until a version that fits is in production`
}

function eventLines({ source, events, isWhole, newlyRefused, newlyTaken, reasons }: TriedEvents): readonly string[] {
  const of = `${isWhole ? '' : 'the first '}${events} events of ${source}`
  if (events === 0) return [`Events: none of ${source}`]
  const share = newlyRefused === 0 ? '' : ` (${percent(newlyRefused / events)})`
  return [
    `Events: of ${of}, ${newlyRefused}${share} would be refused that were not, ${newlyTaken} taken that were refused`,
    ...reasons.flatMap(reason => reasonLines(reason, 'event')).map(line => (line === '' ? '' : `  ${line}`)),
  ]
}

function bytesLines({ bytes: { before, after, worstWhileCarried } }: ChangePlan): readonly string[] {
  const { typical, worst, bytesTarget, bytesMax, features } = after
  const over = typical.bytes > bytesTarget ? ', more than it shall have' : ''
  const changed = (was: number | undefined, is: number): string =>
    was === undefined || was === is ? `${is}` : `${was} → ${is}`
  return [
    `A user's item, with ${features} features:`,
    `  typical: ${changed(before?.typical, typical.bytes)} bytes (target ${bytesTarget}${over}), ${changed(before?.dollarsPerMillionEvents, typical.dollarsPerMillionEvents)} $ per million events`,
    `  largest: ${changed(before?.worst, worst.bytes)} bytes of ${bytesMax}, ${worst.dollarsPerMillionEvents} $ per million events`,
    ...(worstWhileCarried === worst.bytes
      ? []
      : [`  largest while states that nobody reads any more are carried, for 14 days: ${worstWhileCarried} bytes`]),
    `  most of the largest: ${worst.states.slice(0, STATES_SHOWN).map(stateText).join('; ')}`,
  ]
}
