// The text of a gzipped part: at once for who reads all of it, and in pieces for who looks at a part that he does not trust. A small file may
// unpack into a very large one, so both have an end.
import { constants } from 'node:buffer'
import { createGunzip, gunzipSync } from 'node:zlib'
import { CatalogError } from './errors.ts'

/** No text can be longer in Node; parts that are written by us have some MB. */
const TEXT_BYTES_MAX = constants.MAX_STRING_LENGTH
/** Inflated at a time. */
const PIECE_BYTES = 256 * 1024

/** Throws CatalogError `part-differs`. */
export function gunzipText(bytes: Uint8Array, textBytesMax = TEXT_BYTES_MAX): string {
  try {
    return gunzipSync(bytes, { maxOutputLength: textBytesMax }).toString('utf8')
  } catch (error) {
    throw asUnreadable(error, textBytesMax)
  }
}

/**
 * The same in pieces, the next one inflated once it is asked for; `whenInflated` may throw to end it. Of bytes that are no UTF-8 no replacement
 * is made. Throws CatalogError `part-differs`.
 */
export async function* gunzipPieces(
  bytes: Uint8Array,
  whenInflated: (bytes: number) => void = () => undefined,
): AsyncGenerator<string> {
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES })
  // A mark at the start is not taken away: other readers would take it for a part of the first name.
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let inflated = 0
  const decode = (chunk?: Uint8Array): string => {
    try {
      return chunk === undefined ? utf8.decode() : utf8.decode(chunk, { stream: true })
    } catch (error) {
      throw unreadable(`It is no UTF-8 somewhere before byte ${inflated} of its text`, error)
    }
  }
  gunzip.end(bytes)
  try {
    for await (const chunk of gunzip as AsyncIterable<Uint8Array>) {
      inflated += chunk.byteLength
      whenInflated(chunk.byteLength)
      yield decode(chunk)
    }
    yield decode()
  } catch (error) {
    throw asUnreadable(error, TEXT_BYTES_MAX)
  } finally {
    gunzip.destroy()
  }
}

function asUnreadable(error: unknown, textBytesMax: number): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ERR_BUFFER_TOO_LARGE' || code === 'ERR_STRING_TOO_LONG') {
    return unreadable(`Its text is longer than ${textBytesMax} bytes, the most that is read at once`, error)
  }
  return code.startsWith('Z_') ? unreadable('It is no whole gzip', error) : error
}

function unreadable(what: string, cause: unknown): CatalogError {
  return new CatalogError(what, {
    code: 'part-differs',
    next: 'Roll the partition back to a batch that can be read, and store this one again.',
    cause,
  })
}
