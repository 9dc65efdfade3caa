// Definitions compiled once: which states there are, which events touch which, what each feature reads. Several features over
// one state share it, whatever their windows.
import type { EventContract } from '../event/contract.ts'
import { DefinitionError } from '../event/errors.ts'
import { byCodePoint, canonicalJson } from '../platform/canonical-json.ts'
import { sha256Hex } from '../platform/hash.ts'
import type { Aggregator } from './aggregators/aggregator.ts'
import { aggregatorOf } from './aggregators/aggregator-of.ts'
import { inOrderOfNeed } from './define.ts'
import { describeState, featureFingerprint, stateName } from './describe.ts'
import type { Constant, Expression, Operator } from './expression.ts'
import { type AggregateFeature, aggregatesOf, type Feature, type FeatureSet } from './feature.ts'
import { type CellReader, cellReaderOf } from './read-cell.ts'
import type { Term } from './where.ts'
import { decayWindow, LEVELS, type LevelKey, type Window, windowOf } from './windows.ts'

/** 48 bits of the state fingerprint name it inside an item: short, and checked for collisions when defined. */
const STATE_KEY_DIGITS = 12

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
  readonly aggregator: Aggregator
  /** The state is the newest k events alone, in no tiles; 0: tiles. */
  readonly newestK: number
  readonly eventType: string
  readonly field: string | undefined
  /** Events without a value of it are in no group. */
  readonly byField: string | undefined
  readonly where: readonly Term[]
  /** One for each level, finest first. */
  readonly tiers: readonly Tier[]
  readonly hasLifetime: boolean
  /** Finite windows over this state, longest last. */
  readonly windows: readonly Window[]
}

export interface AggregatePlan {
  readonly kind: 'aggregate'
  readonly feature: AggregateFeature
  readonly state: StatePlan
  readonly window: Window | undefined
  readonly read: CellReader
}

export interface RatioPlan {
  readonly kind: 'ratio'
  readonly numerator: AggregatePlan
  readonly denominator: AggregatePlan
}

export interface DerivedPlan {
  readonly kind: 'derived'
  readonly expression: ExpressionPlan
}

export type ExpressionPlan =
  | { readonly kind: 'constant'; readonly value: Constant }
  /** Index into `FeaturesPlan.features`. */
  | { readonly kind: 'named'; readonly index: number }
  | { readonly kind: 'feature'; readonly compute: ComputePlan }
  | { readonly kind: 'operation'; readonly operator: Operator; readonly operands: readonly ExpressionPlan[] }

export type ComputePlan = AggregatePlan | RatioPlan | DerivedPlan

export interface FeaturePlan {
  readonly name: string
  /** SHA-256 of the feature's canonical definition. */
  readonly fingerprint: string
  readonly compute: ComputePlan
}

export interface FeaturesPlan {
  /** By name. */
  readonly features: readonly FeaturePlan[]
  /** Indices of `features`, each after those that it names. */
  readonly order: readonly number[]
  readonly states: ReadonlyMap<string, StatePlan>
  readonly statesByEventType: ReadonlyMap<string, readonly StatePlan[]>
}

/** Throws DefinitionError. */
export function compileFeatures(set: FeatureSet): FeaturesPlan {
  // By name, so that the order of writing changes no byte of an answer.
  const entries = Object.entries(set.features).sort(([a], [b]) => byCodePoint(a, b))
  const found = collectStates(entries.flatMap(([, feature]) => aggregatesOf(feature)))
  const states = new Map([...found].map(([key, state]) => [key, statePlan(key, state)]))
  const statesByEventType = new Map<string, StatePlan[]>()
  for (const state of states.values()) {
    const list = statesByEventType.get(state.eventType)
    if (list === undefined) statesByEventType.set(state.eventType, [state])
    else list.push(state)
  }
  const indices = new Map(entries.map(([name], index) => [name, index]))
  const compiler = new Compiler(states, indices)
  const features = entries.map(([name, feature]) => ({
    name,
    fingerprint: featureFingerprint(feature, set.features),
    compute: compiler.compute(feature),
  }))
  const order = inOrderOfNeed(set.features).map(name => indices.get(name) ?? 0)
  return { features, order, states, statesByEventType }
}

