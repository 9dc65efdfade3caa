// A payload that came as gzip or zlib, inflated. Both say what they are in their first bytes, with which no JSON begins; what
// they become is capped, so that a small record cannot fill the memory.
import { gunzipSync, inflateSync, type ZlibOptions } from 'node:zlib'
import type { Refusal } from './decoded-event.ts'
import { EVENT_BYTES_MAX } from './limits.ts'

const TOO_BIG_INFLATED: Refusal = {
  reason: 'too-big',
  detail: `The payload is larger than ${EVENT_BYTES_MAX} bytes once inflated; send the large part elsewhere.`,
}
const NOT_INFLATABLE: Refusal = {
  reason: 'not-inflatable',
  detail:
    'The payload begins as gzip or zlib and is torn, damaged, or followed by something else; send all of it and no more.',
}
const KPL_AGGREGATED: Refusal = {
  reason: 'kpl-aggregated',
  detail:
    'The record holds several events, aggregated by the Kinesis Producer Library; set AggregationEnabled to false in the producer.',
}

/** Aggregation format of the KPL: these four bytes, then protocol buffers, then an MD5. */
const KPL_MAGIC = [0xf3, 0x89, 0x9a, 0xc2]
const GZIP_MAGIC = [0x1f, 0x8b]
/** Deflate with a window of 32 KiB, which is what every encoder writes unless told; then its level, without a preset dictionary (RFC 1950). */
const ZLIB_FIRST = 0x78
const ZLIB_SECONDS = [0x01, 0x5e, 0x9c, 0xda]

/** The bytes as they came where they are not compressed, which costs one look at the first. Never throws. */
export function inflatePayload(bytes: Uint8Array): Uint8Array | Refusal {
  const first = bytes[0]
  if (first === GZIP_MAGIC[0] && startsWith(bytes, GZIP_MAGIC)) return inflate(bytes, gunzipSync)
  if (first === ZLIB_FIRST && ZLIB_SECONDS.includes(bytes[1] ?? 0)) return inflate(bytes, inflateSync)
  return first === KPL_MAGIC[0] && startsWith(bytes, KPL_MAGIC) ? KPL_AGGREGATED : bytes
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte)
}

/** What Node returns with `info`, which its types do not say. */
interface Inflated {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

function inflate(
  bytes: Uint8Array,
  decompress: (bytes: Uint8Array, options: ZlibOptions) => unknown,
): Uint8Array | Refusal {
  try {
    const { buffer, engine } = decompress(bytes, { maxOutputLength: EVENT_BYTES_MAX, info: true }) as Inflated
    // Node ignores what follows the end of the data; it is not ours to throw away unseen.
    return engine.bytesWritten === bytes.length ? buffer : NOT_INFLATABLE
  } catch (error) {
    const isTooBig = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
    return isTooBig ? TOO_BIG_INFLATED : NOT_INFLATABLE
  }
}
