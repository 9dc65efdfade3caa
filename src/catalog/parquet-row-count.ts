// How many rows a Parquet file says it has, from its footer alone.
import { parquetMetadata } from 'hyparquet'

/** Behind the footer: its length in 4 bytes, and the magic `PAR1`. */
const TAIL_BYTES = 8

/** Undefined where it is no Parquet file. */
export function parquetRowCount(body: Uint8Array): number | undefined {
  if (body.byteLength < TAIL_BYTES) return undefined
  const end = body.byteOffset + body.byteLength
  const footerBytes = new DataView(body.buffer, end - TAIL_BYTES).getUint32(0, true)
  const start = Math.max(body.byteOffset, end - TAIL_BYTES - footerBytes)
  try {
    return Number(parquetMetadata(body.buffer.slice(start, end) as ArrayBuffer).num_rows)
  } catch {
    return undefined
  }
}
