// How much is read of what others have put before it is committed. It happens within one request, so that memory and time have an end
// whatever a part unpacks into.
import { CatalogError } from './errors.ts'

export interface ReadLimits {
  /** Of all parts together, inflated. */
  readonly plainBytesMax: number
  /** Of all parts together: rows times columns, and of lists and maps what is in them. */
  readonly valuesMax: number
}

/** Some 8 s of a whole core, which decodes 8 million values a second; as much again for the bytes to come. */
export const PARQUET_LIMITS: ReadLimits = { plainBytesMax: 1024 ** 3, valuesMax: 64_000_000 }
/** Some 15 s: 2.5 million values, and 35 to 50 MB, a second. */
export const TEXT_LIMITS: ReadLimits = { plainBytesMax: 512 * 1024 ** 2, valuesMax: 32_000_000 }

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