function stateKey(feature: AggregateFeature): string {
  return sha256Hex(canonicalJson(describeState(feature))).slice(0, STATE_KEY_DIGITS)
}

interface FoundState {
  readonly feature: AggregateFeature
  readonly withinMs: Set<number>
  hasLifetime: boolean
}

function collectStates(features: readonly AggregateFeature[]): Map<string, FoundState> {
  const found = new Map<string, FoundState>()
  for (const feature of features) {
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

function statePlan(key: string, { feature, withinMs, hasLifetime }: FoundState): StatePlan {
  const halfLifeMs = feature.stateParameters['halfLifeMs']
  const decay = typeof halfLifeMs === 'number' ? decayWindow(halfLifeMs) : undefined
  const windows = decay === undefined ? [...withinMs].sort((a, b) => a - b).map(windowOf) : [decay]
  const isNewest = stateName(feature) === 'newest' && feature.by === undefined
  return {
    key,
    aggregator: aggregatorOf(feature),
    newestK: isNewest ? Number(feature.stateParameters['k'] ?? 1) : 0,
    eventType: feature.event.type,
    field: feature.field,
    byField: feature.by?.field,
    where: feature.where,
    tiers: decay === undefined ? levelTiers(windows) : [ownTier(decay)],
    hasLifetime: decay === undefined && (hasLifetime || isNewest),
    windows,
  }
}

function levelTiers(windows: readonly Window[]): readonly Tier[] {
  const used = LEVELS.filter(level => windows.some(window => window.hopMs === level.ms))
  return LEVELS.map(({ key, ms }) => {
    const coarser = used.find(other => other.ms > ms)
    const splitBy = coarser === undefined ? windows : windows.filter(window => window.hopMs < coarser.ms)
    return { key, ms, isFolded: used.some(other => other.ms === ms), coarser, splitBy }
  })
}

function ownTier(window: Window): Tier {
  return { key: 'x', ms: window.hopMs, isFolded: true, coarser: undefined, splitBy: [window] }
}

class Compiler {
  readonly #states: ReadonlyMap<string, StatePlan>
  readonly #indices: ReadonlyMap<string, number>

  constructor(states: ReadonlyMap<string, StatePlan>, indices: ReadonlyMap<string, number>) {
    this.#states = states
    this.#indices = indices
  }

  compute(feature: Feature): ComputePlan {
    switch (feature.kind) {
      case 'aggregate':
        return this.#aggregate(feature)
      case 'ratio':
        return {
          kind: 'ratio',
          numerator: this.#aggregate(feature.numerator),
          denominator: this.#aggregate(feature.denominator),
        }
      case 'derived':
        return { kind: 'derived', expression: this.#expression(feature.expression) }
    }
  }

  #expression(expression: Expression): ExpressionPlan {
    switch (expression.kind) {
      case 'constant':
        return expression
      case 'name':
        return { kind: 'named', index: this.#indices.get(expression.name) ?? -1 }
      case 'feature':
        return { kind: 'feature', compute: this.compute(expression.feature) }
      case 'operation':
        return { ...expression, operands: expression.operands.map(operand => this.#expression(operand)) }
    }
  }

  #aggregate(feature: AggregateFeature): AggregatePlan {
    const state = this.#states.get(stateKey(feature))
    if (state === undefined) throw new DefinitionError('A feature without its state', 'Report this: it is a defect.')
    const isDecayed = feature.aggregate === 'decayed'
    const window = isDecayed
      ? state.windows[0]
      : feature.withinMs === undefined
        ? undefined
        : windowOf(feature.withinMs)
    return { kind: 'aggregate', feature, state, window, read: cellReaderOf(feature) }
  }
}

/** Which contract a plan's event types come from; for limits that belong to the event. */
export function latenessOf(events: readonly EventContract[]): (type: string) => number {
  const byType = new Map(events.map(event => [event.type, event.latenessMs]))
  return type => byType.get(type) ?? 0
}
