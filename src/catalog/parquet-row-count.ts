// What a Parquet file says of itself in its footer, how many rows it has among it.
import { type FileMetaData, parquetMetadata } from 'hyparquet'

/** Behind the footer: its length in 4 bytes, and the magic `PAR1`. */
const TAIL_BYTES = 8

/** Undefined where it is no Parquet file. */
export function parquetRowCount(body: Uint8Array): number | undefined {
  const footer = parquetFooter(body)
  return footer === undefined ? undefined : Number(footer.num_rows)
}

/** Undefined where it is no Parquet file. */
export function parquetFooter(body: Uint8Array): FileMetaData | undefined {
  if (body.byteLength < TAIL_BYTES) return undefined
  const end = body.byteOffset + body.byteLength
  const footerBytes = new DataView(body.buffer, end - TAIL_BYTES).getUint32(0, true)
  const start = Math.max(body.byteOffset, end - TAIL_BYTES - footerBytes)
  try {
    return parquetMetadata(body.buffer.slice(start, end) as ArrayBuffer)
  } catch {
    return undefined
  }
}
