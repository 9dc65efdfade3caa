// Lines to the gzip parts of a batch, as they come: one part is in memory, whatever the number of lines.
import { gunzipSync, gzipSync } from 'node:zlib'
import type { PartInput } from '../catalog/upload-parts.ts'
import { ArchiveError } from './errors.ts'

/** Plain bytes of a part: a reader inflates one at a time. */
export const PART_BYTES_MAX = 16 * 1024 * 1024
/** A part is closed by the line that fills it, and no line is as long as this. */
const PLAIN_BYTES_MAX = 2 * PART_BYTES_MAX
const GZIP_LEVEL = 4
const NEWLINE = Buffer.from('\n')

/** `nameOf` by the part's number, from 0. No line, no part. */
export async function* lineParts(
  lines: AsyncIterable<Uint8Array>,
  nameOf: (number: number) => string,
): AsyncGenerator<PartInput> {
  let number = 0
  let held: Uint8Array[] = []
  let bytes = 0
  const close = (): PartInput => {
    const body = gzipSync(Buffer.concat(held), { level: GZIP_LEVEL })
    const part = { name: nameOf(number++), body, rows: held.length / 2 }
    held = []
    bytes = 0
    return part
  }
  for await (const line of lines) {
    held.push(line, NEWLINE)
    bytes += line.length + 1
    if (bytes >= PART_BYTES_MAX) yield close()
  }
  if (held.length > 0) yield close()
}

/** The lines of a part. Throws ArchiveError. */
export function linesOfPart({ name, body }: { readonly name: string; readonly body: Uint8Array }): Uint8Array[] {
  const lines: Uint8Array[] = []
  const plain = inflate(name, body)
  let start = 0
  for (let end = plain.indexOf(NEWLINE); end >= 0; end = plain.indexOf(NEWLINE, start)) {
    lines.push(plain.subarray(start, end))
    start = end + 1
  }
  if (start !== plain.length) throw new ArchiveError(name, 'does not end with a whole line')
  return lines
}

function inflate(name: string, body: Uint8Array): Buffer {
  try {
    return gunzipSync(body, { maxOutputLength: PLAIN_BYTES_MAX })
  } catch (error) {
    throw new ArchiveError(name, 'is not lines in gzip', error)
  }
}
