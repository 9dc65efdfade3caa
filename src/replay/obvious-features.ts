// The independent implementation of features: slow and obvious, straight from docs/features.md, over a list of all events of one
// user. It shares no code with the fold but the types of a definition, so that the two can only agree where both are right.
import { createHash } from 'node:crypto'
import type { DecodedEvent, FieldValue } from '../event/decoded-event.ts'
import type { AggregateFeature, Feature, FeatureSet } from '../features/feature.ts'
import type { FeatureValue } from '../features/features-body.ts'
import {
  aggregateOf,
  DECAY_RELATIVE_ERROR,
  decayHopMs,
  distinctAllowance,
  parameter,
  plain,
  sumWithinDoubles,
  valueOf,
} from './obvious-aggregates.ts'
import { allowedOff, type Allowance, type Answer, EXACT, exact, widest } from './obvious-answer.ts'
import { expressionAnswer, quotient } from './obvious-expressions.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const KEY_BYTES_MAX = 64

/** The features of one user at max(t, newest event): `events` in any order, repeats and all. */
export function obviousFeatures(
  set: FeatureSet,
  events: readonly DecodedEvent[],
  t: number,
): Readonly<Record<string, FeatureValue>> {
  return Object.fromEntries(Object.entries(obviousAnswers(set, events, t)).map(([name, { value }]) => [name, value]))
}

/** The same with how far off an answer may be, where the documentation allows an error. */
export function obviousAnswers(
  set: FeatureSet,
  events: readonly DecodedEvent[],
  t: number,
): Readonly<Record<string, Answer>> {
  const once = [...new Map(events.map(event => [event.idHash, event])).values()]
  const oldestFirst = once.sort((a, b) => a.ts - b.ts || (a.idHash < b.idHash ? -1 : 1))
  const instant = Math.max(t, oldestFirst.at(-1)?.ts ?? t)
  const answers = new Map<string, Answer>()
  const ofName = (name: string): Answer => {
    const known = answers.get(name) ?? ofFeature(set.features[name] as Feature)
    answers.set(name, known)
    return known
  }
  const ofFeature = (feature: Feature): Answer => {
    switch (feature.kind) {
      case 'aggregate':
        return aggregateAnswer(feature, oldestFirst, instant)
      case 'ratio':
        return quotient(ofFeature(feature.numerator), ofFeature(feature.denominator))
      case 'derived':
        return expressionAnswer(feature.expression, ofFeature, ofName)
    }
  }
  return Object.fromEntries(Object.keys(set.features).map(name => [name, ofName(name)]))
}

/**
 * Whether the value is another one than the obvious, beyond what the documentation allows. Give the allowance of `obviousAnswers`
 * where it is at hand: that of a percentile and of what is derived from it depends on the events.
 */
export function valueDiffers(
  feature: Feature,
  actual: FeatureValue | undefined,
  obvious: FeatureValue,
  allowance: Allowance = declaredAllowance(feature),
): boolean {
  if (typeof actual === 'number' && typeof obvious === 'number') {
    return !(Math.abs(actual - obvious) <= allowedOff(obvious, allowance))
  }
  const members = bothMembers(actual, obvious)
  if (members !== undefined) {
    return members.some(([left, right]) => right === undefined || valueDiffers(feature, left, right, allowance))
  }
  return actual !== obvious && allowance.absolute !== Number.POSITIVE_INFINITY
}

/** The greatest difference of two numbers as a share of the obvious one; Infinity where something else than a number differs. */
export function worstDifference(actual: FeatureValue | undefined, obvious: FeatureValue | undefined): number {
  if (actual === obvious) return 0
  if (typeof actual === 'number' && typeof obvious === 'number') {
    return obvious === 0 ? Number.POSITIVE_INFINITY : Math.abs((actual - obvious) / obvious)
  }
  const members = bothMembers(actual, obvious)
  if (members === undefined) return Number.POSITIVE_INFINITY
  return Math.max(0, ...members.map(([left, right]) => worstDifference(left, right)))
}

type Member = FeatureValue | undefined

/** What stands under each name of two lists or of two objects. */
function bothMembers(actual: Member, obvious: Member): readonly (readonly [Member, Member])[] | undefined {
  const areTrees = typeof actual === 'object' && typeof obvious === 'object' && actual !== null && obvious !== null
  if (!areTrees || Array.isArray(actual) !== Array.isArray(obvious)) return undefined
  const left = new Map<string, Member>(Object.entries(actual))
  const right = new Map<string, Member>(Object.entries(obvious))
  return [...new Set([...left.keys(), ...right.keys()])].map(name => [left.get(name), right.get(name)])
}

