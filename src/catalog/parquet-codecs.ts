// What Parquet files of other writers may be compressed with, beside Snappy, which the library reads by itself.
import type { Compressors } from 'hyparquet'
import * as zlib from 'node:zlib'

/** zstd came into Node with 22.15. */
const ZSTD: Compressors = 'zstdDecompressSync' in zlib ? { ZSTD: input => zlib.zstdDecompressSync(input) } : {}

export const PARQUET_CODECS: Compressors = {
  GZIP: input => zlib.gunzipSync(input),
  BROTLI: input => zlib.brotliDecompressSync(input),
  ...ZSTD,
}
