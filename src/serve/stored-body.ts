// What is stored, in the coding that was chosen: zlib as it is, re-wrapped as gzip, or inflated. Nothing leaves unchecked: stored
// bytes must have their length and CRC-32, what is inflated those of the plain bytes too. Checked without inflating, 0.5 KB take
// 1 µs and 3 KB 2, inflated 12 and 40. The whole answer takes 9 µs, one that decodes and serializes 60 and 450 (`bench/serve.ts`).
import { CorruptItemError } from '../store/errors.ts'
import { isUnreadable, readPlain, readStored, type Unreadable } from '../store/item-codec.ts'
import type { StoredItem } from '../store/user-item.ts'
import type { Coding } from './content-coding.ts'
import { encodeBody } from './encode-body.ts'
import { zlibToGzip } from './gzip-wrap.ts'
import { plainView, type View } from './view.ts'

/** Throws CorruptItemError. */
export function storedBody(item: StoredItem, view: View, coding: Coding): Uint8Array {
  if (view === 'user' || coding === 'identity') return encodeBody(inflatedView(item, view), coding)
  const { blob, sum } = orThrow(readStored(item, view === 'features' ? 'ft' : 'pr'))
  return coding === 'deflate' ? blob : zlibToGzip(blob, sum)
}

function inflatedView(item: StoredItem, view: View): Uint8Array {
  return plainView(view, {
    features: () => orThrow(readPlain(item, 'ft')).plain,
    predictions: () => orThrow(readPlain(item, 'pr')).plain,
  })
}

function orThrow<T extends object>(result: T | Unreadable): T {
  if (isUnreadable(result)) throw new CorruptItemError(result.reason)
  return result
}
