import { count, features, last, max, mean, min, ratio, recency, sum } from 'millrace'
import { arrival } from './events.ts'

const late = { delayMinutes: { above: 15 } } as const

/** What the desk that looks after a route knows of it. In this demo a route is the user. */
export const route = features({
  arrivals6h: count(arrival, { within: '6h' }),
  arrivals1d: count(arrival, { within: '1d' }),
  arrivals7d: count(arrival, { within: '7d' }),
  arrivals30d: count(arrival, { within: '30d' }),
  lateShare6h: ratio(count(arrival, { within: '6h', where: late }), count(arrival, { within: '6h' })),
  lateShare1d: ratio(count(arrival, { within: '1d', where: late }), count(arrival, { within: '1d' })),
  lateShare30d: ratio(count(arrival, { within: '30d', where: late }), count(arrival, { within: '30d' })),
  meanDelay6h: mean(arrival, 'delayMinutes', { within: '6h' }),
  meanDelay1d: mean(arrival, 'delayMinutes', { within: '1d' }),
  meanDelay7d: mean(arrival, 'delayMinutes', { within: '7d' }),
  worstDelay1d: max(arrival, 'delayMinutes', { within: '1d' }),
  bestDelay7d: min(arrival, 'delayMinutes', { within: '7d' }),
  lateMinutes7d: sum(arrival, 'delayMinutes', { within: '7d', where: late }),
  lastDelay: last(arrival, 'delayMinutes'),
  lastHour: last(arrival, 'departureHour'),
  lastWeekday: last(arrival, 'departureWeekday'),
  distance: last(arrival, 'distanceMiles'),
  sinceArrival: recency(arrival, { roundTo: '1h' }),
  sinceLate: recency(arrival, { roundTo: '1h', where: late }),
})
