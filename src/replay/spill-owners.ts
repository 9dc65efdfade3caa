// Whose a large prediction is, and whether its item names it: what decides if a sweep may take it.
import type { PredictionsBody } from '../predictions/evaluated-user.ts'
import { SPILL_PREFIX, spilledOf } from '../predictions/spill.ts'
import { isUnreadable, readBody } from '../store/item-codec.ts'
import { type CorruptItem, isCorrupt, type StoredItem } from '../store/user-item.ts'

/** As a snapshot has. */
export const SCAN_SEGMENTS = 8
export const OBJECTS_IN_FLIGHT_MAX = 8

/** Keys of objects. Undefined where nobody can tell. */
export function namedBy(item: StoredItem | CorruptItem): readonly string[] | undefined {
  if (isCorrupt(item)) return undefined
  const read = readBody(item, 'pr')
  return isUnreadable(read) ? undefined : spilledOf(read.body as unknown as PredictionsBody).map(({ key }) => key)
}

/** An item that cannot be read may name it. */
export function mayName(item: StoredItem | CorruptItem | undefined, key: string): boolean {
  return item !== undefined && (namedBy(item)?.includes(key) ?? true)
}

/** That all objects of one user have in common. */
export function prefixOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1)
}

export function bucketOf(key: string): number {
  return Number(key.slice(SPILL_PREFIX.length, SPILL_PREFIX.length + 2))
}
