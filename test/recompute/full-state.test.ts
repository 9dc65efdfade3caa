// The largest state is built, not folded. Here it is folded too, in small cases, from an event in every tile.
import { describe, expect, it } from 'vitest'
import { accumulate, type Cell } from '../../src/features/aggregators/aggregator.ts'
import { count, first, last, max, mean, min, recency, stddev, sum } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import type { Feature } from '../../src/features/feature.ts'
import { decayed, distinct, lastK, percentile, streak, topK } from '../../src/features/parametric-aggregates.ts'
import { compileFeatures, type StatePlan } from '../../src/features/plan.ts'
import { foldState, stateJson } from '../../src/features/state.ts'
import type { DecodedEvent } from '../../src/event/decoded-event.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/platform/duration.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { fullEntry, fullState, tilesAt } from '../../src/recompute/full-state.ts'
import { usedStates } from '../../src/predictions/used-states.ts'
import { order, orderEvent, START } from '../features/factories.ts'

const random = seededRandom(7)
const INSTANTS = [
  ['just before midnight', START + 40 * DAY_MS - 1],
  ['at midnight', START + 40 * DAY_MS],
  ['in the middle of an hour', START + 40 * DAY_MS + 7 * HOUR_MS + 31 * MINUTE_MS + 12_345],
] as const

/** Events of a tile, by its start and length; the newest one stands for the instant. */
class Events {
  readonly all: DecodedEvent[] = []
  #id = 0

  add(startMs: number, endMs: number): void {
    const ts = startMs + Math.floor(random() * (endMs - startMs))
    const fields = { amount: Math.floor(random() * 1e6), channel: random() < 0.5 ? 'web' : 'app', points: this.#id % 7 }
    this.all.push(orderEvent(++this.#id, ts, fields))
  }

  within(startMs: number, ms: number): readonly DecodedEvent[] {
    return this.all.filter(({ ts }) => ts >= startMs && ts < startMs + ms)
  }
}

function mergedCell(plan: StatePlan, events: readonly DecodedEvent[]): Cell {
  let cell: Cell | undefined
  for (const event of events) {
    const value = plan.field === undefined ? null : (event.fields.get(plan.field) ?? null)
    cell = accumulate(plan.aggregator, cell, plan.aggregator.cellOf(value, event), 0)
  }
  if (cell === undefined) throw new Error('a tile without an event')
  return cell
}

const SETS: Readonly<Record<string, Readonly<Record<string, Feature>>>> = {
  'one window': { a: count(order, { within: '10m' }) },
  'windows of every level': {
    a: sum(order, 'amount', { within: '10m' }),
    b: sum(order, 'amount', { within: '3h' }),
    c: sum(order, 'amount', { within: '2d' }),
    d: sum(order, 'amount', { within: '20d' }),
  },
  'levels left out': { a: mean(order, 'amount', { within: '2h' }), b: mean(order, 'amount', { within: '15d' }) },
  'windows that end within a coarser tile': {
    a: stddev(order, 'amount', { within: '37m' }),
    b: stddev(order, 'amount', { within: '25h' }),
  },
  'the whole life': { a: max(order, 'amount') },
  'a window and the whole life': { a: min(order, 'amount', { within: '5h' }), b: min(order, 'amount') },
  'the newest': { a: last(order, 'amount'), b: recency(order, { roundTo: '1h' }), c: lastK(order, 'amount', { k: 3 }) },
  'the oldest': { a: first(order, 'amount', { within: '1d' }) },
  groups: { a: topK(order, 'points', { k: 2, keys: 3, within: '1d' }) },
  'groups of the newest': { a: last(order, 'amount', { by: 'channel', within: '6h' }) },
  sketches: {
    a: distinct(order, 'amount', { within: '4h' }),
    b: percentile(order, 'amount', { q: 0.5, within: '9h' }),
  },
  decay: { a: decayed(order, { halfLife: '3h' }) },
  runs: { a: streak(order, { every: '1h' }) },
}

describe('the largest state', () => {
  it.each(Object.keys(SETS).flatMap(name => INSTANTS.map(([when, at]) => [name, when, at] as const)))(
    'of %s, %s, is what a fold leaves that met an event in every tile',
    (name, _, at) => {
      const plan = compileFeatures(features(SETS[name] ?? {}))
      for (const state of plan.states.values()) {
        const events = new Events()
        const tiles = tilesAt(state, at)
        for (const { index, ms } of tiles) events.add(index * ms, Math.min((index + 1) * ms, at))
        const since = state.windows.length === 0 ? at + 1 : Math.min(at, ...tiles.map(({ index, ms }) => index * ms))
        for (let more = 0; more < 4; more++) events.add(since - DAY_MS, Math.min(since, at))
        events.all.push(orderEvent(1e6, at, { amount: 5, channel: 'app', points: 1 }))
        const makeCell = (startMs: number, ms: number): Cell =>
          mergedCell(state, state.newestK > 0 ? events.all : events.within(startMs, ms))
        const built = fullEntry(state, at, { tiles, makeCell })

        const single = { ...plan, states: new Map([[state.key, state]]) }
        const fold = { plan: single, state: undefined, previousAt: undefined, previousVersion: undefined }
        const folded = foldState({ ...fold, events: events.all.toSorted((a, b) => a.ts - b.ts) })
        expect(stateJson({ [state.key]: built })).toBe(stateJson(folded.state))
      }
    },
  )

  it('is the one of the instant at which there are most tiles', () => {
    for (const windows of [['37m', '36h'], ['10m', '3h', '2d', '20d'], ['5h'], ['25h', '15d']] as const) {
      const set = Object.fromEntries(windows.map(within => [`in${within}`, count(order, { within })]))
      const plan = compileFeatures(features(set))
      const used = usedStates(plan)
      const { at } = fullState(plan, used, seededRandom(1))
      const [state] = plan.states.values()
      if (state === undefined) throw new Error('no state')
      const most = tilesAt(state, at).length
      const day = Math.floor(at / DAY_MS) * DAY_MS
      for (let minute = 0; minute < 1440; minute++) {
        expect(tilesAt(state, day + minute * MINUTE_MS + 59_999).length).toBeLessThanOrEqual(most)
      }
    }
  })

  it('stands for tiles of which it would have too many', () => {
    const large = { large: distinct(order, 'amount', { within: '731d', by: 'points', keys: 256 }) }
    const plan = compileFeatures(features(large))
    const { state, factors } = fullState(plan, usedStates(plan), seededRandom(1))
    const [[key = '', factor = 0] = []] = factors
    expect(factor).toBeGreaterThan(10)
    expect((state[key]?.d?.[0].length ?? 0) * factor).toBeCloseTo(732, -1)
    expect(stateJson(state).length).toBeLessThan(10_000_000)
  })
})
