// Lines sorted into local files by slot, for what does not fit in memory: many slots are written at once, each is read back on
// its own, in the order it was written. Files are gzip, one member for each piece that was appended.
import { appendFileSync, createReadStream, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createGunzip, gzipSync } from 'node:zlib'
import { pipeline } from 'node:stream/promises'
import { splitLines } from './split-lines.ts'

/** Plain bytes that a slot gathers in memory before they are appended to its file: 64 slots hold 8 MB. */
const PIECE_BYTES = 128 * 1024
/** Speed before size: the files live for minutes. */
const GZIP_LEVEL = 1
const NEWLINE = Buffer.from('\n')

interface Slot {
  readonly path: string
  lines: Uint8Array[]
  bytes: number
  /** Whether the file exists: it is made by the first piece. */
  isWritten: boolean
}

export class LineSpool {
  readonly #slots = new Map<number, Slot>()
  readonly #prefix: string

  /** Files are `<folder>/<name>-<slot>.ndjson.gz`; nobody else has that name there. */
  constructor(folder: string, name: string) {
    this.#prefix = join(folder, name)
  }

  /** `line` has no line break and is not changed afterwards. */
  add(slotNumber: number, line: Uint8Array): void {
    const slot = this.#slot(slotNumber)
    slot.lines.push(line, NEWLINE)
    slot.bytes += line.length + 1
    if (slot.bytes >= PIECE_BYTES) append(slot)
  }

  /** Slots that have lines, ascending. */
  slots(): number[] {
    return [...this.#slots.keys()].sort((a, b) => a - b)
  }

  async *lines(slotNumber: number): AsyncGenerator<Uint8Array> {
    const slot = this.#slots.get(slotNumber)
    if (slot === undefined) return
    append(slot)
    const file = createReadStream(slot.path)
    const gunzip = createGunzip()
    // What fails destroys both; the reader of `gunzip` throws it.
    pipeline(file, gunzip).catch((error: unknown) => gunzip.destroy(error instanceof Error ? error : undefined))
    yield* splitLines(gunzip)
  }

  /** Removes one slot's file, or all of them. */
  remove(slotNumber?: number): void {
    for (const [number, { path, isWritten }] of this.#slots) {
      if (slotNumber !== undefined && number !== slotNumber) continue
      if (isWritten) rmSync(path, { force: true })
      this.#slots.delete(number)
    }
  }

  #slot(number: number): Slot {
    let slot = this.#slots.get(number)
    if (slot === undefined) {
      slot = { path: `${this.#prefix}-${number}.ndjson.gz`, lines: [], bytes: 0, isWritten: false }
      this.#slots.set(number, slot)
    }
    return slot
  }
}

function append(slot: Slot): void {
  if (slot.bytes === 0) return
  appendFileSync(slot.path, gzipSync(Buffer.concat(slot.lines), { level: GZIP_LEVEL }))
  slot.isWritten = true
  slot.lines = []
  slot.bytes = 0
}
