// zlib bytes as gzip without decoding: both carry the same raw deflate stream, only header and trailer differ (RFC 1950,
// RFC 1952), and the item's checksums hold what gzip's trailer needs.
import type { BlobSum } from '../store/checksums.ts'
import { CorruptItemError } from '../store/errors.ts'

/** Magic, deflate, no flags, no time, no hint, unknown system. */
const GZIP_HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff)
const GZIP_TRAILER_BYTES = 8
const ZLIB_HEADER_BYTES = 2
const ZLIB_TRAILER_BYTES = 4

/** Throws CorruptItemError where the bytes do not start as a zlib stream without preset dictionary does. */
export function zlibToGzip(zlib: Uint8Array, plain: Pick<BlobSum, 'plainLength' | 'plainCrc32'>): Uint8Array {
  if (!isZlib(zlib)) throw new CorruptItemError('a blob does not start as zlib does')
  const deflated = zlib.subarray(ZLIB_HEADER_BYTES, zlib.length - ZLIB_TRAILER_BYTES)
  const gzip = new Uint8Array(GZIP_HEADER.length + deflated.length + GZIP_TRAILER_BYTES)
  gzip.set(GZIP_HEADER, 0)
  gzip.set(deflated, GZIP_HEADER.length)
  const trailer = new DataView(gzip.buffer, GZIP_HEADER.length + deflated.length)
  trailer.setUint32(0, plain.plainCrc32, true)
  trailer.setUint32(4, plain.plainLength, true)
  return gzip
}

/** RFC 1950, 2.2: method 8, no dictionary, and the two header bytes a multiple of 31. */
function isZlib(bytes: Uint8Array): boolean {
  const [method, flags] = bytes
  if (method === undefined || flags === undefined || bytes.length <= ZLIB_HEADER_BYTES + ZLIB_TRAILER_BYTES)
    return false
  return (method & 0x0f) === 8 && (flags & 0x20) === 0 && ((method << 8) | flags) % 31 === 0
}
