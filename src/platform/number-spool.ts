// Numbers of many columns gathered in any order and read back column by column, for what does not fit in memory: eight bytes each, in a file
// for each column that has more than a piece.
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
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
    const written = column.path === undefined ? undefined : readFileSync(column.path)
    const size = Float64Array.BYTES_PER_ELEMENT
    // A file's bytes may begin anywhere in a buffer.
    if (written !== undefined) numbers.set(new Float64Array(new Uint8Array(written).buffer, 0, written.length / size))
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
