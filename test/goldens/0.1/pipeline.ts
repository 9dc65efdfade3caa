// The definitions that the goldens of 0.1 were made by: every kind of feature and event, as code, since a definition is part of what a
// later release must still understand.
import {
  choice,
  coalesce,
  count,
  decayed,
  distinct,
  event,
  features,
  first,
  firstK,
  flag,
  histogram,
  last,
  lastK,
  max,
  mean,
  min,
  model,
  multiply,
  number,
  percentile,
  pipeline,
  ratio,
  recency,
  stddev,
  streak,
  sum,
  text,
  topK,
  variance,
} from 'millrace'

const order = event('order.placed', {
  id: 'orderId',
  user: 'customer.id',
  time: 'placedAt',
  lateness: '6h',
  fields: {
    amount: number({ scale: 2 }),
    item: text(),
    channel: choice('web', 'app'),
    gift: flag(),
    weight: number({ optional: true }),
  },
  owner: 'ana',
  about: 'One paid order, from the shop.',
})

const visit = event('site.visited', {
  id: 'visitId',
  user: 'customer',
  time: 'at',
  lateness: '1h',
  fields: { seconds: number() },
})

const orders30d = count(order, { within: '30d' })

const customer = features({
  orders10m: count(order, { within: '10m' }),
  orders1d: count(order, { within: '1d' }),
  orders7d: count(order, { within: '7d' }),
  orders30d,
  ordersEver: count(order),
  spend90d: sum(order, 'amount', { within: '90d' }),
  spendByChannel: sum(order, 'amount', { within: '30d', by: 'channel' }),
  bigApp7d: count(order, { within: '7d', where: { channel: 'app', amount: { above: 100 } } }),
  meanWeight: mean(order, 'weight', { within: '30d' }),
  spread: variance(order, 'amount', { within: '30d' }),
  deviation: stddev(order, 'weight', { within: '30d' }),
  dearest: max(order, 'amount'),
  cheapest1d: min(order, 'amount', { within: '1d' }),
  longest: max(visit, 'seconds', { within: '14d' }),
  firstItem: first(order, 'item'),
  firstAmounts: firstK(order, 'amount', { k: 3 }),
  lastChannel: last(order, 'channel', { within: '7d' }),
  lastItems: lastK(order, 'item', { k: 3 }),
  favourites: topK(order, 'item', { k: 2 }),
  items30d: distinct(order, 'item', { within: '30d' }),
  median30d: percentile(order, 'amount', { q: 0.5, within: '30d' }),
  sizes: histogram(order, 'amount', { bounds: [10, 100] }),
  interest: decayed(visit, { halfLife: '7d' }),
  days: streak(visit, { every: '1d' }),
  giftShare: ratio(count(order, { within: '30d', where: { gift: true } }), orders30d),
  sinceOrder: recency(order, { roundTo: '1h' }),
  activity: coalesce(multiply(orders30d, 2), 0),
})

export default pipeline({
  name: 'shop',
  events: [order, visit],
  features: customer,
  models: [model('churn', { from: customer, inputs: ['orders30d', 'spend90d', 'dearest'], owner: 'ana' })],
})
