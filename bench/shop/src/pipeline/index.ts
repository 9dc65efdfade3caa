// The pipeline of `npm run bench:training-set`: 20 features such as a shop has, each of which SQL can say as well.
import {
  count,
  distinct,
  event,
  features,
  choice,
  flag,
  last,
  max,
  mean,
  min,
  number,
  pipeline,
  ratio,
  recency,
  sum,
  text,
} from 'millrace'

const order = event('order.placed', {
  id: 'id',
  user: 'user',
  time: 'at',
  lateness: '1h',
  fields: { amount: number({ scale: 2 }), channel: choice('web', 'app', 'shop'), item: text(), gift: flag() },
})
const visit = event('site.visited', {
  id: 'id',
  user: 'user',
  time: 'at',
  lateness: '1h',
  fields: { seconds: number({ scale: 0 }) },
})

const customer = features({
  orders1d: count(order, { within: '1d' }),
  orders7d: count(order, { within: '7d' }),
  orders30d: count(order, { within: '30d' }),
  orders90d: count(order, { within: '90d' }),
  ordersEver: count(order),
  spend7d: sum(order, 'amount', { within: '7d' }),
  spend30d: sum(order, 'amount', { within: '30d' }),
  spend90d: sum(order, 'amount', { within: '90d' }),
  meanAmount90d: mean(order, 'amount', { within: '90d' }),
  cheapest90d: min(order, 'amount', { within: '90d' }),
  dearest: max(order, 'amount'),
  app30d: count(order, { within: '30d', where: { channel: 'app' } }),
  bigOrders90d: count(order, { within: '90d', where: { amount: { above: 150 } } }),
  giftShare90d: ratio(count(order, { within: '90d', where: { gift: true } }), count(order, { within: '90d' })),
  items90d: distinct(order, 'item', { within: '90d' }),
  lastAmount: last(order, 'amount'),
  sinceOrder: recency(order, { roundTo: '1h' }),
  visits1d: count(visit, { within: '1d' }),
  visits30d: count(visit, { within: '30d' }),
  seconds30d: sum(visit, 'seconds', { within: '30d' }),
})

export default pipeline({ name: 'shop', events: [order, visit], features: customer, models: [] })
