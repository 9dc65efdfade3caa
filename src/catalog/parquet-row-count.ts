// How many rows and which columns a Parquet file says it has, from its footer alone.
import { type FileMetaData, parquetMetadata, parquetSchema } from 'hyparquet'

/** Behind the footer: its length in 4 bytes, and the magic `PAR1`. */
const TAIL_BYTES = 8

/** Undefined where it is no Parquet file. */
export function parquetRowCount(body: Uint8Array): number | undefined {
  const footer = parquetFooter(body)
  return footer === undefined ? undefined : Number(footer.num_rows)
}

/** None where it is no Parquet file. */
export function parquetColumnNames(body: Uint8Array): readonly string[] {
  const footer = parquetFooter(body)
  return footer === undefined ? [] : parquetSchema(footer).children.map(({ element }) => element.name)
}

function parquetFooter(body: Uint8Array): FileMetaData | undefined {
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
