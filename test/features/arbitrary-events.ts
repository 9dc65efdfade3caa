// Events of two types with every kind of field and every kind of value that is hard on arithmetic, in clusters and ties of time.
import fc from 'fast-check'
import { type EventContract, event } from '../../src/event/contract.ts'
import type { DecodedEvent, FieldValue } from '../../src/event/decoded-event.ts'
import { choice, flag, number, text } from '../../src/event/field.ts'
import { eventIdHash } from '../../src/platform/hash.ts'

const fields = {
  /** Integers at their scale, and so large that their sum is beyond 2^53. */
  cents: number({ scale: 2 }),
  points: number({ optional: true, scale: 0 }),
  /** Any double. */
  weight: number(),
  note: text({ optional: true }),
  channel: choice('web', 'app', 'shop'),
  gift: flag(),
}

export type Contract = EventContract<string, typeof fields>

const paths = { id: 'id', user: 'user', time: 'at', lateness: '1h', fields } as const
const placed: Contract = event('order.placed', paths)
const visited: Contract = event('site.visited', paths)
export const contracts: readonly Contract[] = [placed, visited]

export const DAY = 86_400_000
const MINUTE = 60_000
export const START = Date.UTC(2024, 1, 25)
const BURST_MAX = 260

/** Texts that are keys of groups: of integers, of prototypes, longer than 64 bytes, and on either side of the surrogates. */
const HARD_NOTES = ['a', 'b', '', '1', '10', '__proto__', 'constructor', 'é'.repeat(32), 'é'.repeat(33), '～', '😀']
const HARD_NUMBERS = [0, -0, 1, -1, 0.1, 0.2, 1e300, -1e300, 5e-324, -5e-324, 2e-308, 2 ** 53, 1e16, 1.7e308, -1.7e308]

const weight = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: -5, max: 5 }) },
  { weight: 3, arbitrary: fc.integer({ min: -1_000_000, max: 1_000_000 }).map(n => n / 1000) },
  { weight: 2, arbitrary: fc.constantFrom(...HARD_NUMBERS) },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
)
const integer = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: -20, max: 2000 }) },
  { weight: 1, arbitrary: fc.maxSafeInteger() },
)

/** Grids and their neighbours, where windows and tiles begin and end; and a few instants that many events have. */
export const offsetMs = fc.oneof(
  fc.integer({ min: 0, max: 3 * DAY }),
  fc.integer({ min: 0, max: 120 * DAY }),
  fc.integer({ min: 0, max: 800 * DAY }),
  fc.constantFrom(0, 119 * MINUTE, 2 * DAY, 2 * DAY + 1),
  fc
    .tuple(fc.nat(50), fc.constantFrom(MINUTE, 5 * MINUTE, 60 * MINUTE, DAY), fc.constantFrom(-1, 0, 0, 1))
    .map(([count, step, beside]) => Math.max(0, count * step + beside)),
)

/** Mostly the first one, so that definitions and events meet. */
export const ofContract = fc.nat(4).map(n => (n === 0 ? visited : placed))

const plainEvent = fc
  .record({
    type: ofContract.map(({ type }) => type),
    offsetMs,
    cents: integer,
    points: fc.option(integer),
    weight,
    note: fc.option(fc.oneof(fc.constantFrom(...HARD_NOTES), fc.string({ maxLength: 3, unit: 'grapheme' }))),
    channel: fc.constantFrom('web', 'app', 'shop'),
    gift: fc.boolean(),
  })
  .map(({ type, offsetMs: offset, ...values }) => ({ type, ts: START + offset, values }))

type PlainEvent = { readonly type: string; readonly ts: number; readonly values: Readonly<Record<string, FieldValue>> }

/** Many events with many values: what sketches join and estimate. Made of two numbers, as lists of so many shrink slowly. */
const burst = fc
  .tuple(
    fc.integer({ min: 130, max: BURST_MAX }),
    fc.nat(1_000_000),
    fc.constantFrom(2 * 60 * MINUTE, 5 * DAY, 200 * DAY),
  )
  .map(([count, seed, spanMs]) => {
    const random = randomOf(seed)
    return Array.from({ length: count }, (): PlainEvent => {
      const n = Math.floor(random() * 1000)
      return {
        type: (n % 7 === 0 ? visited : placed).type,
        ts: START + Math.floor(random() * spanMs),
        values: {
          cents: n,
          points: n % 3 === 0 ? null : n - 500,
          weight: (random() - 0.3) * 10 ** Math.floor(random() * 40 - 20),
          note: `note ${n}`,
          channel: ['web', 'app', 'shop'][n % 3] ?? 'web',
          gift: n % 2 === 0,
        },
      }
    })
  })

/** Some or many, all within a span: short windows, too, then have many. */
const plainEvents = fc
  .tuple(
    fc.array(plainEvent, { minLength: 1, maxLength: 30, size: 'max' }),
    fc.constantFrom(120 * MINUTE, 3 * DAY, 120 * DAY, 800 * DAY),
  )
  .map(([list, spanMs]) => list.map(plain => ({ ...plain, ts: START + ((plain.ts - START) % spanMs) })))

/** At least one, in the order of nothing. */
export const events: fc.Arbitrary<readonly DecodedEvent[]> = fc
  .oneof({ weight: 9, arbitrary: plainEvents }, { weight: 1, arbitrary: burst })
  .map(list => list.map(decoded))

function decoded({ type, ts, values }: PlainEvent, index: number): DecodedEvent {
  const id = String(index)
  const idHash = eventIdHash(type, id)
  return { type, id, idHash, userId: 'ana', ts, fields: new Map(Object.entries(values)), unknownFields: 0 }
}

/** Numerical Recipes' generator: the same numbers for the same seed, everywhere. */
export function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
