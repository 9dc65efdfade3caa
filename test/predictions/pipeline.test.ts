import { describe, expect, it } from 'vitest'
import { event } from '../../src/event/contract.ts'
import { count, ratio } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { model } from '../../src/model/define.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { order, visit } from '../features/factories.ts'

const customer = features({ orders: count(order), perVisit: ratio(count(order), count(visit)) })

describe('pipeline', () => {
  it('knows every event that a feature counts, and those that are listed only', () => {
    const parcel = event('parcel.sent', { id: 'id', user: 'user', time: 'at', lateness: '1d', fields: {} })
    const shop = pipeline({ name: 'shop', events: [parcel, order], features: customer, models: [] })
    expect(shop.events.map(each => each.type)).toEqual(['parcel.sent', 'order.placed', 'site.visited'])
    expect(shop.typePath).toBe('type')
  })

  it('refuses two contracts of one type', () => {
    const twin = event('order.placed', { id: 'id', user: 'user', time: 'at', lateness: '1d', fields: {} })
    expect(() => pipeline({ name: 'shop', events: [twin], features: customer, models: [] })).toThrow('defined twice')
  })

  it.each(['x', 'Shop', 'a'.repeat(33), 'my shop'])('refuses the name %s', name => {
    expect(() => pipeline({ name, features: customer, models: [] })).toThrow('not a pipeline name')
  })

  it('refuses a model whose inputs are of another set of features', () => {
    const others = features({ visits: count(visit) })
    const churn = model('churn', { from: others, inputs: ['visits'], owner: 'ana' })
    expect(() => pipeline({ name: 'shop', features: customer, models: [churn] })).toThrow('of another set')
  })
})

describe('model', () => {
  it('refuses inputs that are no features, none, or the same twice', () => {
    const make = (inputs: readonly string[]) => () =>
      model('churn', { from: customer, inputs: inputs as 'orders'[], owner: 'ana' })
    expect(make(['nothing'])).toThrow('which is not defined')
    expect(make([])).toThrow('has no inputs')
    expect(make(['orders', 'orders'])).toThrow('twice')
    expect(make(['orders'])).not.toThrow()
  })

  it('takes 64 KB of a user unless it says otherwise, up to what DynamoDB surely takes', () => {
    const shop = { name: 'shop', features: customer, models: [] }
    expect(pipeline(shop).itemBytesMax).toBe(65_536)
    expect(pipeline({ ...shop, itemBytesMax: 393_216 }).itemBytesMax).toBe(393_216)
    for (const itemBytesMax of [393_217, 4095, 70_000.5]) {
      expect(() => pipeline({ ...shop, itemBytesMax })).toThrow(`itemBytesMax is ${itemBytesMax}`)
    }
  })
})
