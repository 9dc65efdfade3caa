// Numbers of many columns gathered in any order and read back column by column, for what does not fit in memory: eight bytes each, in a file
// for each column that has more than a piece.
import { appendFileSync, closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** 32 KB of each column are in memory. */
const PIECE_NUMBERS = 4_096

interface Column {
  /** The file, once it has a piece. */
  path: string | undefined
  readonly piece: Float64Array
  used: number
  count: number
}

export class NumberSpool {
  readonly #columns = new Map<number, Column>()
  readonly #prefix: string
  #folder: string | undefined

  /** Files are in a new folder `<folder>/<name>-…`, made by the first piece that does not fit in memory. */
  constructor(folder: string, name: string) {
    this.#prefix = join(folder, `${name}-`)
  }

  /** What is missing is NaN. */
  add(columnNumber: number, value: number): void {
    let column = this.#columns.get(columnNumber)
    if (column === undefined) {
      column = { path: undefined, piece: new Float64Array(PIECE_NUMBERS), used: 0, count: 0 }
      this.#columns.set(columnNumber, column)
    }
    column.piece[column.used++] = value
    column.count++
    if (column.used === PIECE_NUMBERS) this.#append(columnNumber, column)
  }

  /** In the order in which they were added. */
  numbers(columnNumber: number): Float64Array {
    const column = this.#columns.get(columnNumber)
    const numbers = new Float64Array(column?.count ?? 0)
    if (column === undefined) return numbers
    if (column.path !== undefined) readInto(column.path, numbers.subarray(0, column.count - column.used))
    numbers.set(column.piece.subarray(0, column.used), column.count - column.used)
    return numbers
  }

  remove(): void {
    this.#columns.clear()
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true })
    this.#folder = undefined
  }

  #append(number: number, column: Column): void {
    this.#folder ??= mkdtempSync(this.#prefix)
    column.path ??= join(this.#folder, `${number}.f64`)
    const { buffer, byteOffset } = column.piece
    appendFileSync(column.path, new Uint8Array(buffer, byteOffset, column.used * Float64Array.BYTES_PER_ELEMENT))
    column.used = 0
  }
}

/** No copy beside: of a million numbers each is 8 MB. */
function readInto(path: string, numbers: Float64Array): void {
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)
  const file = openSync(path, 'r')
  try {
    for (let at = 0, read = -1; at < bytes.length && read !== 0; at += read)
      read = readSync(file, bytes, at, bytes.length - at, null)
  } finally {
    closeSync(file)
  }
}
