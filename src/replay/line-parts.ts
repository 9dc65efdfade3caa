// Lines gathered into gzip parts as they come, so that an import of any length holds its events compressed, never plain.
import { gzipSync } from 'node:zlib'
import type { PartInput } from '../catalog/store-batch.ts'

/** Plain bytes of a part: a reader inflates one at a time. */
const PART_BYTES_MAX = 16 * 1024 * 1024
/** Speed before size: an import is read once or twice in its life. */
const GZIP_LEVEL = 1
const NEWLINE = Buffer.from('\n')

export class LineParts {
  readonly #parts: PartInput[] = []
  #lines: Uint8Array[] = []
  #rows = 0
  #bytes = 0

  /** Upstream's JSON may have line breaks between members; inside text they are always escaped. */
  add(payload: Uint8Array): void {
    const line = payload.includes(0x0a) ? payload.filter(byte => byte !== 0x0a && byte !== 0x0d) : payload
    this.#lines.push(line, NEWLINE)
    this.#rows++
    this.#bytes += line.length + 1
    if (this.#bytes >= PART_BYTES_MAX) this.#close()
  }

  finish(): readonly PartInput[] {
    if (this.#rows > 0) this.#close()
    return this.#parts
  }

  #close(): void {
    this.#parts.push({ body: gzipSync(Buffer.concat(this.#lines), { level: GZIP_LEVEL }), rows: this.#rows })
    this.#lines = []
    this.#rows = 0
    this.#bytes = 0
  }
}
