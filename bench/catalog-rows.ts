// Rows as a snapshot has them: an id, instants, counts, sums, shares that are null for some, a flag and a few words.
import type { Column, Row } from '../src/catalog/columns.ts'
import { seededRandom } from '../src/platform/random.ts'

export const CATALOG_COLUMNS: readonly Column[] = [
  { name: 'user_id', type: 'string' },
  { name: 'as_of', type: 'timestamp' },
  { name: 'version', type: 'int64' },
  { name: 'orders30d', type: 'int64' },
  { name: 'spend90d', type: 'double' },
  { name: 'giftShare', type: 'double' },
  { name: 'sinceOrder', type: 'int64' },
  { name: 'isMember', type: 'boolean' },
  { name: 'city', type: 'string' },
  { name: 'churn', type: 'double' },
]

const AS_OF_MS = Date.UTC(2026, 5, 30)
const CITIES = ['Amsterdam', 'Berlin', 'Lisbon', 'Madrid', 'Paris', 'Prague', 'Rome', 'Vienna', 'Warsaw', 'Zürich']

export function benchRows(count: number): Row[] {
  const random = seededRandom(7)
  const below = (limit: number): number => Math.floor(random() * limit)
  return Array.from({ length: count }, (_, index) => ({
    user_id: `user-${String((index * 7_919) % count).padStart(8, '0')}`,
    as_of: AS_OF_MS,
    version: below(400),
    orders30d: below(30),
    spend90d: below(100_000) / 100,
    giftShare: random() < 0.2 ? null : random(),
    sinceOrder: below(90 * 24) * 3_600,
    isMember: random() < 0.5,
    city: CITIES[below(CITIES.length)] ?? 'Rome',
    churn: random(),
  }))
}
