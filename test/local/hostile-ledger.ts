// Who watches that each hostile record ends as exactly one thing, the expected one. What is settled is forgotten, so that a million
// records need no more memory than a thousand.
import { fail, ok, strictEqual } from 'node:assert'
import type { FeaturesBody } from '../../src/features/features-body.ts'
import { readBody } from '../../src/store/item-codec.ts'
import { type CorruptItem, isCorrupt, type StoredItem } from '../../src/store/user-item.ts'
import type { HostileRecord } from './hostile-generator.ts'

export interface HostileCounts {
  readonly records: number
  readonly folded: number
  readonly duplicates: number
  readonly deadLetters: Readonly<Record<string, number>>
}

interface Expected extends Pick<HostileRecord, 'kind' | 'partitionKey' | 'expected' | 'cents'> {
  letter: string | undefined
  isArchived: boolean
}

interface UserTotals {
  orders: number
  cents: number
  /** Some of its amounts were damaged, and are not known. */
  isDoubtful: boolean
}

export class HostileLedger {
  readonly #open = new Map<string, Expected>()
  readonly #users = new Map<string, UserTotals>()
  readonly #deadLetters = new Map<string, number>()
  #records = 0
  #folded = 0
  #duplicates = 0

  /** `key`: of the record, `shard/sequence`. */
  sent(key: string, { kind, partitionKey, expected, cents }: HostileRecord): void {
    this.#records++
    this.#open.set(key, { kind, partitionKey, expected, cents, letter: undefined, isArchived: false })
  }

  archived(key: string): void {
    const record = this.#open.get(key) ?? fail(`archived ${key}, which was not sent or is settled`)
    record.isArchived = true
  }

  letter(key: string, reason: string): void {
    const record = this.#open.get(key) ?? fail(`a dead letter of ${key}, which was not sent or is settled`)
    strictEqual(record.letter, undefined, `two dead letters of one record: ${record.kind}`)
    record.letter = reason
    this.#deadLetters.set(reason, (this.#deadLetters.get(reason) ?? 0) + 1)
  }

  /** All that was sent has been delivered, and nothing of it is in flight. */
  settle(): void {
    for (const record of this.#open.values()) this.#settleOne(record)
    this.#open.clear()
  }

  #settleOne({ kind, partitionKey, expected, cents, letter, isArchived }: Expected): void {
    ok(isArchived, `not archived: ${kind}`)
    const isRefused = expected !== 'folded' && expected !== 'duplicate' && expected !== 'either'
    if (expected !== 'either') strictEqual(letter, isRefused ? expected : undefined, `the dead letter of: ${kind}`)
    if (letter !== undefined) return
    if (expected === 'duplicate') {
      this.#duplicates++
      return
    }
    const user = this.#users.get(partitionKey) ?? { orders: 0, cents: 0, isDoubtful: false }
    this.#users.set(partitionKey, user)
    this.#folded++
    user.orders++
    user.cents += cents
    user.isDoubtful ||= expected === 'either'
  }

  /** Every user's item counts what it was sent, and there is no other. */
  checkItems(items: readonly (StoredItem | CorruptItem)[]): void {
    strictEqual(items.length, this.#users.size, 'users with an item')
    for (const item of items) {
      ok(!isCorrupt(item), 'no item is corrupt')
      const expected = this.#users.get(item.userId) ?? fail('an item of a user to whom nothing was sent')
      const read = readBody(item, 'ft')
      ok(!('reason' in read), 'features can be read')
      const { values } = read.body as unknown as FeaturesBody
      strictEqual(Number(values['orders']) + Number(values['visits']), expected.orders, `orders of ${item.userId}`)
      if (!expected.isDoubtful) {
        strictEqual(Math.round(Number(values['spend']) * 100), expected.cents, `spend of ${item.userId}`)
      }
    }
  }

  counts(): HostileCounts {
    const deadLetters = Object.fromEntries([...this.#deadLetters].sort(([, a], [, b]) => b - a))
    const refused = [...this.#deadLetters.values()].reduce((sum, count) => sum + count, 0)
    strictEqual(this.#folded + this.#duplicates + refused, this.#records, 'folded + duplicates + dead letters = input')
    return { records: this.#records, folded: this.#folded, duplicates: this.#duplicates, deadLetters }
  }
}
