// Rows one by one out of rows by the part. An async generator takes 0.4 µs a row to hand it on, which is a tenth of what reading it
// takes; this takes 0.1.

export class RowStream<R> implements AsyncIterableIterator<R> {
  readonly #parts: AsyncIterator<readonly R[]>
  #rows: readonly R[] = []
  #next = 0
  #pulling: Promise<IteratorResult<R, undefined>> | undefined

  constructor(parts: AsyncIterable<readonly R[]>) {
    this.#parts = parts[Symbol.asyncIterator]()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<R, undefined>> {
    if (this.#pulling !== undefined) return this.#pulling.then(() => this.next())
    const row = this.#rows[this.#next]
    if (row !== undefined) {
      this.#next++
      return Promise.resolve({ value: row, done: false })
    }
    this.#pulling = this.#pull().finally(() => (this.#pulling = undefined))
    return this.#pulling
  }

  /** Called where a loop ends early. */
  async return(): Promise<IteratorResult<R, undefined>> {
    this.#rows = []
    await this.#parts.return?.()
    return { value: undefined, done: true }
  }

  async #pull(): Promise<IteratorResult<R, undefined>> {
    for (;;) {
      const part = await this.#parts.next()
      if (part.done === true) return { value: undefined, done: true }
      const [first] = part.value
      if (first === undefined) continue
      this.#rows = part.value
      this.#next = 1
      return { value: first, done: false }
    }
  }
}
