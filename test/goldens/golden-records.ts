// The events of the goldens, in upstream's own JSON: what is folded, what is refused and why, what comes twice and too late.
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/platform/duration.ts'
import { sequenceOf } from '../archive/factories.ts'
import { START_MS } from './golden-names.ts'

const SHARDS = ['shardId-000000000000', 'shardId-000000000001'] as const
const ITEMS = ['tea', 'milk', 'bread', 'naïve 🫖']

interface Order {
  readonly id: string
  readonly user: string
  readonly ts: number
  readonly index: number
}

function orderJson({ id, user, ts, index }: Order): object {
  return {
    type: 'order.placed',
    orderId: id,
    customer: { id: user },
    placedAt: new Date(ts).toISOString(),
    amount: (199 + index * 3750) / 100,
    item: ITEMS[index % ITEMS.length],
    channel: index % 3 === 0 ? 'app' : 'web',
    gift: index % 4 === 0,
    ...(index % 2 === 0 ? { weight: index / 7 } : {}),
  }
}

function visitJson(id: string, user: string, ts: number, seconds: number): object {
  return { type: 'site.visited', visitId: id, customer: user, at: new Date(ts).toISOString(), seconds }
}

interface Place {
  readonly index: number
  readonly user: string
  readonly arrivalMs: number
}

function record(payload: object | string, { index, user, arrivalMs }: Place): StreamRecord {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  return {
    stream: 'events@1',
    shard: SHARDS[user < 'b' ? 0 : 1],
    sequence: sequenceOf(index),
    arrivalMs,
    partitionKey: user,
    dataBase64: Buffer.from(text).toString('base64'),
  }
}

/** All of one hour, which is compacted. */
export function noonRecords(): readonly StreamRecord[] {
  const users = ['ana', 'ben', 'cy', 'dó 🙂']
  const folded = Array.from({ length: 12 }, (_, index) => {
    const [user = '', ts] = [users[index % users.length], START_MS + index * MINUTE_MS]
    const payload =
      index % 3 === 2 ? visitJson(`v${index}`, user, ts, index * 10.5) : orderJson({ id: `o${index}`, user, ts, index })
    return record(payload, { index: index + 1, user, arrivalMs: ts + 1500 })
  })
  const place = (index: number, user: string): Place => ({ index, user, arrivalMs: START_MS + 30 * MINUTE_MS + index })
  const ahead = START_MS + 2 * HOUR_MS
  return [
    ...folded,
    record('no JSON', place(20, 'ana')),
    record(orderJson({ id: 'o21', user: 'ben', ts: START_MS, index: 1 }), place(21, 'ana')),
    record(orderJson({ id: 'o22', user: 'cy', ts: ahead, index: 1 }), place(22, 'cy')),
    record({ type: 'nobody.knows' }, place(23, 'ben')),
    // A producer's retry.
    record(orderJson({ id: 'o0', user: 'ana', ts: START_MS, index: 0 }), place(24, 'ana')),
  ]
}

/** Days later: what was known is beyond the lateness, and a late event comes. */
export function laterRecords(): readonly StreamRecord[] {
  const users = ['ana', 'ben', 'cy']
  const folded = Array.from({ length: 24 }, (_, index) => {
    const [user = '', ts] = [users[index % users.length], START_MS + 2 * DAY_MS + index * 5 * HOUR_MS]
    return record(orderJson({ id: `later${index}`, user, ts, index: index + 3 }), {
      index: 100 + index,
      user,
      arrivalMs: ts + 900,
    })
  })
  const last = START_MS + 8 * DAY_MS
  const late = orderJson({ id: 'late', user: 'ana', ts: START_MS - HOUR_MS, index: 2 })
  const visit = visitJson('v-last', 'ana', last, 0.1 + 0.2)
  return [
    ...folded,
    record(late, { index: 200, user: 'ana', arrivalMs: last }),
    record(visit, { index: 201, user: 'ana', arrivalMs: last + 5 }),
  ]
}

/** Of a user who never was in the stream, of one who is, and a line that no contract takes. */
export function importedPayloads(): readonly Uint8Array[] {
  const ts = START_MS - 60 * DAY_MS
  const payloads = [
    orderJson({ id: 'i1', user: 'eve', ts, index: 5 }),
    visitJson('i2', 'eve', ts + HOUR_MS, 61),
    orderJson({ id: 'i3', user: 'ana', ts, index: 6 }),
    { type: 'order.placed', orderId: 'i4' },
  ]
  return payloads.map(payload => Buffer.from(JSON.stringify(payload)))
}
