import { describe, expect, it } from 'vitest'
import { count, last, sum } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import {
  above,
  absolute,
  add,
  all,
  any,
  atLeast,
  atMost,
  below,
  coalesce,
  constant,
  divide,
  equals,
  greatest,
  isNull,
  least,
  log1p,
  multiply,
  not,
  type Operand,
  squareRoot,
  subtract,
  when,
} from '../../src/features/derived.ts'
import { expressionText, featureFingerprint } from '../../src/features/describe.ts'
import { evaluateFeatures } from '../../src/features/evaluate.ts'
import type { Feature, FeatureSet } from '../../src/features/feature.ts'
import { lastK } from '../../src/features/parametric-aggregates.ts'
import { compileFeatures } from '../../src/features/plan.ts'
import { foldState } from '../../src/features/state.ts'
import { order, orderEvent, START } from './factories.ts'
import { foldAll } from './fold-batches.ts'

const YES = constant(true)
const NO = constant(false)
/** No event has points. */
const NONE = last(order, 'points')

/** The operand's value after one order of 19.99 by the web. */
function valueOf(feature: Feature, named: Readonly<Record<string, Feature>> = {}) {
  const plan = compileFeatures(features({ ...named, answer: feature }) as FeatureSet)
  const { state, at } = foldAll([[orderEvent(1, START)]], plan)
  return evaluateFeatures(plan, state, at, at).values['answer']
}

describe('derived features', () => {
  it('calculate', () => {
    const made = [add(1, 2, 3), subtract(1, 3), multiply(2, 3, 4), divide(1, 4), least(3, 1, 2), greatest(3, 1, 2)]
    expect(made.map(feature => valueOf(feature))).toEqual([6, -2, 24, 0.25, 1, 3])
    expect([absolute(-3), squareRoot(9), log1p(0)].map(feature => valueOf(feature))).toEqual([3, 3, 0])
  })

  it('compare, each with equal numbers too', () => {
    const made = [above, atLeast, below, atMost, equals].map(make =>
      [make(1, 2), make(2, 2), make(3, 2)].map(feature => valueOf(feature)),
    )
    expect(made).toEqual([
      [false, false, true],
      [false, true, true],
      [true, false, false],
      [true, true, false],
      [false, true, false],
    ])
  })

  it('compare words and flags with what is like them', () => {
    const channel = last(order, 'channel')
    const made = [equals(channel, constant('web')), equals(channel, constant('app')), equals(channel, 1), equals(NO, 0)]
    expect(made.map(feature => valueOf(feature))).toEqual([true, false, false, false])
  })

  it('are null where an operand is null, or of another type', () => {
    const two = [add, subtract, multiply, divide, least, greatest, above, atLeast, below, atMost, equals]
    for (const make of two) {
      expect(valueOf(make(NONE, 1))).toBeNull()
      expect(valueOf(make(1, NONE))).toBeNull()
    }
    for (const make of [absolute, squareRoot, log1p, not]) expect(valueOf(make(NONE))).toBeNull()
    expect([add(1, YES), not(1), absolute(constant('web'))].map(feature => valueOf(feature))).toEqual([
      null,
      null,
      null,
    ])
  })

  it('are null where no finite number comes out, and never −0', () => {
    const huge = constant(1e308)
    const made = [divide(1, 0), divide(0, 0), squareRoot(-1), log1p(-1), log1p(-2), add(huge, huge), divide(1, 5e-324)]
    expect(made.map(feature => valueOf(feature))).toEqual(made.map(() => null))
    expect(Object.is(valueOf(multiply(0, -1)), 0)).toBe(true)
  })

  it('decide with null as people do', () => {
    const table: readonly (readonly [Operand, Operand])[] = [
      [YES, YES],
      [YES, NO],
      [NO, NO],
      [YES, NONE],
      [NO, NONE],
      [NONE, NONE],
    ]
    expect(table.map(row => valueOf(all(...row)))).toEqual([true, false, false, null, false, null])
    expect(table.map(row => valueOf(any(...row)))).toEqual([true, true, false, true, null, null])
    expect([not(YES), not(NO), isNull(NONE), isNull(0)].map(feature => valueOf(feature))).toEqual([
      false,
      true,
      true,
      false,
    ])
  })

  it('choose: the branch that is not taken may be null', () => {
    const made = [when(YES, 1, NONE), when(NO, NONE, 2), when(NONE, 1, 2), when(YES, NONE, 2), when(1, 1, 2)]
    expect(made.map(feature => valueOf(feature))).toEqual([1, 2, null, null, null])
    const chosen = [coalesce(NONE, NONE, 3, 4), coalesce(NONE), coalesce(NO, YES)]
    expect(chosen.map(feature => valueOf(feature))).toEqual([3, null, false])
  })

  it('take a list for null, and yet know that it is there', () => {
    const list = lastK(order, 'amount', { k: 2 })
    expect([coalesce(list, 1), add(list, 1), isNull(list)].map(feature => valueOf(feature))).toEqual([1, null, false])
  })

  it('take features by name, those further down and derived ones too, and features in place', () => {
    const named = { spend: sum(order, 'amount'), twice: multiply(2, 'spend'), orders: count(order) }
    expect(valueOf(divide('twice', 'orders'), named)).toBe(39.98)
    expect(valueOf(add(multiply(2, count(order)), 'spend'), named)).toBe(21.99)
    const backwards = features({ a: add('b', 1), b: add('c', 1), c: count(order) })
    const plan = compileFeatures(backwards)
    const { state, at } = foldAll([[orderEvent(1, START)]], plan)
    expect(evaluateFeatures(plan, state, at, at).values).toEqual({ a: 3, b: 2, c: 1 })
  })
})

