// Any definition: every aggregate over every kind of field, window and filter, by a field too, and derived features over them. Bounds
// are small, so that keys, values and bins overflow.
import fc from 'fast-check'
import {
  count,
  first,
  last,
  max,
  mean,
  min,
  ratio,
  recency,
  sum,
  variance,
  stddev,
} from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import * as derived from '../../src/features/derived.ts'
import type { AggregateFeature, Feature, FeatureSet, WindowOptions } from '../../src/features/feature.ts'
import {
  decayed,
  distinct,
  firstK,
  histogram,
  lastK,
  percentile,
  streak,
  topK,
} from '../../src/features/parametric-aggregates.ts'
import type { Duration } from '../../src/platform/duration.ts'
import { type Contract, ofContract as contract } from './arbitrary-events.ts'

type Options = WindowOptions<Contract>
type NumberName = 'cents' | 'points' | 'weight'
type Made = AggregateFeature<unknown>
/** An aggregate without its window. */
type Shape = (within: { readonly within?: Duration }) => Made

const numberName = fc.constantFrom<NumberName>('cents', 'points', 'weight')
const fieldName = fc.constantFrom('cents', 'points', 'weight', 'note', 'channel', 'gift')
const manyValued = fc.constantFrom('note', 'cents', 'points', 'weight')
/** Mostly of many values. */
const groupName = fc.constantFrom('note', 'note', 'cents', 'points', 'weight', 'channel', 'gift')
const k = fc.integer({ min: 1, max: 4 })
const keys = fc.integer({ min: 1, max: 4 })

export const window: fc.Arbitrary<{ readonly within?: Duration }> = fc
  .option(fc.constantFrom<Duration>('1m', '37m', '2h', '121m', '17h', '1d', '25h', '7d', '14d', '15d', '90d', '731d'))
  .map(within => (within === null ? {} : { within }))

const where = fc.constantFrom<Pick<Options, 'where'>>(
  {},
  {},
  {},
  {},
  { where: { gift: true } },
  { where: { channel: ['web', 'app'] } },
  { where: { note: 'a' } },
  { where: { cents: { above: 1, atMost: 1500 } } },
  { where: { weight: { atLeast: 0 }, gift: false } },
)
const by = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Options>({}) },
  { weight: 1, arbitrary: fc.record({ by: groupName, keys }) },
)
const options = fc.tuple(where, by).map(([filter, grouping]): Options => ({ ...filter, ...grouping }))

const NUMERIC: readonly ((event: Contract, field: NumberName, options: Options) => Made)[] = [
  (event, field, given) => sum(event, field, given),
  (event, field, given) => mean(event, field, given),
  (event, field, given) => min(event, field, given),
  (event, field, given) => max(event, field, given),
  (event, field, given) => variance(event, field, given),
  (event, field, given) => stddev(event, field, given),
]

const windowed: fc.Arbitrary<Shape> = fc.oneof(
  fc.tuple(contract, options).map(
    ([event, given]): Shape =>
      within =>
        count(event, { ...given, ...within }),
  ),
  ...NUMERIC.map(make =>
    fc.tuple(contract, numberName, options).map(
      ([event, field, given]): Shape =>
        within =>
          make(event, field, { ...given, ...within }),
    ),
  ),
  fc.tuple(contract, fieldName, options).map(
    ([event, field, given]): Shape =>
      within =>
        first(event, field, { ...given, ...within }),
  ),
  fc.tuple(contract, fieldName, options).map(
    ([event, field, given]): Shape =>
      within =>
        last(event, field, { ...given, ...within }),
  ),
  fc.tuple(contract, fieldName, options, k).map(
    ([event, field, given, most]): Shape =>
      within =>
        firstK(event, field, { ...given, ...within, k: most }),
  ),
  fc.tuple(contract, fieldName, options, k).map(
    ([event, field, given, most]): Shape =>
      within =>
        lastK(event, field, { ...given, ...within, k: most }),
  ),
  fc.tuple(contract, numberName, options, fc.constantFrom([0], [-1, 0, 10.5], [0.1, 0.3, 1e16])).map(
    ([event, field, given, bounds]): Shape =>
      within =>
        histogram(event, field, { ...given, ...within, bounds }),
  ),
  fc.tuple(contract, fieldName, where, k, fc.nat(3), fc.option(numberName)).map(
    ([event, field, given, most, more, summed]): Shape =>
      within =>
        topK(event, field, {
          ...given,
          ...within,
          k: most,
          keys: most + more,
          ...(summed === null ? {} : { sum: summed }),
        }),
  ),
)

/** Those that have no window, or their own. */
const lifelong: fc.Arbitrary<Shape> = fc.oneof(
  fc.tuple(contract, options, fc.constantFrom<Duration>('1m', '5m', '1h', '7d')).map(
    ([event, given, roundTo]): Shape =>
      () =>
        recency(event, { ...given, roundTo }),
  ),
  fc.tuple(contract, options, fc.constantFrom<Duration>('1m', '100m', '3601s', '1d', '30d'), fc.option(numberName)).map(
    ([event, given, halfLife, summed]): Shape =>
      () =>
        decayed(event, { ...given, halfLife, ...(summed === null ? {} : { sum: summed }) }),
  ),
  fc.tuple(contract, options, fc.constantFrom<Duration>('1h', '1d', '7d'), fc.constantFrom(1, 3, 366)).map(
    ([event, given, every, most]): Shape =>
      () =>
        streak(event, { ...given, every, most }),
  ),
)

