// Events and definitions with real shapes, for tests of features.
import fc from 'fast-check'
import type { DecodedEvent } from '../../src/event/decoded-event.ts'
import { event } from '../../src/event/contract.ts'
import { choice, flag, number } from '../../src/event/field.ts'
import { count, last, max, mean, min, ratio, recency, sum } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { eventIdHash } from '../../src/platform/hash.ts'

export const order = event('order.placed', {
  id: 'orderId',
  user: 'customer.id',
  time: 'placedAt',
  lateness: '6h',
  fields: {
    amount: number({ scale: 2 }),
    channel: choice('web', 'app'),
    gift: flag(),
    points: number({ optional: true, scale: 0 }),
  },
})

export const visit = event('site.visited', {
  id: 'visitId',
  user: 'customer',
  time: 'at',
  lateness: '1h',
  fields: { seconds: number() },
})

export const customer = features({
  orders10m: count(order, { within: '10m' }),
  orders2h: count(order, { within: '2h' }),
  orders1d: count(order, { within: '1d' }),
  orders7d: count(order, { within: '7d' }),
  orders30d: count(order, { within: '30d' }),
  ordersEver: count(order),
  spend90d: sum(order, 'amount', { within: '90d' }),
  spend3h: sum(order, 'amount', { within: '3h' }),
  points7d: sum(order, 'points', { within: '7d' }),
  meanPoints: mean(order, 'points', { within: '30d' }),
  bigApp7d: count(order, { within: '7d', where: { channel: 'app', amount: { above: 100 } } }),
  dearest: max(order, 'amount'),
  cheapest1d: min(order, 'amount', { within: '1d' }),
  longest: max(visit, 'seconds', { within: '14d' }),
  lastChannel: last(order, 'channel', { within: '7d' }),
  lastPoints: last(order, 'points'),
  giftShare: ratio(count(order, { within: '30d', where: { gift: true } }), count(order, { within: '30d' })),
  sinceOrder: recency(order, { roundTo: '1h' }),
  sinceGift: recency(order, { roundTo: '5m', where: { gift: true } }),
})

const DAY = 86_400_000
export const START = Date.UTC(2024, 1, 25)

export function orderEvent(
  id: number,
  ts: number,
  fields: Partial<Record<string, number | string | boolean | null>> = {},
): DecodedEvent {
  const merged = { amount: 1999, channel: 'web', gift: false, points: null, ...fields }
  return {
    type: 'order.placed',
    id: `${id}`,
    idHash: eventIdHash('order.placed', `${id}`),
    userId: 'ana',
    ts,
    fields: new Map(Object.entries(merged)) as DecodedEvent['fields'],
    unknownFields: 0,
  }
}

/** Events over some months, clustered enough that tiles of every level meet, with ties in time. */
export const eventsArbitrary: fc.Arbitrary<DecodedEvent[]> = fc
  .array(
    fc.record({
      isOrder: fc.boolean(),
      offsetMs: fc.oneof(
        fc.integer({ min: 0, max: 120 * DAY }),
        fc.integer({ min: 0, max: 3 * DAY }),
        fc.integer({ min: 0, max: 40 }).map(n => n * 60_000),
        fc.integer({ min: 0, max: 40 }).map(n => n * DAY),
      ),
      amount: fc.integer({ min: 0, max: 50_000 }),
      channel: fc.constantFrom('web', 'app'),
      gift: fc.boolean(),
      points: fc.option(fc.integer({ min: -50, max: Number.MAX_SAFE_INTEGER })),
    }),
    { maxLength: 40 },
  )
  .map(list =>
    list.map((item, id) =>
      item.isOrder
        ? orderEvent(id, START + item.offsetMs, {
            amount: item.amount,
            channel: item.channel,
            gift: item.gift,
            points: item.points,
          })
        : {
            type: 'site.visited',
            id: `${id}`,
            idHash: eventIdHash('site.visited', `${id}`),
            userId: 'ana',
            ts: START + item.offsetMs,
            fields: new Map([['seconds', item.amount / 7]]),
            unknownFields: 0,
          },
    ),
  )