describe('definitions of derived features', () => {
  it('are refused where they go in a circle, and say which', () => {
    expect(() => features({ a: add('b', 1), b: add('c', 1), c: add('a', 1) })).toThrow('a → b → c → a')
    expect(() => features({ a: not('a') })).toThrow('a → a')
    expect(() => features({ a: add(absolute('b'), 1), b: when(YES, multiply('a', 2), 0) })).toThrow('circle')
    expect(() => features({ a: add('c', 'b'), b: add('c', 'c'), c: count(order) })).not.toThrow()
  })

  it('are refused where they name nothing, a part of JavaScript, or have no operand', () => {
    const unknown: Readonly<Record<string, Feature>> = { a: add('orders', 1) }
    expect(() => features(unknown)).toThrow('a names the feature "orders", which is not defined')
    const prototype: Readonly<Record<string, Feature>> = { a: not('constructor') }
    expect(() => features(prototype)).toThrow('not defined')
    expect(() => add()).toThrow('no operand')
    expect(() => constant(Number.NaN)).toThrow('not a finite number')
  })

  it('have a fingerprint of what they name, and not of its name', () => {
    const print = (set: Readonly<Record<string, Feature>>) => {
      const { answer } = set
      if (answer === undefined) throw new Error('no answer')
      return featureFingerprint(answer, set)
    }
    const orders7d = count(order, { within: '7d' })
    const original = print({ orders: orders7d, more: add('orders', 1), answer: multiply('more', 2) })
    const renamed = print({ bought: orders7d, plus: add('bought', 1), answer: multiply('plus', 2) })
    expect(renamed).toBe(original)
    const others = [
      print({ orders: count(order, { within: '8d' }), more: add('orders', 1), answer: multiply('more', 2) }),
      print({ orders: orders7d, more: add('orders', 2), answer: multiply('more', 2) }),
      print({ orders: orders7d, more: add('orders', 1), answer: multiply(2, 'more') }),
      print({ orders: orders7d, more: add('orders', 1), answer: add('more', 2) }),
      print({ orders: orders7d, more: add('orders', 1), answer: multiply('more', constant('2')) }),
    ]
    expect(new Set([original, ...others]).size).toBe(6)
  })

  it('have it at once, however many ways lead to what they name', () => {
    const doubled = Array.from({ length: 60 }, (_, step) => [`f${step + 1}`, add(`f${step}`, `f${step}`)] as const)
    const plan = compileFeatures(features({ f0: count(order), ...Object.fromEntries(doubled) }) as FeatureSet)
    expect(new Set(plan.features.map(({ fingerprint }) => fingerprint)).size).toBe(61)
  })

  it('have a text for people', () => {
    expect(expressionText(divide('spend', add(count(order), 1)).expression)).toBe('divide(spend, add(count, 1))')
    expect(expressionText(equals('channel', constant('app')).expression)).toBe('equals(channel, "app")')
  })
})

describe('a derived feature', () => {
  it('is pending while anything is that it names, even where the value would not need it', () => {
    const older = compileFeatures(features({ orders: count(order) }))
    const newer = compileFeatures(
      features({
        orders: count(order),
        gifts: count(order, { where: { gift: true } }),
        share: divide('gifts', 'orders'),
        choice: when(YES, 'orders', 'share'),
        inPlace: coalesce('orders', count(order, { where: { channel: 'app' } })),
        twice: multiply('orders', 2),
      }),
    )
    const first = foldAll([[orderEvent(1, START)]], older)
    const { state, at } = foldState({
      plan: newer,
      state: first.state,
      previousAt: first.at,
      previousVersion: 1,
      events: [orderEvent(2, START + 1)],
    })
    const { values, pending } = evaluateFeatures(newer, state, at, at)
    expect(Object.keys(pending ?? {})).toEqual(['choice', 'gifts', 'inPlace', 'share'])
    expect(values).toEqual({ choice: null, gifts: null, inPlace: null, orders: 2, share: null, twice: 4 })
  })
})
