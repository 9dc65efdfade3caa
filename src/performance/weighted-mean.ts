// A mean and its standard error, from numbers that come one by one and are not kept.
export interface Weights {
  readonly count: number
  /** Sum of the weights, and of their squares. */
  readonly weight: number
  readonly squares: number
}

export class WeightedMean {
  #count = 0
  #weight = 0
  #sum = 0
  /** Σ w², Σ w² x and Σ w² x² give Σ w² (x − mean)², which is what the error is made of. */
  #squares = 0
  #squaresBy = 0
  #squaresByTwice = 0

  add(value: number, weight: number): void {
    this.addAll(value, { count: 1, weight, squares: weight * weight })
  }

  /** Several of one value. */
  addAll(value: number, { count, weight, squares }: Weights): void {
    this.#count += count
    this.#weight += weight
    this.#sum += weight * value
    this.#squares += squares
    this.#squaresBy += squares * value
    this.#squaresByTwice += squares * value * value
  }

  get count(): number {
    return this.#count
  }

  get weight(): number {
    return this.#weight
  }

  get mean(): number | undefined {
    return this.#weight > 0 ? this.#sum / this.#weight : undefined
  }

  /** √(n / (n − 1) · Σ w² (x − mean)²) / Σ w, which without weights is the usual s / √n; undefined below two. */
  get error(): number | undefined {
    const { mean } = this
    if (mean === undefined || this.#count < 2) return undefined
    const spread = this.#squaresByTwice - 2 * mean * this.#squaresBy + mean * mean * this.#squares
    return Math.sqrt((Math.max(0, spread) * this.#count) / (this.#count - 1)) / this.#weight
  }
}
