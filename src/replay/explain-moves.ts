// What moved between two instants of one user: which features, and for each by which events, those that came and those that left
// its window.
import type { DecodedEvent } from '../event/decoded-event.ts'
import type { FeatureValue } from '../features/features-body.ts'
import type { AggregateFeature, Feature } from '../features/feature.ts'
import type { Evidence } from './explain-evidence.ts'
import { isSame, type UserMoment } from './explain-features.ts'

export interface Move {
  readonly name: string
  readonly feature: Feature
  readonly from: FeatureValue
  readonly to: FeatureValue
  /** Of the aggregates that the feature is made of. */
  readonly parts: readonly MovedPart[]
}

export interface MovedPart {
  readonly feature: AggregateFeature
  /** How many events counted. */
  readonly before: number
  readonly after: number
  readonly came: readonly DecodedEvent[]
  readonly left: readonly DecodedEvent[]
}

/** Both of the same features. */
export function movesBetween(before: UserMoment, after: UserMoment): readonly Move[] {
  return after.features.flatMap(({ name, feature, value, evidence }, index) => {
    const was = before.features[index]
    if (was === undefined || isSame(was.value, value)) return []
    const parts = evidence.map((one, part) => movedPart(was.evidence[part], one))
    return [{ name, feature, from: was.value, to: value, parts }]
  })
}

function movedPart(before: Evidence | undefined, after: Evidence): MovedPart {
  const earlier = before?.events ?? []
  return {
    feature: after.feature,
    before: earlier.length,
    after: after.events.length,
    came: notIn(earlier, after.events),
    left: notIn(after.events, earlier),
  }
}

function notIn(known: readonly DecodedEvent[], events: readonly DecodedEvent[]): readonly DecodedEvent[] {
  const ids = new Set(known.map(({ idHash }) => idHash))
  return events.filter(({ idHash }) => !ids.has(idHash))
}
