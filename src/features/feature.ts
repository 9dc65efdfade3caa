// What a feature is, as plain data: it can be hashed, shown, diffed, put into a manifest and read from Python. Builders make it,
// `plan.ts` compiles it, and nothing else knows how it was written.
import type { EventContract } from '../event/contract.ts'
import type { Field, NumberField } from '../event/field.ts'
import type { Json } from '../platform/canonical-json.ts'
import type { Duration } from '../platform/duration.ts'
import type { Expression } from './expression.ts'
import type { Term, Where } from './where.ts'

export type AggregateName =
  | 'count'
  | 'sum'
  | 'mean'
  | 'min'
  | 'max'
  | 'variance'
  | 'stddev'
  | 'first'
  | 'last'
  | 'firstK'
  | 'lastK'
  | 'topK'
  | 'distinct'
  | 'percentile'
  | 'histogram'
  | 'recency'
  | 'decayed'
  | 'streak'

/** One value for each value of a field, for a bounded number of them. */
export interface Grouping {
  readonly field: string
  /** Beyond so many keys, those of smallest hash stay complete and the rest is `other`. */
  readonly keysMax: number
}

export interface AggregateFeature<Value = unknown> {
  readonly kind: 'aggregate'
  readonly aggregate: AggregateName
  readonly event: EventContract
  readonly field: string | undefined
  /** Decimal places of the stored integers; undefined where values are stored as they are. */
  readonly scale: number | undefined
  readonly where: readonly Term[]
  /** Undefined: over the user's whole life. */
  readonly withinMs: number | undefined
  readonly by: Grouping | undefined
  /** What decides what is kept: a part of the state's fingerprint. */
  readonly stateParameters: Readonly<Record<string, Json>>
  /** What decides how the state is read: a part of the feature's own fingerprint. */
  readonly readParameters: Readonly<Record<string, Json>>
  /** Carries the TypeScript type; never present at run time. */
  readonly valueType?: Value
}

export interface RatioFeature<Value = unknown> {
  readonly kind: 'ratio'
  readonly numerator: AggregateFeature<number | null>
  readonly denominator: AggregateFeature<number | null>
  readonly valueType?: Value
}

/** An expression over other features of the set, and over features of its own. `Names`: the features that it names. */
export interface DerivedFeature<Value = unknown, Names extends string = string> {
  readonly kind: 'derived'
  readonly expression: Expression
  readonly valueType?: Value
  readonly namesType?: Names
}

export type Feature<Value = unknown> = AggregateFeature<Value> | RatioFeature<Value> | DerivedFeature<Value>

export interface FeatureSet<Features extends Readonly<Record<string, Feature>> = Readonly<Record<string, Feature>>> {
  readonly kind: 'features'
  readonly features: Features
}

/** What a GET answers for these features, as a TypeScript type. */
export type ValuesOf<Set extends FeatureSet> = {
  readonly [Name in keyof Set['features']]: Set['features'][Name] extends { readonly valueType?: infer Value }
    ? Exclude<Value, undefined> | null
    : never
}

export type FieldOf<E extends EventContract, Wanted> = {
  [Name in keyof E['fields'] & string]: E['fields'][Name] extends Wanted ? Name : never
}[keyof E['fields'] & string]

export interface WhereOption<E extends EventContract> {
  readonly where?: Where<E>
}

export interface ByOption<E extends EventContract, By extends FieldOf<E, Field> = FieldOf<E, Field>> {
  /** A field: one value for each of its values. A number field groups by its decimal text. */
  readonly by?: By
  /** Most keys that stay complete; 32 unless given. */
  readonly keys?: number
}

export interface WindowOptions<E extends EventContract, By extends FieldOf<E, Field> = FieldOf<E, Field>>
  extends WhereOption<E>,
    ByOption<E, By> {
  readonly within?: Duration
}

/** What a feature with `by` answers. While `exact`, `other` is absent and every key is in `groups`. */
export interface Grouped<Value> {
  readonly exact: boolean
  readonly groups: Readonly<Record<string, Value>>
  /** The same over all events of keys that are not in `groups`; absent while there are none. */
  readonly other?: Value
}

/** The value's type, `By` being the field that was given, or never. Of the options this alone is inferred, so that a wrong name among them does not compile. */
export type Answer<By extends string, Value> = [By] extends [never] ? Value : Grouped<Value>

export type NumberFieldOf<E extends EventContract> = FieldOf<E, NumberField>

/** The aggregates that a feature is made of; what it names is not its own. */
export function aggregatesOf(feature: Feature): readonly AggregateFeature[] {
  switch (feature.kind) {
    case 'aggregate':
      return [feature]
    case 'ratio':
      return [feature.numerator, feature.denominator]
    case 'derived':
      return aggregatesIn(feature.expression)
  }
}

function aggregatesIn(expression: Expression): readonly AggregateFeature[] {
  if (expression.kind === 'feature') return aggregatesOf(expression.feature)
  return expression.kind === 'operation' ? expression.operands.flatMap(aggregatesIn) : []
}
