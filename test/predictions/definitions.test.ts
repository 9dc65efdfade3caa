import { describe, expect, it } from 'vitest'
import { count, last, ratio, recency, sum } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { add, divide } from '../../src/features/derived.ts'
import type { Feature } from '../../src/features/feature.ts'
import { decayed, lastK, percentile } from '../../src/features/parametric-aggregates.ts'
import { model } from '../../src/model/define.ts'
import { DAY_MS } from '../../src/platform/duration.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { describePipeline } from '../../src/predictions/definitions.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { order, visit } from '../features/factories.ts'

const spend = sum(order, 'amount', { within: '90d' })
const set = {
  orders30d: count(order, { within: '30d' }),
  spend,
  perOrder: divide('spend', 'orders30d'),
  both: add('perOrder', count(visit, { within: '1d' })),
  big: count(order, { within: '36h', where: { amount: { above: 99.5 }, channel: 'app' }, by: 'channel' }),
  giftShare: ratio(count(order, { where: { gift: true } }), count(order)),
  sinceOrder: recency(order, { roundTo: '1h' }),
  recent: lastK(order, 'channel', { k: 3, within: '7d' }),
  middle: percentile(order, 'amount', { q: 0.5, within: '7d' }),
  heat: decayed(order, { halfLife: '6h' }),
  lastChannel: last(order, 'channel'),
}
const customer = features(set)
const churn = model('churn', { from: customer, inputs: ['spend', 'orders30d'], owner: 'ana', about: 'Who leaves.' })
const compiled = compilePipeline(
  pipeline({ name: 'shop', events: [order, visit], features: customer, models: [churn] }),
)

describe('a pipeline as data', () => {
  it('is there at once, however many ways lead to what features name', () => {
    const chain = Object.fromEntries(
      Array.from({ length: 60 }, (_, step) => [`f${step + 1}`, add(`f${step}`, `f${step}`)]),
    )
    const doubled = features({ f0: count(order), ...chain } as Readonly<Record<string, Feature>>)
    const description = describePipeline(compilePipeline(pipeline({ name: 'shop', features: doubled, models: [] })))
    expect(Object.keys(description.features)).toHaveLength(61)
  })

  it('is the same after JSON, and whatever the order in which it is written', () => {
    const description = describePipeline(compiled)
    expect(JSON.parse(JSON.stringify(description))).toStrictEqual(description)
    const reversed = features(Object.fromEntries(Object.entries(set).toReversed()) as typeof set)
    const again = pipeline({ name: 'shop', events: [visit, order], features: reversed, models: [churn] })
    expect(describePipeline(compilePipeline(again))).toEqual(description)
  })

  it('has what items are made by', () => {
    const { pipeline: name, definitions, typePath, itemBytesMax, events } = describePipeline(compiled)
    expect({ name, definitions, typePath, itemBytesMax }).toEqual({
      name: 'shop',
      definitions: compiled.definitions,
      typePath: 'type',
      itemBytesMax: 65_536,
    })
    expect(events.map(({ type }) => type)).toEqual(['order.placed', 'site.visited'])
  })

  it('says each feature in words, its type and its fingerprint', () => {
    const described = describePipeline(compiled).features
    expect(Object.fromEntries(described.map(({ name, text }) => [name, text]))).toEqual({
      orders30d: 'count(order.placed) within 30d',
      spend: 'sum(order.placed, amount) within 90d',
      perOrder: 'divide(spend, orders30d)',
      both: 'add(perOrder, count)',
      big: 'count(order.placed) within 36h where amount above 99.5 and channel is app by channel (32 keys)',
      giftShare: 'count(order.placed) where gift is true over count(order.placed)',
      sinceOrder: 'recency(order.placed) roundTo 1h',
      recent: 'lastK(order.placed, channel) within 7d k 3',
      middle: 'percentile(order.placed, amount) within 7d error 0.01 binsMax 128 q 0.5',
      heat: 'decayed(order.placed) halfLife 6h',
      lastChannel: 'last(order.placed, channel)',
    })
    expect(described.find(({ name }) => name === 'big')?.type).toBe('json')
    expect(described.map(({ fingerprint }) => fingerprint)).toEqual(
      compiled.features.features.map(({ fingerprint }) => fingerprint),
    )
  })

  it('says which states a feature reads, by way of those that it names too', () => {
    const { features: described, states } = describePipeline(compiled)
    const windowsOf = (name: string) =>
      described
        .find(feature => feature.name === name)
        ?.reads.map(({ state, withinMs }) => {
          const found = states.find(({ key }) => key === state)?.definition as Record<string, unknown> | undefined
          return [found?.['event'], found?.['aggregate'], withinMs]
        })
    expect(windowsOf('both')).toEqual([
      ['order.placed', 'sum', 90 * DAY_MS],
      ['order.placed', 'count', 30 * DAY_MS],
      ['site.visited', 'count', DAY_MS],
    ])
    expect(windowsOf('lastChannel')).toEqual([['order.placed', 'newest', null]])
    expect(windowsOf('heat')).toEqual([['order.placed', 'count', 5 * DAY_MS]])
    expect(states.find(({ newestK }) => newestK === 3)?.windowsMs).toEqual([7 * DAY_MS])
    // Over one state: within 30 days, and the denominator's whole life.
    expect(states.find(({ windowsMs }) => windowsMs.includes(30 * DAY_MS))).toMatchObject({
      isWholeLife: true,
      windowsMs: [30 * DAY_MS],
    })
  })

  it('has the inputs of a model in their order, with the fingerprints that it is held to', () => {
    const { models, features: described } = describePipeline(compiled)
    const fingerprint = (name: string) => described.find(feature => feature.name === name)?.fingerprint
    expect(models).toEqual([
      {
        name: 'churn',
        owner: 'ana',
        about: 'Who leaves.',
        inputs: ['spend', 'orders30d'].map(name => ({ name, fingerprint: fingerprint(name) })),
      },
    ])
  })
})
