// What Parquet files of other writers may be compressed with, beside Snappy, which the library reads by itself. No page unpacks into more
// bytes than its header says.
import type { Compressors } from 'hyparquet'
import * as zlib from 'node:zlib'

/** zstd came into Node with 22.15. */
const ZSTD: Compressors =
  'zstdDecompressSync' in zlib
    ? { ZSTD: (input, bytes) => zlib.zstdDecompressSync(input, { maxOutputLength: atLeastOne(bytes) }) }
    : {}

export const PARQUET_CODECS: Compressors = {
  GZIP: (input, bytes) => zlib.gunzipSync(input, { maxOutputLength: atLeastOne(bytes) }),
  BROTLI: (input, bytes) => zlib.brotliDecompressSync(input, { maxOutputLength: atLeastOne(bytes) }),
  ...ZSTD,
}

/** Node takes no 0. */
function atLeastOne(bytes: number): number {
  return Math.max(1, bytes)
}
