// Lines sorted into local files by slot, for what does not fit in memory: many slots are written at once, each is read back on
// its own, in the order it was written. Files are gzip, one member for each piece that was appended.
import { appendFileSync, createReadStream, mkdtempSync, rmSync } from 'node:fs'
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
  /** The file, once it has a piece. */
  path: string | undefined
  lines: Uint8Array[]
  bytes: number
}

export class LineSpool {
  readonly #slots = new Map<number, Slot>()
  readonly #prefix: string
  #folder: string | undefined

  /** Files are `<slot>.ndjson.gz` in a new folder `<folder>/<name>-…`, made by the first piece that does not fit in memory. */
  constructor(folder: string, name: string) {
    this.#prefix = join(folder, `${name}-`)
  }

  /** `line` has no line break and is not changed afterwards. */
  add(slotNumber: number, line: Uint8Array): void {
    const slot = this.#slot(slotNumber)
    slot.lines.push(line, NEWLINE)
    slot.bytes += line.length + 1
    if (slot.bytes >= PIECE_BYTES) this.#append(slotNumber, slot)
  }

  /** Slots that have lines, ascending. */
  slots(): number[] {
    return [...this.#slots.keys()].sort((a, b) => a - b)
  }

  async *lines(slotNumber: number): AsyncGenerator<Uint8Array> {
    const slot = this.#slots.get(slotNumber)
    if (slot === undefined) return
    if (slot.path === undefined) {
      yield* slot.lines.filter(line => line !== NEWLINE)
      return
    }
    this.#append(slotNumber, slot)
    const file = createReadStream(slot.path)
    const gunzip = createGunzip()
    // What fails destroys both; the reader of `gunzip` throws it.
    pipeline(file, gunzip).catch((error: unknown) => gunzip.destroy(error instanceof Error ? error : undefined))
    yield* splitLines(gunzip)
  }

  removeSlot(slotNumber: number): void {
    const path = this.#slots.get(slotNumber)?.path
    if (path !== undefined) rmSync(path)
    this.#slots.delete(slotNumber)
  }

  /** Every slot and the folder. */
  remove(): void {
    this.#slots.clear()
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true })
    this.#folder = undefined
  }

  #slot(number: number): Slot {
    let slot = this.#slots.get(number)
    if (slot === undefined) {
      slot = { path: undefined, lines: [], bytes: 0 }
      this.#slots.set(number, slot)
    }
    return slot
  }

  #append(number: number, slot: Slot): void {
    if (slot.bytes === 0) return
    this.#folder ??= mkdtempSync(this.#prefix)
    slot.path ??= join(this.#folder, `${number}.ndjson.gz`)
    appendFileSync(slot.path, gzipSync(Buffer.concat(slot.lines), { level: GZIP_LEVEL }))
    slot.lines = []
    slot.bytes = 0
  }
}
