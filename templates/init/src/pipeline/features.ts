import { count, features, ratio, recency, sum } from 'millrace'
import { order } from './events.ts'

/** What is known of a customer. Each is exact at every instant, whenever the customer last ordered. */
export const customer = features({
  orders30d: count(order, { within: '30d' }),
  spend90d: sum(order, 'amount', { within: '90d' }),
  bigApp7d: count(order, { within: '7d', where: { channel: 'app', amount: { above: 100 } } }),
  giftShare: ratio(count(order, { within: '30d', where: { gift: true } }), count(order, { within: '30d' })),
  sinceOrder: recency(order, { roundTo: '1h' }),
})
