// Plain JSON bytes to zlib bytes and back. Any language reads a blob with its zlib and its JSON parser; ours also refuses what
// zlib alone lets pass: bytes after the stream's end, and a blob that inflates without bound.
import { deflateSync, inflateSync } from 'node:zlib'
import { CorruptItemError, StoreError } from './errors.ts'

/**
 * The most that one blob may inflate to: ten times the 400 KB that DynamoDB stores an item. State and features deflate 2 to 9 to
 * one (`bench/codec.ts`); zlib goes to 1,029 to one, so that a bomb of 400 KB would be 400 MB.
 */
export const PLAIN_BYTES_MAX = 4 * 1024 * 1024

/**
 * By `bench/codec.ts` (Node 24, one core), states that the engine made: bytes, and µs on a busy machine, at levels 1 / 4 / 6 / 9
 *    1.3 KB   361  346  336  336 B    27   29   24   30 µs
 *    8 KB    1741 1635 1547 1541 B    43   63  142  165 µs
 *   22 KB    3824 3452 3086 3008 B    74  304  715 1085 µs
 * A byte stored costs 610 $ per million million in write units, a µs of CPU 29 $ (0.625 $ per million units of 1 KiB;
 * 0.0000166667 $ per GB-second at 1,769 MB a core): a byte is worth 21 µs. So 6 is cheaper than 1 at every size, by 7 to 20 %
 * of a state's cost; 9 saves 2 % more at most, for up to half as much time again, which a batch of 100 users would wait for.
 * Below 4 KB the call itself is most of the time. memLevel and windowBits moved nothing beyond the noise.
 */
export const DEFLATE_LEVEL = 6

export function deflateBlob(plain: Uint8Array): Uint8Array {
  if (plain.length > PLAIN_BYTES_MAX) {
    throw new StoreError(`A blob of ${plain.length} plain bytes is over ${PLAIN_BYTES_MAX}`, {
      code: 'item-too-big',
      next: 'Let the definition keep less: fewer features, shorter windows, smaller lists.',
    })
  }
  return deflateSync(plain, { level: DEFLATE_LEVEL })
}

/** Throws CorruptItemError. `plainBytesMax`: what the blob's sum says, where there is one. */
export function inflateBlob(name: string, blob: Uint8Array, plainBytesMax: number = PLAIN_BYTES_MAX): Uint8Array {
  const { buffer, engine } = inflate(name, blob, Math.min(plainBytesMax, PLAIN_BYTES_MAX))
  if (engine.bytesWritten !== blob.length) {
    throw new CorruptItemError(`${name}: ${blob.length - engine.bytesWritten} bytes after the end of the zlib stream`)
  }
  return buffer
}

interface Inflated {
  readonly buffer: Buffer
  /** `bytesWritten`: how many bytes of the input the stream took. */
  readonly engine: { readonly bytesWritten: number }
}

function inflate(name: string, blob: Uint8Array, plainBytesMax: number): Inflated {
  try {
    // With `info` the answer is a pair, which Node documents and its types do not know.
    const options = { maxOutputLength: Math.max(plainBytesMax, 1), info: true }
    return inflateSync(blob, options) as unknown as Inflated
  } catch (error) {
    throw new CorruptItemError(`${name}: ${reasonOf(error, plainBytesMax)}`, { cause: error })
  }
}

function reasonOf(error: unknown, plainBytesMax: number): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ERR_BUFFER_TOO_LARGE') return `inflates to more than ${plainBytesMax} bytes`
  if (code === 'Z_BUF_ERROR') return 'the zlib stream is cut off'
  return 'the zlib stream is damaged'
}
