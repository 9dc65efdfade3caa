// What upstream sends: orders and visits of some users, in time or late, sent again by a producer that heard no answer, and records
// that no contract accepts. Made by hand and not by the decoder, so that it can be held against what became of it.
import type { DecodedEvent, FieldValue, RefusalReason } from '../../src/event/decoded-event.ts'
import { HOUR_MS, parseDurationMs } from '../../src/platform/duration.ts'
import { eventIdHash } from '../../src/platform/hash.ts'
import type { Random } from '../../src/platform/random.ts'
import type { Settings } from './settings.ts'

export interface Sent {
  readonly partitionKey: string
  readonly dataBase64: string
  /** What it is, where it is an event of the user that it is keyed by. */
  readonly event: DecodedEvent | undefined
  /** What it must be refused as. */
  readonly reason: RefusalReason | undefined
}

type Json = Record<string, unknown>

export class Workload {
  readonly #random: Random
  readonly #settings: Settings
  readonly #sent: Sent[] = []
  /** Counted for each type by itself: the same id text of two types is two events. */
  readonly #ids = { order: 0, visit: 0 }

  constructor(settings: Settings, random: Random) {
    this.#settings = settings
    this.#random = random
  }

  /** The next record, put at this instant. */
  next(nowMs: number): Sent {
    const { duplicateShare, poisonShare } = this.#settings
    const known = this.#sent
    if (known.length > 0 && this.#random() < duplicateShare) {
      // The newest most of the time: a retry comes soon; or any, as when somebody replays a file.
      const back = this.#random() < 0.7 ? Math.min(5, known.length) : known.length
      return known[known.length - 1 - Math.floor(this.#random() * back)] as Sent
    }
    if (this.#random() < poisonShare) return this.#poison(nowMs)
    const sent = this.#event(nowMs)
    known.push(sent)
    return sent
  }

  #user(): string {
    const { users, hotShare } = this.#settings
    return this.#random() < hotShare ? 'user-0' : `user-${Math.floor(this.#random() * users)}`
  }

  /** When it happened: a moment ago, some time within the lateness, or longer ago than that. */
  #ts(nowMs: number): number {
    const latenessMs = parseDurationMs(this.#settings.lateness)
    if (this.#random() < this.#settings.lateShare) {
      const reach = this.#random() < 0.3 ? 3 * latenessMs : latenessMs
      return nowMs - Math.floor(this.#random() * reach)
    }
    return nowMs - Math.floor(this.#random() * 2_000)
  }

  #event(nowMs: number): Sent {
    const userId = this.#user()
    const ts = this.#ts(nowMs)
    return this.#random() < 0.6
      ? this.#order(userId, `id-${this.#ids.order++}`, ts)
      : this.#visit(userId, `id-${this.#ids.visit++}`, ts)
  }

  #order(userId: string, id: string, ts: number): Sent {
    const cents = Math.floor(this.#random() * 10_000)
    const channel = this.#random() < 0.5 ? 'web' : 'app'
    const gift = this.#random() < 0.4
    const payload = orderJson(userId, id, ts, { amount: cents / 100, channel, gift })
    return valid(payload, 'order.placed', { id, userId, ts }, { amount: cents, channel, gift })
  }

  #visit(userId: string, id: string, ts: number): Sent {
    const seconds = Math.floor(this.#random() * 1_000) / 8
    const payload = { type: 'site.visited', visitId: id, customer: userId, at: ts, seconds }
    return valid(payload, 'site.visited', { id, userId, ts }, { seconds })
  }

  #poison(nowMs: number): Sent {
    const userId = this.#user()
    const order = orderJson(userId, `id-${this.#ids.order++}`, nowMs, { amount: 1, channel: 'web', gift: false })
    const kinds: readonly (readonly [RefusalReason, Json | string, string?])[] = [
      ['not-json', '{"type":"order.placed",'],
      ['unknown-type', { ...order, type: 'order.unheard' }],
      ['contract', { ...order, amount: 'much' }],
      ['contract', { ...order, channel: 'fax' }],
      ['time-invalid', { ...order, placedAt: 'yesterday' }],
      ['user-id-invalid', { ...order, customer: { id: '' } }],
      ['forbidden-key', `{"__proto__":1,${JSON.stringify(order).slice(1)}`],
      ['mis-keyed', order, `${userId}-other`],
      ['future', { ...order, placedAt: new Date(nowMs + HOUR_MS).toISOString() }],
    ]
    const [reason, payload, key = userId] = kinds[Math.floor(this.#random() * kinds.length)] as (typeof kinds)[number]
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
    return { partitionKey: key, dataBase64: Buffer.from(text).toString('base64'), event: undefined, reason }
  }
}

function orderJson(userId: string, id: string, ts: number, fields: Json): Json {
  return {
    type: 'order.placed',
    orderId: id,
    customer: { id: userId },
    placedAt: new Date(ts).toISOString(),
    ...fields,
  }
}

function valid(
  payload: Json,
  type: string,
  { id, userId, ts }: { readonly id: string; readonly userId: string; readonly ts: number },
  fields: Readonly<Record<string, FieldValue>>,
): Sent {
  const event = {
    type,
    id,
    idHash: eventIdHash(type, id),
    userId,
    ts,
    fields: new Map(Object.entries(fields)),
    unknownFields: 0,
  }
  return {
    partitionKey: userId,
    dataBase64: Buffer.from(JSON.stringify(payload)).toString('base64'),
    event,
    reason: undefined,
  }
}
