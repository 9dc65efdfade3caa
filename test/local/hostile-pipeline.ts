// A pipeline with a field of every kind, versions and an older path, so that every way to be wrong has a place to be wrong at; and an
// order as it should be, from which wrong ones are made.
import { choice, count, event, features, flag, last, move, number, pipeline, sum, text } from 'millrace'
import type { Random } from '../../src/platform/random.ts'

export const order = event('order.placed', {
  id: 'orderId',
  user: 'customer.id',
  time: 'placedAt',
  lateness: '1h',
  version: { path: 'v', current: 2, absent: 2 },
  upgrade: { 1: [move('total', 'amount')] },
  fields: {
    amount: number({ scale: 2 }),
    quantity: number(),
    item: text(),
    channel: choice('web', 'app'),
    gift: flag(),
    note: text({ optional: true }),
  },
  renamed: { item: ['article.name'] },
  owner: 'nobody',
})

const visit = event('site.visited', {
  id: 'visitId',
  user: 'visitor',
  time: { path: 'at', unit: 'ms' },
  lateness: '1h',
  fields: { seconds: number() },
})

export const hostileShop = pipeline({
  name: 'hostile',
  features: features({
    orders: count(order),
    spend: sum(order, 'amount'),
    orders7d: count(order, { within: '7d', where: { channel: 'web' } }),
    lastItem: last(order, 'item'),
    visits: count(visit),
  }),
  models: [],
})

export interface OrderJson extends Readonly<Record<string, unknown>> {
  readonly orderId: string
  readonly customer: { readonly id: string }
  readonly amount: number
}

/** `cents` is its amount. */
export function newOrder(id: string, user: string, atMs: number, random: Random): { json: OrderJson; cents: number } {
  const cents = Math.floor(random() * 100_000)
  return {
    cents,
    json: {
      v: 2,
      type: 'order.placed',
      orderId: id,
      customer: { id: user },
      placedAt: new Date(atMs).toISOString(),
      amount: cents / 100,
      quantity: 1 + Math.floor(random() * 9),
      item: `item ${Math.floor(random() * 50)}`,
      channel: random() < 0.5 ? 'web' : 'app',
      gift: random() < 0.1,
    },
  }
}
