// Definitions compiled once: which states there are, which events touch which, what each feature reads. Several features over
// one state share it, whatever their windows.
import type { EventContract } from '../event/contract.ts'
import { DefinitionError } from '../event/errors.ts'
import { byCodePoint, canonicalJson, type Json } from '../platform/canonical-json.ts'
import { sha256Hex } from '../platform/hash.ts'
import type { AggregateFeature, Feature, FeatureSet } from './define.ts'
import type { Term } from './where.ts'
import { LEVELS, type LevelKey, type Window, windowOf } from './windows.ts'

/** 48 bits of the state fingerprint name it inside an item: short, and checked for collisions when defined. */
const STATE_KEY_DIGITS = 12

export type StateKind = 'count' | 'sum' | 'mean' | 'min' | 'max' | 'newest'

/** What becomes of the tiles of one level under a definition. */
export interface Tier {
  readonly key: LevelKey
  readonly ms: number
  /** Whether events are folded into it: some window hops by it. Tiles of other levels are those of an older definition. */
  readonly isFolded: boolean
  /** Where its tiles go once no window can tell them apart; undefined: out, or into the user's whole life. */
  readonly coarser: { readonly key: LevelKey; readonly ms: number } | undefined
  /** Windows that may still tell them apart. */
  readonly splitBy: readonly Window[]
}

export interface StatePlan {
  readonly key: string
  readonly kind: StateKind
  readonly eventType: string
  readonly field: string | undefined
  readonly where: readonly Term[]
  /** One for each level, finest first. */
  readonly tiers: readonly Tier[]
  readonly hasLifetime: boolean
  /** Finite windows over this state, longest last. */
  readonly windows: readonly Window[]
}

export interface AggregatePlan {
  readonly kind: 'aggregate'
  readonly aggregate: AggregateFeature['aggregate']
  readonly state: StatePlan
  /** 10^scale: stored integers are divided by it. */
  readonly divisor: number
  readonly window: Window | undefined
  readonly roundToMs: number | undefined
}

export interface RatioPlan {
  readonly kind: 'ratio'
  readonly numerator: AggregatePlan
  readonly denominator: AggregatePlan
}

export interface FeaturePlan {
  readonly name: string
  /** SHA-256 of the feature's canonical definition. */
  readonly fingerprint: string
  readonly compute: AggregatePlan | RatioPlan
}

export interface FeaturesPlan {
  readonly features: readonly FeaturePlan[]
  readonly states: ReadonlyMap<string, StatePlan>
  readonly statesByEventType: ReadonlyMap<string, readonly StatePlan[]>
}

/** Throws DefinitionError. */
export function compileFeatures(set: FeatureSet): FeaturesPlan {
  // By name, so that the order of writing changes no byte of an answer.
  const entries = Object.entries(set.features).sort(([a], [b]) => byCodePoint(a, b))
  const windowsByState = collectWindows(entries.map(([, feature]) => feature))
  const states = new Map([...windowsByState].map(([key, found]) => [key, statePlan(key, found)]))
  const statesByEventType = new Map<string, StatePlan[]>()
  for (const state of states.values()) {
    const list = statesByEventType.get(state.eventType)
    if (list === undefined) statesByEventType.set(state.eventType, [state])
    else list.push(state)
  }
  const features = entries.map(([name, feature]) => ({
    name,
    fingerprint: featureFingerprint(feature),
    compute: computePlan(feature, states),
  }))
  return { features, states, statesByEventType }
}

/** Canonical: two definitions that say the same have one fingerprint. */
export function featureFingerprint(feature: Feature): string {
  return sha256Hex(canonicalJson(describeFeature(feature)))
}

/** The definition as plain data, for manifests, the catalogue and people. */
export function describeFeature(feature: Feature): Json {
  if (feature.kind === 'ratio') {
    return {
      kind: 'ratio',
      numerator: describeFeature(feature.numerator),
      denominator: describeFeature(feature.denominator),
    }
  }
  return {
    kind: feature.aggregate,
    state: describeState(feature),
    withinMs: feature.withinMs ?? null,
    roundToMs: feature.roundToMs,
  }
}

