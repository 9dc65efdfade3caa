// What is said of a feature is held against what the fold and the evaluation do with it.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { count, last, mean, recency } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { add } from '../../src/features/derived.ts'
import { evaluateFeatures } from '../../src/features/evaluate.ts'
import type { Feature } from '../../src/features/feature.ts'
import { decayed, lastK } from '../../src/features/parametric-aggregates.ts'
import { foldState } from '../../src/features/state.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/platform/duration.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { describePipeline } from '../../src/predictions/definitions.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { featureReadiness, type Readiness } from '../../src/predictions/state-readiness.ts'
import { foldAll } from '../features/fold-batches.ts'
import { order, orderEvent, START } from '../features/factories.ts'

type Set = Readonly<Record<string, Feature>>

const shop = (set: Set) =>
  compilePipeline(pipeline({ name: 'shop', events: [order], features: features(set), models: [] }))

function readiness(before: Set, after: Set): Readonly<Record<string, Readiness>> {
  const [old, now] = [before, after].map(set => describePipeline(shop(set)))
  const [oldStates, states] = [old, now].map(described => new Map(described?.states.map(state => [state.key, state])))
  return Object.fromEntries(
    (now?.features ?? []).map(feature => [
      feature.name,
      featureReadiness(feature, oldStates ?? new Map(), states ?? new Map()),
    ]),
  )
}

/** An event an hour for 100 days, more of late. */
const HISTORY = [
  ...Array.from({ length: 2400 }, (_, index) => orderEvent(index, START + index * HOUR_MS)),
  ...Array.from({ length: 120 }, (_, index) => orderEvent(5000 + index, START + 2399 * HOUR_MS - index * MINUTE_MS)),
].sort((a, b) => a.ts - b.ts)

/** Names that are pending `afterMs` after the deploy, where one more event was folded at once. */
function pendingAfter(before: Set, after: Set, afterMs: readonly number[]): readonly (readonly string[])[] {
  const compiled = shop(after)
  const { state, at } = foldAll([HISTORY.slice(0, 1000), HISTORY.slice(1000)], shop(before).features)
  const next = foldState({
    plan: compiled.features,
    state: structuredClone(state),
    previousAt: at,
    previousVersion: 2,
    events: [orderEvent(9999, at + 1)],
  })
  return afterMs.map(ms => Object.keys(evaluateFeatures(compiled.features, next.state, next.at, at + ms).pending ?? {}))
}

const POOL = ['37m', '2h', '17h', '25h', '7d', '15d', '30d', '91d'] as const
const sets = fc
  .record({ finite: fc.uniqueArray(fc.constantFrom(...POOL), { maxLength: 4 }), isWhole: fc.boolean() })
  .map(
    ({ finite, isWhole }): Set => ({
      other: mean(order, 'amount', { within: '1d' }),
      ...Object.fromEntries(finite.map(within => [`in${within}`, count(order, { within })])),
      ...(isWhole ? { ever: count(order) } : {}),
    }),
  )

describe('a feature over users whom other definitions folded', () => {
  it('is right at once where that is said, and by itself not later than is said', () => {
    const seen = { atOnce: 0, waiting: 0, lucky: 0 }
    fc.assert(
      fc.property(sets, sets, (before, after) => {
        const told = Object.entries(readiness(before, after))
        const [atOnce = []] = pendingAfter(before, after, [1])
        for (const [name, { kind }] of told) {
          if (kind === 'at-once') expect(atOnce, name).not.toContain(name)
          // Where a tile ends may happen to be where the window begins.
          if (kind === 'at-once') seen.atOnce++
          else seen[atOnce.includes(name) ? 'waiting' : 'lucky']++
        }
        for (const [name, ready] of told) {
          if (ready.kind === 'at-once' || ready.fills.by === 'events') continue
          const afterMs = ready.fills.by === 'time' ? ready.fills.afterMs : 1000 * DAY_MS
          const [pending = []] = pendingAfter(before, after, [afterMs])
          expect(pending.includes(name), name).toBe(ready.fills.by === 'nothing')
        }
      }),
      { numRuns: 60 },
    )
    expect(Math.min(seen.atOnce, seen.waiting)).toBeGreaterThan(30)
    expect(seen.lucky).toBeLessThan(0.5 * seen.waiting)
  })

  it.each<readonly [string, Set, Readiness]>([
    ['of a new state', {}, { kind: 'backfill', fills: { by: 'time', afterMs: 7 * DAY_MS + HOUR_MS } }],
    ['whose state reaches far enough', { b: count(order, { within: '14d' }) }, { kind: 'at-once' }],
    [
      'whose state is shared, only shorter',
      { b: count(order, { within: '5d' }) },
      {
        kind: 'backfill',
        fills: { by: 'time', afterMs: 2 * DAY_MS + HOUR_MS },
      },
    ],
    [
      'whose state is shared, only coarser',
      { b: count(order, { within: '30d' }) },
      {
        kind: 'backfill',
        fills: { by: 'time', afterMs: 8 * DAY_MS + HOUR_MS },
      },
    ],
  ])('within 7 days, %s', (_, before, expected) => {
    expect(readiness({ x: mean(order, 'amount'), ...before }, { a: count(order, { within: '7d' }) })['a']).toEqual(
      expected,
    )
  })

  it('of the newest events waits for so many of them; one with a window no longer than that', () => {
    const after = {
      channel: last(order, 'channel'),
      since: recency(order, { roundTo: '1h' }),
      three: lastK(order, 'amount', { k: 3, within: '1d' }),
    }
    expect(readiness({ x: count(order) }, after)).toEqual({
      channel: { kind: 'backfill', fills: { by: 'events', events: 1, afterMs: null } },
      since: { kind: 'backfill', fills: { by: 'events', events: 1, afterMs: null } },
      three: { kind: 'backfill', fills: { by: 'events', events: 3, afterMs: DAY_MS + 5 * MINUTE_MS } },
    })
    const shared = { channel: last(order, 'channel', { within: '7d' }), since: recency(order, { roundTo: '5m' }) }
    expect(readiness(after, shared)).toEqual({ channel: { kind: 'at-once' }, since: { kind: 'at-once' } })
  })

  it('that decays is of its own state, and right at once where that is there', () => {
    const heat = { heat: decayed(order, { halfLife: '6h' }) }
    expect(readiness(heat, heat)['heat']).toEqual({ kind: 'at-once' })
    expect(readiness({ x: count(order, { within: '30d' }) }, heat)['heat']).toMatchObject({ kind: 'backfill' })
  })

  it('that is derived waits for the last of what it names', () => {
    const before = { a: count(order, { within: '1d' }) }
    const after = { ...before, sum: add('a', count(order, { within: '2d' }), last(order, 'points')) }
    expect(readiness(before, after)['sum']).toMatchObject({ fills: { by: 'time', afterMs: DAY_MS + HOUR_MS } })
    const ever = { ...after, all: add('sum', mean(order, 'amount')) }
    expect(readiness(before, ever)['all']).toEqual({ kind: 'backfill', fills: { by: 'nothing' } })
  })
})
