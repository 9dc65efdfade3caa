import { describe, expect, it } from 'vitest'
import { event } from '../../src/event/contract.ts'
import { count, sum } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import type { FeatureSet } from '../../src/features/feature.ts'
import { type ModelDefinition, model } from '../../src/model/define.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { order } from '../features/factories.ts'

const orders7d = count(order, { within: '7d' })
const spend7d = sum(order, 'amount', { within: '7d' })
const customer = features({ orders7d, spend7d })
const churn = model('churn', { from: customer, inputs: ['orders7d'], owner: 'ana' })
const fraud = model('fraud', { from: customer, inputs: ['spend7d'], owner: 'ana' })

function definitionsOf(set: FeatureSet, models: readonly ModelDefinition[], name = 'shop'): string {
  return compilePipeline(pipeline({ name, features: set, models })).definitions
}

describe('the definitions that an item is made by', () => {
  const today = definitionsOf(customer, [churn, fraud])

  it('are 12 hex digits, the same in every process and release', () => {
    expect(today).toBe('55cdabd2dc9e')
  })

  it('are not of the order in which features and models are written, of owners, names and events that nothing counts', () => {
    const parcel = event('parcel.sent', { id: 'id', user: 'user', time: 'at', lateness: '1d', fields: {} })
    const owned = model('churn', { from: customer, inputs: ['orders7d'], owner: 'bob', about: 'Who leaves.' })
    expect(definitionsOf(features({ spend7d, orders7d }), [fraud, owned], 'store')).toBe(today)
    const more = pipeline({ name: 'shop', events: [parcel], features: customer, models: [churn, fraud] })
    expect(compilePipeline(more).definitions).toBe(today)
  })

  it.each<[string, FeatureSet]>([
    ['a feature more', features({ orders7d, spend7d, ordersEver: count(order) })],
    ['another window', features({ orders7d: count(order, { within: '8d' }), spend7d })],
    ['another filter', features({ orders7d: count(order, { within: '7d', where: { gift: true } }), spend7d })],
    ['another aggregate under the same name', features({ orders7d: spend7d, spend7d })],
    ['two names exchanged', features({ orders7d: spend7d, spend7d: orders7d })],
  ])('change with %s', (_, set) => {
    expect(definitionsOf(set, [churn, fraud])).not.toBe(today)
  })

  it('change with a feature less or renamed', () => {
    const without = features({ orders7d })
    const renamed = features({ orders7d, spendWeek: spend7d })
    const all = [customer, without, renamed].map(set => definitionsOf(set, [churn]))
    expect(new Set(all).size).toBe(3)
  })

  it('change with a model more or less, its name, its inputs and their order', () => {
    const make = (name: string, inputs: readonly ('orders7d' | 'spend7d')[]) =>
      model(name, { from: customer, inputs, owner: 'ana' })
    const lists = [
      [],
      [churn],
      [churn, fraud],
      [make('leaving', ['orders7d']), fraud],
      [make('churn', ['orders7d', 'spend7d']), fraud],
      [make('churn', ['spend7d', 'orders7d']), fraud],
    ]
    expect(new Set(lists.map(models => definitionsOf(customer, models))).size).toBe(lists.length)
  })
})