function describeState(feature: AggregateFeature): Json {
  const kind = feature.field === undefined ? undefined : feature.event.fields[feature.field]?.kind
  return {
    event: feature.event.type,
    field: feature.field ?? null,
    aggregate: stateKind(feature),
    where: feature.where.map(({ field, operator, value }) => ({ field, operator, value })),
    by: null,
    scale: feature.scale ?? null,
    // A number unless said: text that was a flag before is another feature.
    type: kind === undefined || kind === 'number' ? undefined : kind,
  }
}

function stateKey(feature: AggregateFeature): string {
  return sha256Hex(canonicalJson(describeState(feature))).slice(0, STATE_KEY_DIGITS)
}

function stateKind(feature: AggregateFeature): StateKind {
  return feature.aggregate === 'last' || feature.aggregate === 'recency' ? 'newest' : feature.aggregate
}

interface FoundState {
  readonly feature: AggregateFeature
  readonly withinMs: Set<number>
  hasLifetime: boolean
}

function collectWindows(features: readonly Feature[]): Map<string, FoundState> {
  const found = new Map<string, FoundState>()
  for (const feature of features.flatMap(parts)) {
    const key = stateKey(feature)
    const state = found.get(key) ?? { feature, withinMs: new Set(), hasLifetime: false }
    if (canonicalJson(describeState(state.feature)) !== canonicalJson(describeState(feature))) {
      throw new DefinitionError(
        'Two states have the same short fingerprint',
        'Change the order of nothing; rename a field.',
      )
    }
    if (feature.withinMs === undefined) state.hasLifetime = true
    else state.withinMs.add(feature.withinMs)
    found.set(key, state)
  }
  return found
}

function parts(feature: Feature): readonly AggregateFeature[] {
  return feature.kind === 'ratio' ? [feature.numerator, feature.denominator] : [feature]
}

function statePlan(key: string, { feature, withinMs, hasLifetime }: FoundState): StatePlan {
  const windows = [...withinMs].sort((a, b) => a - b).map(windowOf)
  const used = LEVELS.filter(level => windows.some(window => window.hopMs === level.ms))
  const tiers = LEVELS.map(({ key: level, ms }) => {
    const coarser = used.find(other => other.ms > ms)
    const splitBy = coarser === undefined ? windows : windows.filter(window => window.hopMs < coarser.ms)
    return { key: level, ms, isFolded: used.some(other => other.ms === ms), coarser, splitBy }
  })
  const isNewest = stateKind(feature) === 'newest'
  return {
    key,
    kind: stateKind(feature),
    eventType: feature.event.type,
    field: feature.field,
    where: feature.where,
    tiers,
    hasLifetime: hasLifetime || isNewest,
    windows,
  }
}

function computePlan(feature: Feature, states: ReadonlyMap<string, StatePlan>): AggregatePlan | RatioPlan {
  if (feature.kind === 'ratio') {
    return {
      kind: 'ratio',
      numerator: aggregatePlan(feature.numerator, states),
      denominator: aggregatePlan(feature.denominator, states),
    }
  }
  return aggregatePlan(feature, states)
}

function aggregatePlan(feature: AggregateFeature, states: ReadonlyMap<string, StatePlan>): AggregatePlan {
  const state = states.get(stateKey(feature))
  if (state === undefined) throw new DefinitionError('A feature without its state', 'Report this: it is a defect.')
  return {
    kind: 'aggregate',
    aggregate: feature.aggregate,
    state,
    divisor: 10 ** (feature.scale ?? 0),
    window: feature.withinMs === undefined ? undefined : windowOf(feature.withinMs),
    roundToMs: feature.roundToMs,
  }
}

/** Which contract a plan's event types come from; for limits that belong to the event. */
export function latenessOf(events: readonly EventContract[]): (type: string) => number {
  const byType = new Map(events.map(event => [event.type, event.latenessMs]))
  return type => byType.get(type) ?? 0
}
