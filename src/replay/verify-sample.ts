// Which users are looked at, the same for a seed and a set of users, whether they have an item or not. A sample fills one bucket
// after the other: to its users it is as good as any other, and of history only those buckets are read.
import { sha256Hex, USER_BUCKETS, userBucket } from '../platform/hash.ts'

export type Which =
  | { readonly kind: 'all' }
  /** `seed`: any text; the same one chooses the same users. */
  | { readonly kind: 'sample'; readonly users: number; readonly seed: string }
  | { readonly kind: 'named'; readonly userIds: readonly string[] }

export interface Sample {
  readonly isChosen: (userId: string) => boolean
  /** Those that may have a chosen user. */
  readonly buckets: readonly number[]
  /** Where they are known beforehand, all of them. */
  readonly userIds?: ReadonlySet<string>
}

/** Ids gathered before the worst of them are let go. */
const GATHERED_MIN = 10_000

export function sampleOfAll(): Sample {
  return { isChosen: () => true, buckets: everyBucket() }
}

export function sampleOfNamed(userIds: readonly string[]): Sample {
  const names = new Set(userIds)
  return { userIds: names, isChosen: userId => names.has(userId), buckets: [...new Set([...names].map(userBucket))] }
}

/** The `count` users of lowest rank among those that are added. */
export class Sampler {
  readonly #count: number
  readonly #rank: (userId: string) => string
  readonly #order: readonly number[]
  #gathered: { readonly userId: string; readonly rank: string }[] = []
  /** Of a user that is certainly not chosen: nobody beyond it is. */
  #worst: string | undefined

  constructor({ users, seed }: { readonly users: number; readonly seed: string }) {
    this.#count = users
    this.#order = seededBuckets(seed)
    const places = new Map(this.#order.map((bucket, place) => [bucket, String(place).padStart(2, '0')]))
    this.#rank = userId => `${places.get(userBucket(userId))} ${sha256Hex(`${seed}\0${userId}`)}`
  }

  add(userId: string): void {
    const rank = this.#rank(userId)
    if (this.#worst !== undefined && rank >= this.#worst) return
    this.#gathered.push({ userId, rank })
    if (this.#gathered.length >= this.#count + GATHERED_MIN) this.#letGo()
  }

  finish(): { readonly sample: Sample; readonly found: readonly string[] } {
    this.#letGo()
    const last = this.#worst === undefined ? undefined : this.#gathered.at(-1)
    const bucketsRead = last === undefined ? USER_BUCKETS : Number(last.rank.slice(0, 2)) + 1
    return {
      sample: {
        isChosen: userId => last === undefined || this.#rank(userId) <= last.rank,
        buckets: this.#order.slice(0, bucketsRead),
      },
      found: this.#gathered.map(({ userId }) => userId),
    }
  }

  #letGo(): void {
    this.#gathered.sort((a, b) => (a.rank < b.rank ? -1 : 1))
    this.#worst = this.#gathered[this.#count]?.rank ?? this.#worst
    this.#gathered.length = Math.min(this.#gathered.length, this.#count)
  }
}

function everyBucket(): number[] {
  return Array.from({ length: USER_BUCKETS }, (_, bucket) => bucket)
}

function seededBuckets(seed: string): readonly number[] {
  const hashes = everyBucket().map(bucket => ({ bucket, hash: sha256Hex(`${seed}\0bucket ${bucket}`) }))
  return hashes.sort((a, b) => (a.hash < b.hash ? -1 : 1)).map(({ bucket }) => bucket)
}
