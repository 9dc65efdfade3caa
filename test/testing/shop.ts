// A pipeline with what makes upstream's JSON differ from plain fields: nested paths, other names, a version, defaults.
import { event } from '../../src/event/contract.ts'
import { choice, flag, number, text } from '../../src/event/field.ts'
import { count, last, mean, ratio, recency, sum } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { model } from '../../src/model/define.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'

export const order = event('order.placed', {
  id: 'orderId',
  user: 'customer.id',
  time: 'placedAt',
  lateness: '6h',
  version: { path: 'meta.version', current: 2 },
  upgrade: { 1: [] },
  fields: {
    amount: number({ scale: 2, path: 'total.amount' }),
    item: text({ optional: true }),
    channel: choice('web', 'app'),
    gift: flag({ default: false }),
  },
})

export const visit = event('site.visited', {
  id: 'visit.id',
  user: 'visitor',
  time: { path: 'at', unit: 's' },
  lateness: '1h',
  fields: { seconds: number({ scale: 0 }) },
})

export const customer = features({
  orders7d: count(order, { within: '7d' }),
  spend90d: sum(order, 'amount', { within: '90d' }),
  meanSpend90d: mean(order, 'amount', { within: '90d' }),
  giftShare: ratio(count(order, { within: '30d', where: { gift: true } }), count(order, { within: '30d' })),
  lastChannel: last(order, 'channel'),
  byChannel30d: count(order, { within: '30d', by: 'channel' }),
  sinceOrder: recency(order, { roundTo: '1h' }),
  visits1d: count(visit, { within: '1d' }),
})

export const churn = model('churn', { from: customer, inputs: ['orders7d', 'spend90d', 'visits1d'], owner: 'ana' })

export const shop = pipeline({ name: 'shop', typePath: 'meta.type', features: customer, models: [churn] })