/** What the documentation allows whatever the events are: a percentile with no joined bins, and nothing derived from an estimate. */
function declaredAllowance(feature: Feature): Allowance {
  if (feature.kind === 'ratio') return widest([feature.numerator, feature.denominator].map(declaredAllowance))
  if (feature.kind === 'derived') return EXACT
  switch (feature.aggregate) {
    case 'percentile':
      return { relative: parameter(feature, 'error') * (1 + DECAY_RELATIVE_ERROR), absolute: 0 }
    case 'distinct':
      return distinctAllowance(feature)
    case 'decayed':
      return { relative: DECAY_RELATIVE_ERROR, absolute: 0 }
    default:
      return EXACT
  }
}

function aggregateAnswer(feature: AggregateFeature, oldestFirst: readonly DecodedEvent[], t: number): Answer {
  const from = windowStart(feature, t)
  const counted = oldestFirst.filter(
    event =>
      event.type === feature.event.type &&
      event.ts >= from &&
      event.ts <= t &&
      isMatch(feature, event) &&
      hasValue(event, feature.field) &&
      hasValue(event, feature.by?.field),
  )
  if (feature.by === undefined) return aggregateOf(feature, counted, t)
  return feature.aggregate === 'topK' ? top(feature, counted) : grouped(feature, counted, t)
}

/** An event counts from this instant on. */
function windowStart(feature: AggregateFeature, t: number): number {
  if (feature.aggregate === 'decayed') {
    const halfLifeMs = parameter(feature, 'halfLifeMs')
    return floorTo(t - 20 * halfLifeMs, decayHopMs(halfLifeMs))
  }
  return feature.withinMs === undefined
    ? Number.NEGATIVE_INFINITY
    : floorTo(t - feature.withinMs, hopMs(feature.withinMs))
}

function hopMs(withinMs: number): number {
  if (withinMs <= 2 * HOUR_MS) return MINUTE_MS
  if (withinMs <= DAY_MS) return 5 * MINUTE_MS
  return withinMs <= 14 * DAY_MS ? HOUR_MS : DAY_MS
}

function floorTo(ms: number, step: number): number {
  return Math.floor(ms / step) * step
}

function hasValue(event: DecodedEvent, field: string | undefined): boolean {
  return field === undefined || valueOf(event, field) !== null
}

function isMatch(feature: AggregateFeature, event: DecodedEvent): boolean {
  return feature.where.every(({ field, operator, value: wanted }) => {
    const value = valueOf(event, field)
    if (value === null) return false
    switch (operator) {
      case 'is':
        return value === wanted
      case 'in':
        return Array.isArray(wanted) && wanted.includes(value)
      case 'above':
        return value > wanted
      case 'atLeast':
        return value >= wanted
      case 'below':
        return value < wanted
      case 'atMost':
        return value <= wanted
    }
  })
}

/** The events of each key that stays complete, those of all other keys, and whether there are none. */
function byKey(feature: AggregateFeature, events: readonly DecodedEvent[]) {
  const keyOf = (event: DecodedEvent): string => keyText(feature, valueOf(event, feature.by?.field))
  const hash = (key: string): string => createHash('sha256').update(key).digest('hex')
  const keys = [...new Set(events.map(keyOf))].sort((a, b) => (hash(a) < hash(b) ? -1 : 1))
  const kept = keys.slice(0, feature.by?.keysMax)
  return {
    isExact: kept.length === keys.length,
    groups: kept.map(key => ({ key, events: events.filter(event => keyOf(event) === key) })),
    others: events.filter(event => !kept.includes(keyOf(event))),
  }
}

function keyText(feature: AggregateFeature, value: FieldValue): string {
  const field = feature.event.fields[feature.by?.field ?? '']
  const text = String(plain(value, field?.kind === 'number' ? field.scale : undefined))
  if (Buffer.byteLength(text) <= KEY_BYTES_MAX) return text
  return `sha256:${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
}

function grouped(feature: AggregateFeature, events: readonly DecodedEvent[], t: number): Answer {
  const { isExact, groups, others } = byKey(feature, events)
  const answers = groups.map(group => ({ key: group.key, answer: aggregateOf(feature, group.events, t) }))
  const other = isExact ? [] : [aggregateOf(feature, others, t)]
  return {
    value: {
      exact: isExact,
      groups: Object.fromEntries(answers.map(({ key, answer }) => [key, answer.value])),
      ...Object.fromEntries(other.map(({ value }) => ['other', value])),
    },
    allowance: widest([...answers.map(({ answer }) => answer.allowance), ...other.map(({ allowance }) => allowance)]),
  }
}

function top(feature: AggregateFeature, events: readonly DecodedEvent[]): Answer {
  const { isExact, groups } = byKey(feature, events)
  const amountOf = (ofKey: readonly DecodedEvent[]): number =>
    feature.field === undefined ? ofKey.length : sumWithinDoubles(feature, ofKey)
  const greatestFirst = groups
    .map(group => ({ key: group.key, value: amountOf(group.events) }))
    .sort((a, b) => b.value - a.value || byCodePoint(a.key, b.key))
  return exact({ exact: isExact, top: greatestFirst.slice(0, parameter(feature, 'k')) })
}

function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
