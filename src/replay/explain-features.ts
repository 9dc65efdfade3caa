// A user's features at an instant, each with what it is made of. The values are those of the obvious implementation, so that an
// explanation never repeats a mistake of the fold.
import type { DecodedEvent } from '../event/decoded-event.ts'
import { namesIn } from '../features/expression.ts'
import { aggregatesOf, type Feature, type FeatureSet } from '../features/feature.ts'
import type { FeatureValue } from '../features/features-body.ts'
import { type Evidence, evidenceOf, nextStep } from './explain-evidence.ts'
import { obviousFeatures } from './obvious-features.ts'

export interface ExplainedFeature {
  readonly name: string
  readonly feature: Feature
  readonly value: FeatureValue
  /** Of the aggregates that it is made of; of a ratio the numerator first. */
  readonly evidence: readonly Evidence[]
  /** Of a derived feature: the features that it names, with their values. */
  readonly inputs: Readonly<Record<string, FeatureValue>>
}

export interface UserMoment {
  /** The instant of evaluation. */
  readonly atMs: number
  /** All that was known, each event once. */
  readonly events: readonly DecodedEvent[]
  readonly features: readonly ExplainedFeature[]
}

export interface NextChange {
  readonly atMs: number
  /** Empty: up to this instant nothing changes, and further was not looked. */
  readonly changes: readonly { readonly name: string; readonly from: FeatureValue; readonly to: FeatureValue }[]
}

/** The features at max(t, the newest event). */
export function explainMoment(set: FeatureSet, events: readonly DecodedEvent[], t: number): UserMoment {
  const atMs = events.reduce((latest, { ts }) => Math.max(latest, ts), t)
  const values = obviousFeatures(set, events, atMs)
  const features = Object.entries(set.features).map(([name, feature]) => ({
    name,
    feature,
    value: values[name] ?? null,
    evidence: aggregatesOf(feature).map(aggregate => evidenceOf(aggregate, events, atMs)),
    inputs: inputsOf(feature, values),
  }))
  return { atMs, events, features }
}

function inputsOf(feature: Feature, values: Readonly<Record<string, FeatureValue>>): ExplainedFeature['inputs'] {
  if (feature.kind !== 'derived') return {}
  return Object.fromEntries(namesIn(feature.expression).map(name => [name, values[name] ?? null]))
}

/** Instants that are tried: an event that leaves a window need not change a value. */
const STEPS_MAX = 50

/** What changes next if no event comes; undefined where nothing ever will. */
export function nextChange(set: FeatureSet, now: UserMoment): NextChange | undefined {
  let moment = now
  for (let step = 0; step < STEPS_MAX; step++) {
    const { atMs: t, features } = moment
    const instants = features.flatMap(({ evidence }) =>
      evidence.map(one => nextStep(one, t) ?? Number.POSITIVE_INFINITY),
    )
    const atMs = Math.min(Number.POSITIVE_INFINITY, ...instants)
    if (atMs === Number.POSITIVE_INFINITY) return undefined
    moment = explainMoment(set, now.events, atMs)
    const changes = changesBetween(now, moment)
    if (changes.length > 0) return { atMs, changes }
  }
  return { atMs: moment.atMs, changes: [] }
}

/** Features whose value is another one. Both are exact, so that any difference is one. */
export function changesBetween(before: UserMoment, after: UserMoment): NextChange['changes'] {
  return after.features.flatMap(({ name, value }, index) => {
    const from = before.features[index]?.value ?? null
    return isSame(from, value) ? [] : [{ name, from, to: value }]
  })
}

export function isSame(a: FeatureValue, b: FeatureValue): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
