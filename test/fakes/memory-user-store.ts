// A user store in memory, for everything that is tested without an emulator. It keeps items in DynamoDB's form and clones on the
// way in and out, so that nobody mutates shared state; it counts what DynamoDB would bill, and fails where it is told to.
import { isDeepStrictEqual } from 'node:util'
import {
  type Attributes,
  expectedAttributes,
  fromAttributes,
  toAttributes,
} from '../../src/store/dynamodb-attributes.ts'
import { itemBytes, READ_UNIT_BYTES, writeUnits } from '../../src/store/item-size.ts'
import {
  checkKeyCount,
  checkNextVersion,
  type CorruptItem,
  type Expected,
  isCorrupt,
  type PutOutcome,
  type StoredItem,
  type UserStore,
} from '../../src/store/user-item.ts'

export interface StoreCall {
  readonly operation: 'loadMany' | 'load' | 'put' | 'scan'
  readonly userIds: readonly string[]
  /** 1 for the first call of any kind. */
  readonly number: number
}

export interface StoreFault {
  /** Waits first, with the store's `sleep`. */
  readonly delayMs?: number
  /** Nothing is read or written. */
  readonly throwBefore?: Error
  /** A put has been applied, as when the answer is lost on its way back. */
  readonly throwAfter?: Error
}

export interface StoreCounters {
  loadManyCalls: number
  loadCalls: number
  keysRead: number
  readUnits: number
  /** Conditional puts, conflicts among them. */
  puts: number
  conflicts: number
  /** A put that conflicts is billed too, by the larger of the two items. */
  writeUnits: number
  scanPages: number
}

export interface MemoryUserStore extends UserStore {
  readonly counters: StoreCounters
  /** Asked at each call; may be set and unset at any time. */
  fault: ((call: StoreCall) => StoreFault | undefined) | undefined
  /** Puts raw attributes as somebody else would have, uncounted. */
  plant(attributes: Attributes): void
  raw(userId: string): Attributes | undefined
  /** Takes the item away, as somebody else would, uncounted. */
  drop(userId: string): void
  /** All items, uncounted, in user order. */
  items(): readonly (StoredItem | CorruptItem)[]
  resetCounters(): void
}

export interface MemoryUserStoreOptions {
  readonly sleep?: (ms: number) => Promise<void>
  readonly scanPageItemsMax?: number
}

const NO_CALLS: StoreCounters = {
  loadManyCalls: 0,
  loadCalls: 0,
  keysRead: 0,
  readUnits: 0,
  puts: 0,
  conflicts: 0,
  writeUnits: 0,
  scanPages: 0,
}

