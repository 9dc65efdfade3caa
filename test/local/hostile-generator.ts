// Hostile records by the million, seeded: wrong ones of every kind with right ones between them, each with the outcome that it must
// have. Users are few and come again, so that what damages a neighbour shows.
import { HOUR_MS } from '../../src/platform/duration.ts'
import { type Random, seededRandom } from '../../src/platform/random.ts'
import { KINDS, MEMORY_KINDS, type Hostile, type Outcome } from './hostile-kinds.ts'
import { newOrder } from './hostile-pipeline.ts'

export interface HostileRecord {
  readonly kind: string
  readonly partitionKey: string
  /** Bytes, or a text that should have been base64. */
  readonly data: Buffer | string
  readonly expected: Outcome | 'duplicate'
  /** Of the amount, where it is folded for sure. */
  readonly cents: number
}

export interface HostileGenerator {
  /** Arrivals must not go back. */
  next(arrivalMs: number): HostileRecord
}

const USERS = 300
/** Of wrong records that turn out right nobody knows the amount: they have users of their own. */
const DOUBTFUL_USERS = 50
const LATE_USERS = 20
const GOOD_SHARE = 0.45
const DUPLICATE_SHARE = 0.03
const LATE_SHARE = 0.02
/** Late events come after this many records: by then their users have a floor, which the end of a batch makes. */
const LATE_FROM = 3000

interface Made {
  readonly partitionKey: string
  readonly data: Buffer
}

export function hostileGenerator(seed: number, through: 'memory' | 'emulators'): HostileGenerator {
  const random = seededRandom(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  const kinds = through === 'memory' ? [...KINDS, ...MEMORY_KINDS] : KINDS
  const choose = weighted(kinds, random)
  const last = new Map<string, Made>()
  let made = 0

  /** Two right orders each, so far apart that the first leaves a floor behind. */
  function preamble(index: number, arrivalMs: number): HostileRecord {
    const agoMs = index < LATE_USERS ? 3 * HOUR_MS : 0
    return good(`late-${index % LATE_USERS}`, arrivalMs - agoMs)
  }

  function good(user: string, atMs: number): HostileRecord {
    const { json, cents } = newOrder(`o-${made}`, user, atMs, random)
    const data = Buffer.from(JSON.stringify(json))
    last.set(user, { partitionKey: user, data })
    return { kind: 'right', partitionKey: user, data, expected: 'folded', cents }
  }

  function late(arrivalMs: number): HostileRecord {
    const record = good(`late-${below(LATE_USERS)}`, arrivalMs - 6 * HOUR_MS - below(100 * HOUR_MS))
    return { ...record, kind: 'late', expected: 'late', cents: 0 }
  }

  function duplicate(user: string): HostileRecord | undefined {
    const before = last.get(user)
    return before && { ...before, kind: 'duplicate', expected: 'duplicate', cents: 0 }
  }

  function hostile(arrivalMs: number): HostileRecord {
    const { name, outcome, make, partitionKey } = choose()
    const user = outcome === 'either' ? `doubtful-${below(DOUBTFUL_USERS)}` : `user-${below(USERS)}`
    const { json, cents } = newOrder(`h-${made}`, user, arrivalMs, random)
    return {
      kind: name,
      partitionKey: partitionKey?.(user) ?? user,
      data: make({ order: json, random, arrivalMs }),
      expected: outcome,
      cents: outcome === 'folded' ? cents : 0,
    }
  }

  return {
    next(arrivalMs) {
      const index = made++
      if (index < 2 * LATE_USERS) return preamble(index, arrivalMs)
      const share = random()
      if (share < GOOD_SHARE) return good(`user-${below(USERS)}`, arrivalMs)
      if (share < GOOD_SHARE + DUPLICATE_SHARE) {
        return duplicate(`user-${below(USERS)}`) ?? good('user-0', arrivalMs)
      }
      if (share < GOOD_SHARE + DUPLICATE_SHARE + LATE_SHARE && index > LATE_FROM) return late(arrivalMs)
      return hostile(arrivalMs)
    },
  }
}

function weighted(kinds: readonly Hostile[], random: Random): () => Hostile {
  const total = kinds.reduce((sum, { weight }) => sum + weight, 0)
  return () => {
    let left = random() * total
    for (const kind of kinds) if ((left -= kind.weight) < 0) return kind
    return kinds[0] as Hostile
  }
}
