import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { DecodedEvent } from '../../src/event/decoded-event.ts'
import { count, last, mean, min, sum } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import type { Feature } from '../../src/features/feature.ts'
import { distinct, lastK, percentile, topK } from '../../src/features/parametric-aggregates.ts'
import { stateJson } from '../../src/features/state.ts'
import { DAY_MS } from '../../src/platform/duration.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { type CompiledPipeline, compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { event } from '../../src/event/contract.ts'
import { choice, flag, number, text } from '../../src/event/field.ts'
import { estimateItem } from '../../src/recompute/estimate-item.ts'
import { encodeNext } from '../../src/recompute/item-content.ts'
import { type ItemBefore, type NextItem, planUser } from '../../src/recompute/plan-user.ts'
import { fullState } from '../../src/recompute/full-state.ts'
import { longestValue, syntheticEvent } from '../../src/recompute/synthetic-values.ts'
import { usedStates } from '../../src/predictions/used-states.ts'
import { itemBytes } from '../../src/store/item-size.ts'
import { customer, order } from '../features/factories.ts'

const shop = (set: Readonly<Record<string, Feature>>) =>
  compilePipeline(pipeline({ name: 'shop', features: features(set), models: [] }))
const SHOP = shop(customer.features)
/** In the long mode of property tests, a user of a million events. */
const IS_LONG = process.env['MILLRACE_PROPERTY_RUNS'] !== undefined
const FOLD_MS_MAX = IS_LONG ? 600_000 : 60_000

describe('the estimate of an item', () => {
  it('is the same each time', () => {
    expect(estimateItem(SHOP)).toEqual(estimateItem(shop(customer.features)))
  })

  it('tells bytes, units and dollars of a typical and of the largest item, and what each state has of them', () => {
    const { features: count_, bytesTarget, bytesMax, typical, worst } = estimateItem(SHOP)
    expect({ count_, bytesTarget, bytesMax }).toEqual({ count_: 19, bytesTarget: 4096, bytesMax: 65_536 })
    expect(typical.bytes).toBeLessThan(4096)
    expect(worst.bytes).toBeGreaterThan(5 * typical.bytes)
    for (const item of [typical, worst]) {
      const { state, features: ft, predictions, recentEvents } = item.parts
      expect(item.writeUnits).toBe(Math.ceil(item.bytes / 1024))
      expect(item.dollarsPerMillionEvents).toBeCloseTo(0.625 * item.writeUnits + 0.125 * item.readUnits, 3)
      expect(item.states.reduce((total, { bytes }) => total + bytes, 0)).toBe(state)
      // Names, numbers, version and user id are the rest.
      expect(item.bytes - state - ft - predictions - recentEvents).toBeLessThan(800)
      expect(item.states.map(({ bytes }) => bytes)).toEqual(
        item.states.map(({ bytes }) => bytes).toSorted((a, b) => b - a),
      )
    }
    expect(worst.states.find(({ readBy }) => readBy.includes('orders7d'))?.readBy).toEqual([
      'giftShare',
      'orders10m',
      'orders1d',
      'orders2h',
      'orders30d',
      'orders7d',
      'ordersEver',
    ])
  })

  it('of a user with more events a day is larger, up to the largest', () => {
    const [one, many] = [1, 50].map(eventsPerDay => estimateItem(SHOP, { eventsPerDay }))
    expect(many?.typical.bytes).toBeGreaterThan(1.5 * (one?.typical.bytes ?? 0))
    expect(many?.typical.bytes).toBeLessThan(many?.worst.bytes ?? 0)
    expect(many?.worst).toEqual(one?.worst)
  })

  const visit = event('visit', {
    id: 'id',
    user: 'user',
    time: 'at',
    lateness: '1h',
    fields: { page: text(), seconds: number({ scale: 1 }), weight: number(), from: choice('a', 'b', 'c'), bot: flag() },
  })
  const LARGE: Readonly<Record<string, Feature>> = {
    groups: topK(visit, 'page', { k: 5, within: '7d' }),
    sets: distinct(visit, 'page', { within: '7d' }),
    sketch: percentile(visit, 'seconds', { q: 0.9, within: '7d' }),
    doubles: mean(visit, 'weight', { within: '1d' }),
    texts: lastK(visit, 'page', { k: 10 }),
    perWord: sum(visit, 'seconds', { within: '2d', by: 'from' }),
    bots: count(visit, { where: { bot: true } }),
    page: last(visit, 'page'),
  }

  it.each<readonly [string, CompiledPipeline, readonly number[]]>([
    ['numbers', SHOP, [1_000, 100_000, ...(IS_LONG ? [1_000_000] : [])]],
    ['lists, groups and sketches', shop(LARGE), [1_000, 5_000]],
  ])(
    'is never exceeded by a user with very many events of the longest values: %s',
    (_, compiled, sizes) => {
      const { worst } = estimateItem(compiled)
      const items = sizes.map(events => foldedItem(compiled, events))
      for (const { bytes, recentEvents, states } of items) {
        expect(bytes).toBeLessThanOrEqual(worst.bytes)
        expect(recentEvents).toBeLessThanOrEqual(worst.parts.recentEvents)
        for (const [key, size] of states) {
          const most = worst.states.find(state => state.key === key)?.bytes ?? 0
          // A state alone deflates worse than beside others.
          expect(size, key).toBeLessThanOrEqual(1.1 * most + 50)
        }
      }
      // And it is no idle figure.
      expect(items.at(-1)?.bytes).toBeGreaterThan(0.2 * worst.bytes)
    },
    FOLD_MS_MAX,
  )

  it('takes a second or so for 250 features, however large', () => {
    const windows = ['1h', '6h', '1d', '7d', '30d', '90d'] as const
    const filters = [
      {},
      { gift: true },
      { channel: 'app' },
      { amount: { above: 100 } },
      { points: { above: 1 } },
    ] as const
    const kinds: Readonly<Record<string, (options: object) => Feature>> = {
      count: options => count(order, options),
      spend: options => sum(order, 'amount', options),
      points: options => mean(order, 'points', options),
      kinds: options => distinct(order, 'points', options),
      middle: options => percentile(order, 'amount', { q: 0.5, ...options }),
      most: options => topK(order, 'points', { k: 3, ...options }),
      perChannel: options => count(order, { by: 'channel', ...options }),
      least: options => min(order, 'amount', options),
      newest: options => last(order, 'points', options),
    }
    const set: Record<string, Feature> = {}
    for (const [kind, make] of Object.entries(kinds)) {
      for (const [index, where] of filters.entries()) {
        for (const within of windows) set[`${kind}${index}in${within}`] = make({ where, within })
      }
    }
    const started = performance.now()
    const { features: number, worst } = estimateItem(shop(Object.fromEntries(Object.entries(set).slice(0, 250))))
    expect(number).toBe(250)
    expect(worst.bytes).toBeGreaterThan(1_000_000)
    // Ten times what it takes on an idle machine.
    expect(performance.now() - started).toBeLessThan(30_000)
  })
})

