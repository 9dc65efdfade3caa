// Ways in which stored bytes get damaged, and items whose sums hold all the same: what only bytes that were wrong before they were
// summed can be.
import { checkHead, type ItemHead, type ItemSums, packSums, readSums, sumOfStored } from '../../src/store/checksums.ts'
import type { StoredItem } from '../../src/store/user-item.ts'

export function withBitFlipped(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = Uint8Array.from(bytes)
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return flipped
}

/** As a store and the codec after it read them. Throws CorruptItemError. */
export function unpackSums(packed: Uint8Array, head: ItemHead): ItemSums {
  checkHead(packed, head)
  return readSums(packed)
}

/** As if these parts were what was written; of the plain bytes the sums are those of the item. */
export function resummed(item: StoredItem, changes: Partial<StoredItem>): StoredItem {
  const sums = unpackSums(item.sum, item)
  const changed = { ...item, ...changes }
  const blobs = {
    st: { ...sums.st, ...sumOfStored(changed.st) },
    ft: { ...sums.ft, ...sumOfStored(changed.ft) },
    pr: { ...sums.pr, ...sumOfStored(changed.pr) },
  }
  return { ...changed, sum: packSums({ ...blobs, dedup: sumOfStored(changed.dedup) }, changed) }
}
