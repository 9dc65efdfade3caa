// Items with the shapes and sizes of real ones.
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/platform/duration.ts'
import { eventIdHash } from '../../src/platform/hash.ts'
import { type Random, seededRandom } from '../../src/platform/random.ts'
import type { DedupState, RecentId } from '../../src/affected/dedup-state.ts'
import { compareRecentIds } from '../../src/affected/dedup-state.ts'
import { encodeItem, type ItemParts } from '../../src/store/item-codec.ts'
import type { StoredItem } from '../../src/store/user-item.ts'

const NOW_MS = Date.UTC(2016, 0, 31, 12)

/** About 1.5 KB of state, 1 KB of features, 0.2 KB of predictions, 20 recent ids and one mark. */
export function typicalParts(changes: Partial<ItemParts> = {}): ItemParts {
  const random = seededRandom(7)
  return {
    userId: 'customer-000042',
    v: 1,
    at: NOW_MS - 5 * MINUTE_MS,
    asOf: NOW_MS - 5 * MINUTE_MS,
    fresh: NOW_MS + 55 * MINUTE_MS,
    definitions: '3f9c2a71d0b4',
    models: { churn: '20160130000000-abcdefgh' },
    imports: ['20160101000000-aaaaaaaa'],
    dedup: typicalDedup(random),
    state: JSON.stringify(typicalState(random)),
    features: JSON.stringify({
      asOf: NOW_MS - 5 * MINUTE_MS,
      freshUntil: NOW_MS + 55 * MINUTE_MS,
      values: typicalValues(random),
    }),
    predictions: JSON.stringify({
      asOf: NOW_MS - 5 * MINUTE_MS,
      freshUntil: NOW_MS + 55 * MINUTE_MS,
      models: { churn: { status: 'ok', batchId: '20160130000000-abcdefgh', value: { probability: random() } } },
    }),
    ...changes,
  }
}

export function typicalItem(userId: string, changes: Partial<ItemParts> = {}): StoredItem {
  return encodeItem(typicalParts({ userId, ...changes }))
}

function typicalDedup(random: Random): DedupState {
  const ids = Array.from({ length: 20 }, (_, index): RecentId => {
    return { ts: NOW_MS - Math.floor(random() * 6 * HOUR_MS), idHash: eventIdHash('order.placed', `order-${index}`) }
  }).sort(compareRecentIds)
  const floor = { ts: NOW_MS - 7 * HOUR_MS, idHash: eventIdHash('order.placed', 'order-before') }
  const mark = {
    sequence: '49590338271490256608559692538361571095921575989136588898',
    arrivalMs: NOW_MS - 4 * MINUTE_MS,
  }
  return {
    types: new Map([['order.placed', { ids, floor }]]),
    marks: new Map([['events@1/shardId-000000000006', mark]]),
    settledMs: undefined,
  }
}

/** Hourly and daily tiles of counts and sums under 48-bit keys: the layout of a user's state. */
function typicalState(random: Random): Record<string, unknown> {
  const state: Record<string, unknown> = {}
  for (let entry = 0; entry < 8; entry++) {
    const tilesOf = (levelMs: number, count: number): number[] => {
      let index = Math.floor(NOW_MS / levelMs) - count * 2
      return Array.from({ length: count }, () => [
        (index += 1 + Math.floor(random() * 3)),
        1 + Math.floor(random() * 9),
      ]).flat()
    }
    state[eventIdHash('state', String(entry)).slice(0, 12)] = {
      since: NOW_MS - 90 * DAY_MS,
      h: tilesOf(HOUR_MS, 8),
      d: tilesOf(DAY_MS, 10),
    }
  }
  return state
}

function typicalValues(random: Random): Record<string, number | null> {
  const values: Record<string, number | null> = {}
  for (const subject of ['orders', 'spend', 'visits', 'refunds', 'gifts', 'returns']) {
    for (const window of ['1d', '7d', '30d', '90d', 'App7d', 'Web7d', 'Share30d']) {
      values[`${subject}${window}`] =
        random() < 0.1 ? null : random() < 0.5 ? Math.floor(random() * 40) : Math.round(random() * 1e6) / 100
    }
  }
  return values
}
