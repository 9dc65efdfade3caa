// What of an item that cannot be read can still be relied on: the version and the marks decide how far history must reach before
// the user is made anew, and what this code does not know is carried over. Nothing is taken on trust: each part is used where
// checksums hold that are themselves bound to the user and the version.
import type { DedupState } from '../affected/dedup-state.ts'
import { type ItemSums, sealedLayout, storedProblem, SUM_VERSION_MAX, unpackSealed } from './checksums.ts'
import { unpackDedup } from './dedup-codec.ts'
import { CorruptItemError } from './errors.ts'
import { isUnreadable, readBySum } from './item-codec.ts'
import { LAYOUT, plainAttributes } from './plain-attributes.ts'
import type { CorruptItem, StoredItem } from './user-item.ts'
import { isCorrupt } from './user-item.ts'

export interface Salvage {
  /** `v` as it was written; undefined: it may be what is damaged. */
  readonly version: number | undefined
  readonly dedup: DedupState | undefined
  /** Parsed; the caller's own to change. */
  readonly state: Record<string, unknown> | undefined
  /** Attributes that this code does not know. */
  readonly other: StoredItem['other']
  /** The layout's version where the item is whole and newer code wrote it: it is not damaged, and not to be replaced. */
  readonly newerLayout: number | undefined
  /** All that is there, attribute by attribute. */
  readonly attributes: Readonly<Record<string, unknown>>
}

export function salvageItem(item: StoredItem | CorruptItem): Salvage {
  const attributes = isCorrupt(item) ? item.stored : plainAttributes(item)
  const other = Object.fromEntries(Object.entries(attributes).filter(([name]) => !LAYOUT.has(name)))
  const nothing = { version: undefined, dedup: undefined, state: undefined, newerLayout: undefined, other, attributes }
  const v = wholeNumber(attributes['v'])
  const sum = binary(attributes['sum'])
  if (v === undefined || sum === undefined) return nothing
  const head = { userId: item.userId, v }
  const layout = sealedLayout(sum, head)
  if (layout === undefined) return nothing
  if (layout > SUM_VERSION_MAX) return { ...nothing, version: v, newerLayout: layout }
  const sums = orUndefined(() => unpackSealed(sum, head))
  return { ...nothing, version: v, dedup: intactDedup(attributes, sums), state: intactState(attributes, sums) }
}

function intactDedup(attributes: Salvage['attributes'], sums: ItemSums | undefined): DedupState | undefined {
  const dedup = binary(attributes['dedup'])
  if (dedup === undefined || sums === undefined) return undefined
  if (storedProblem('dedup', dedup, sums.dedup) !== undefined) return undefined
  return orUndefined(() => unpackDedup(dedup))
}

function intactState(attributes: Salvage['attributes'], sums: ItemSums | undefined): Salvage['state'] {
  const st = binary(attributes['st'])
  if (st === undefined || sums === undefined) return undefined
  const read = readBySum('st', st, sums.st)
  return isUnreadable(read) ? undefined : read.body
}

function wholeNumber(attribute: unknown): number | undefined {
  const digits = member(attribute, 'N')
  const value = typeof digits === 'string' && /^\d+$/.test(digits) ? Number(digits) : Number.NaN
  return Number.isSafeInteger(value) && value >= 1 ? value : undefined
}

function binary(attribute: unknown): Uint8Array | undefined {
  const bytes = member(attribute, 'B')
  return bytes instanceof Uint8Array ? bytes : undefined
}

function member(attribute: unknown, type: string): unknown {
  if (typeof attribute !== 'object' || attribute === null) return undefined
  return (attribute as Readonly<Record<string, unknown>>)[type]
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof CorruptItemError) return undefined
    throw error
  }
}