/** Those that may answer with an error. */
const estimated: fc.Arbitrary<Shape> = fc.oneof(
  fc.tuple(contract, manyValued, options, fc.constantFrom(1, 3, 8, 64)).map(
    ([event, field, given, exactTo]): Shape =>
      within =>
        distinct(event, field, { ...given, ...within, exactTo }),
  ),
  fc
    .tuple(
      contract,
      numberName,
      options,
      fc.constantFrom(0, 0.1, 0.5, 0.99, 1),
      fc.constantFrom(0.001, 0.01, 0.1),
      fc.constantFrom(10, 16, 128),
    )
    .map(
      ([event, field, given, q, error, binsMax]): Shape =>
        within =>
          withBins(percentile(event, field, { ...given, ...within, q, error }), binsMax),
    ),
)

/** Fewer bins than a definition can ask for, so that few events join them; below 10, a bin might be wider than the doubles. */
function withBins(feature: Made, binsMax: number): Made {
  return { ...feature, stateParameters: { ...feature.stateParameters, binsMax } }
}

const shape = fc.oneof(
  { weight: 12, arbitrary: windowed },
  { weight: 4, arbitrary: estimated },
  { weight: 3, arbitrary: lifelong },
)

const windows = fc.uniqueArray(window, { minLength: 1, maxLength: 3, selector: ({ within }) => within ?? '' })

/** One aggregate over several windows, which share a state; and over some more. */
const family = fc.tuple(shape, windows, windows).map(([make, some, more]) => ({
  features: some.map(within => make(within)),
  wider: more.map(within => make(within)),
}))

type Operation = (...operands: readonly derived.Operand[]) => derived.Operand
const UNARY = [derived.absolute, derived.squareRoot, derived.log1p, derived.not, derived.isNull] as readonly Operation[]
const BINARY = [
  derived.add,
  derived.subtract,
  derived.multiply,
  derived.divide,
  derived.least,
  derived.greatest,
  derived.above,
  derived.atLeast,
  derived.below,
  derived.atMost,
  derived.equals,
  derived.all,
  derived.any,
  derived.coalesce,
] as readonly Operation[]

/** Numbers, words, flags, what is null, features in place and by name. */
function operandOver(names: readonly string[]): fc.Arbitrary<derived.Operand> {
  const { operand } = fc.letrec<{ operand: derived.Operand }>(tie => ({
    operand: fc.oneof(
      { maxDepth: 2, withCrossShrink: true },
      fc.constantFrom<derived.Operand>(0, 1, -2.5, derived.constant('web'), derived.constant(true), ...names),
      fc.constantFrom<derived.Operand>(...names),
      shape.map(make => make({ within: '7d' })),
      estimated.map(make => make({})),
      estimated.map(make => make({ within: '731d' })),
      fc.tuple(fc.constantFrom(...UNARY), tie('operand')).map(([make, one]) => make(one)),
      fc.tuple(fc.constantFrom(...BINARY), tie('operand'), tie('operand')).map(([make, one, two]) => make(one, two)),
      fc
        .tuple(tie('operand'), tie('operand'), tie('operand'))
        .map(([one, two, three]) => derived.when(one, two, three)),
    ),
  }))
  return operand
}

/** A number or null, by no field. */
const numberFeature = fc
  .tuple(contract, numberName, where, window, fc.constantFrom(...NUMERIC, null))
  .map(([event, field, filter, within, make]) => {
    const given = { ...filter, ...within }
    return make === null ? count(event, given) : (make(event, field, given) as AggregateFeature<number | null>)
  })
const ratioFeature = fc
  .tuple(numberFeature, numberFeature)
  .map(([numerator, denominator]) => ratio(numerator, denominator))

export interface Definition {
  readonly set: FeatureSet
  /** The same features, and the same aggregates over more windows. */
  readonly wider: FeatureSet
}

/** One to three families, perhaps a ratio and some derived features. */
export const definition: fc.Arbitrary<Definition> = fc
  .record({
    families: fc.array(family, { minLength: 1, maxLength: 3 }),
    ratios: fc.array(ratioFeature, { maxLength: 1 }),
  })
  .chain(({ families, ratios }) => {
    const own = named('f', [...families.flatMap(({ features: list }) => list), ...ratios])
    const more = named(
      'more',
      families.flatMap(({ wider }) => wider),
    )
    return fc.array(operandOver(Object.keys(own)), { maxLength: 2 }).map(operands => {
      const all = {
        ...own,
        ...named(
          'derived',
          operands.map(operand => derived.coalesce(operand)),
        ),
      }
      return { set: features(all), wider: features({ ...all, ...more }) }
    })
  })

function named(prefix: string, list: readonly Feature[]): Readonly<Record<string, Feature>> {
  return Object.fromEntries(list.map((feature, index) => [`${prefix}${index}`, feature]))
}
