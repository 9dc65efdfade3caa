// How much is read of what others have put before it is committed. It happens within one request, so that memory and time have an end
// whatever a part unpacks into.
import { CatalogError } from './errors.ts'

export interface ReadLimits {
  /** Of all parts together, inflated. */
  readonly plainBytesMax: number
  /** Of all parts together: rows times columns, and of lists and maps what is in them. */
  readonly valuesMax: number
}

/** Some 20 s of a whole core: 10 million values of Parquet or 60 MB of text take it a second. */
export const READ_LIMITS: ReadLimits = { plainBytesMax: 1024 ** 3, valuesMax: 64_000_000 }

export class ReadBudget {
  readonly #limits: ReadLimits
  #plainBytes = 0
  #values = 0

  constructor(limits: ReadLimits) {
    this.#limits = limits
  }

  /** Throws CatalogError `part-too-big`. */
  spendBytes(count: number): void {
    this.#plainBytes += count
    const { plainBytesMax } = this.#limits
    if (this.#plainBytes > plainBytesMax) throw tooBig(`the parts have more than ${plainBytesMax} bytes when inflated`)
  }

  /** Throws CatalogError `part-too-big`. */
  spendValues(count: number): void {
    this.#values += count
    const { valuesMax } = this.#limits
    if (this.#values > valuesMax) throw tooBig(`the parts have more than ${valuesMax} values (rows times columns)`)
  }
}

export function tooBig(what: string): CatalogError {
  return new CatalogError(`It is more than is read before a commit: ${what}`, {
    code: 'part-too-big',
    next: 'Store it in several partitions, or with the Python client, the command or TypeScript, which have no such limit.',
  })
}
