// What is stored, in the coding that was chosen: zlib as it is, re-wrapped as gzip, or inflated. Nothing leaves unchecked: a
// blob must have its length, inflate to its plain length and have its CRC-32. For 2 KB that is 17 µs, for 16 KB 40 (bench/serve),
// little beside the read of the item, and a client's own checksum could only tell it that we served something broken.
import { CorruptItemError } from '../store/errors.ts'
import { isUnreadable, readPlain, readSums, type Unreadable } from '../store/item-codec.ts'
import type { StoredItem } from '../store/user-item.ts'
import type { Coding } from './content-coding.ts'
import { encodeBody } from './encode-body.ts'
import { zlibToGzip } from './gzip-wrap.ts'
import { plainView, type View } from './view.ts'

/** Throws CorruptItemError. */
export function storedBody(item: StoredItem, view: View, coding: Coding): Uint8Array {
  const sums = orThrow(readSums(item))
  const plain = plainView(view, {
    features: () => orThrow(readPlain(item, 'ft')).plain,
    predictions: () => orThrow(readPlain(item, 'pr')).plain,
  })
  if (view === 'user') return encodeBody(plain, coding)
  if (coding === 'identity') return plain
  const name = view === 'features' ? 'ft' : 'pr'
  return coding === 'deflate' ? item[name] : zlibToGzip(item[name], sums[name])
}

function orThrow<T extends object>(result: T | Unreadable): T {
  if (isUnreadable(result)) throw new CorruptItemError(result.reason)
  return result
}
