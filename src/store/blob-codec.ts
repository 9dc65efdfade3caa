// Plain JSON bytes to zlib bytes and back. Any language reads a blob with its zlib and its JSON parser; ours also refuses what
// zlib alone lets pass: bytes after the stream's end, and a blob that inflates without bound.
import { deflateSync, inflateSync } from 'node:zlib'
import { CorruptItemError, StoreError } from './errors.ts'

/**
 * The most that one blob may inflate to. DynamoDB stores 400 KB an item; state and feature JSON deflates 2 to 3.2 to one
 * (`npm run bench`), and ten to one is left as room. zlib itself would go to 1,029 to one: a bomb of 400 KB is 400 MB.
 */
export const PLAIN_BYTES_MAX = 4 * 1024 * 1024

/**
 * Measured with `bench/codec.ts` (Node 24, one core), state JSON, bytes and µs at levels 1 / 4 / 6 / 9:
 *   1.5 KB   642 632 618 616 B    22  26  38   41 µs
 *   4 KB    1441 1414 1370 1359 B  43  56 100  150 µs
 *   20 KB   6933 6677 6380 6240 B 195 288 590 2040 µs
 * A byte stored costs 610 micro-microdollars of write units (0.625 $ per million KiB), a µs of Lambda's CPU 29 (0.0000166667 $
 * per GB-second, 1,769 MB a core): a byte is worth 21 µs. Level 6 therefore beats 1 at every size; 9 gains 1 % more for up to
 * 3 times the time, which a batch of 100 users would wait for. memLevel and windowBits moved neither by more than the noise.
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