export function memoryUserStore(options: MemoryUserStoreOptions = {}): MemoryUserStore {
  const table = new Map<string, Attributes>()
  const counters: StoreCounters = { ...NO_CALLS }
  const { scanPageItemsMax = 100, sleep = async () => undefined } = options
  let calls = 0

  const store: MemoryUserStore = {
    counters,
    fault: undefined,
    plant: attributes => void table.set(attributes['userId']?.S ?? '', structuredClone(attributes)),
    raw: userId => structuredClone(table.get(userId)),
    drop: userId => void table.delete(userId),
    items: () => [...table.keys()].sort().flatMap(userId => read(userId) ?? []),
    resetCounters: () => void Object.assign(counters, NO_CALLS),

    async loadMany(userIds) {
      checkKeyCount(userIds)
      const keys = [...new Set(userIds)]
      if (keys.length === 0) return new Map()
      return run('loadMany', keys, () => {
        counters.loadManyCalls++
        return new Map(keys.flatMap(userId => countedRead(userId) ?? []).map(item => [item.userId, item]))
      })
    },

    load: userId =>
      run('load', [userId], () => {
        counters.loadCalls++
        return countedRead(userId)
      }),

    async put(item, expected) {
      checkNextVersion(item, expected)
      const attributes = structuredClone(toAttributes(alone(item)))
      return run('put', [item.userId], () => putNow(attributes, itemBytes(item), structuredClone(expected)))
    },

    async *scan(segment, segments, after) {
      // Any division will do; the real one is by a hash of the key.
      const mine = [...table.keys()].filter(userId => userId.charCodeAt(userId.length - 1) % segments === segment)
      const first = after === undefined ? 0 : mine.indexOf(after) + 1
      for (let from = first; from < mine.length; from += scanPageItemsMax) {
        const userIds = mine.slice(from, from + scanPageItemsMax)
        yield await run('scan', userIds, () => {
          counters.scanPages++
          return userIds.flatMap(userId => read(userId) ?? [])
        })
      }
    },
  }
  return store

  async function run<T>(operation: StoreCall['operation'], userIds: readonly string[], apply: () => T): Promise<T> {
    const fault = store.fault?.({ operation, userIds, number: ++calls })
    // Never within the caller's own turn, as with a network: races are races here too.
    await Promise.resolve()
    if (fault?.delayMs !== undefined) await sleep(fault.delayMs)
    if (fault?.throwBefore !== undefined) throw fault.throwBefore
    const result = apply()
    if (fault?.throwAfter !== undefined) throw fault.throwAfter
    return result
  }

  function read(userId: string): StoredItem | CorruptItem | undefined {
    const attributes = table.get(userId)
    return attributes === undefined ? undefined : fromAttributes(structuredClone(attributes))
  }

  function countedRead(userId: string): StoredItem | CorruptItem | undefined {
    const item = read(userId)
    counters.keysRead++
    counters.readUnits += Math.max(1, Math.ceil(bytesOf(item) / READ_UNIT_BYTES))
    return item
  }

  function putNow(attributes: Attributes, bytes: number, expected: Expected): PutOutcome {
    const userId = attributes['userId']?.S ?? ''
    const current = read(userId)
    counters.puts++
    counters.writeUnits += writeUnits(Math.max(bytes, bytesOf(current)))
    const stored = table.get(userId)
    if (!isAsExpected(stored, expected)) {
      counters.conflicts++
      return { outcome: 'conflict', current }
    }
    table.set(userId, attributes)
    return { outcome: 'written' }
  }
}

function isAsExpected(stored: Attributes | undefined, expected: Expected): boolean {
  if (expected === undefined) return stored === undefined
  if (typeof expected === 'number') return stored?.['v']?.N === String(expected)
  return (
    stored !== undefined &&
    expectedAttributes(expected).every(({ name, value }) => isSame(stored[name] as Plain, value as Plain))
  )
}

type Plain = Readonly<Record<string, unknown>> | undefined

/** As the real store's condition: of maps and lists it asks only that they are. */
function isSame(a: Plain, b: Plain): boolean {
  if (a === undefined || b === undefined) return a === b
  const [type] = Object.keys(b)
  if (type === 'M' || type === 'L') return Object.hasOwn(a, type)
  return isDeepStrictEqual(asPlain(a), asPlain(b))
}

/** Buffers and Uint8Arrays of the same bytes are the same here. */
function asPlain(value: NonNullable<Plain>): unknown {
  return value['B'] instanceof Uint8Array ? { B: Buffer.from(value['B']).toString('hex') } : value
}

/** A blob may be the beginning of a much larger buffer, all of which would be cloned and kept. */
function alone(item: StoredItem): StoredItem {
  const { dedup, st, ft, pr, sum } = item
  const copy = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes)
  return { ...item, dedup: copy(dedup), st: copy(st), ft: copy(ft), pr: copy(pr), sum: copy(sum) }
}

/** A corrupt item's size is not known here and counts as nothing. */
function bytesOf(item: StoredItem | CorruptItem | undefined): number {
  return item === undefined || isCorrupt(item) ? 0 : itemBytes(item)
}