/** A user whose events fill every tile, folded in batches. */
function foldedItem(compiled: CompiledPipeline, events: number) {
  const random = seededRandom(events)
  const { at } = fullState(compiled.features, usedStates(compiled.features), random)
  const spans = [90 * DAY_MS, 15 * DAY_MS, 2 * DAY_MS, 3 * 3_600_000]
  const drawn: DecodedEvent[] = Array.from({ length: events }, (_, index) => {
    const contract = compiled.pipeline.events[index % compiled.pipeline.events.length] ?? order
    const fields = Object.entries(contract.fields).map(
      ([name, field]) => [name, longestValue(field, random, 64)] as const,
    )
    const ts = index < 50 ? at : at - Math.floor(random() * (spans[index % spans.length] ?? 0))
    return syntheticEvent(contract, ts, { fields: new Map(fields), random })
  }).sort((a, b) => a.ts - b.ts)
  let before: ItemBefore | undefined
  let next: NextItem | undefined
  for (let index = 0; index < drawn.length; index += 5000) {
    next = planUser(
      compiled,
      before,
      drawn.slice(index, index + 5000).map(one => ({ event: one })),
    ).next
    before = next
  }
  if (next === undefined) throw new Error('nothing folded')
  const content = { userId: 'u'.repeat(36), before: undefined, next, definitions: compiled.definitions }
  const predictions = { predictions: { asOf: next.at, models: {} }, models: {} }
  const item = encodeNext({ ...content, itemBytesMax: Number.POSITIVE_INFINITY }, predictions)
  if ('reason' in item) throw new Error(item.detail)
  const states = Object.entries(next.state).map(
    ([key, entry]) => [key, deflateSync(stateJson({ [key]: entry })).length] as const,
  )
  return { bytes: itemBytes(item), recentEvents: item.dedup.length, states }
}
