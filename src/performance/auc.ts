// The area under the ROC curve in one pass over pairs in order of prediction: the chance that a pair seen as 1 has the higher
// prediction of two, a tie counting half. Its standard error is that of DeLong, DeLong and Clarke-Pearson ("Comparing the areas under
// two or more correlated receiver operating characteristic curves", Biometrics 44, 1988): it assumes no shape of the scores, and
// follows from the same pass. With weights both are those of the weighted sample.
import { WeightedMean, type Weights } from './weighted-mean.ts'

export interface AucResult {
  /** Undefined where only one of the two labels was seen. */
  readonly value: number | undefined
  /** Undefined also where one of them was seen only once. */
  readonly error: number | undefined
}

const NOTHING: Weights = { count: 0, weight: 0, squares: 0 }

/** One side of the comparison: the pairs of one label. */
class Side {
  /** Weight of those with a lower prediction than the tie that is being read. */
  weightBelow = 0
  tied = NOTHING
  /** Of each pair: the weight of the other side that it lies above, half of what ties with it. */
  readonly placements = new WeightedMean()
}

export class AucSums {
  readonly #ones = new Side()
  readonly #zeros = new Side()
  #prediction = Number.NEGATIVE_INFINITY

  /** Ascending by prediction. */
  add(prediction: number, isOne: boolean, weight: number): void {
    if (prediction < this.#prediction) throw new Error('Pairs for an AUC have to come in order of prediction')
    if (prediction > this.#prediction) this.#endTie()
    this.#prediction = prediction
    const side = isOne ? this.#ones : this.#zeros
    const { count, weight: tied, squares } = side.tied
    side.tied = { count: count + 1, weight: tied + weight, squares: squares + weight * weight }
  }

  result(): AucResult {
    this.#endTie()
    const [ones, zeros] = [this.#ones, this.#zeros]
    if (!(ones.weightBelow > 0 && zeros.weightBelow > 0)) return { value: undefined, error: undefined }
    const value = (ones.placements.mean ?? 0) / zeros.weightBelow
    const [oneError, zeroError] = [ones.placements.error, zeros.placements.error]
    if (oneError === undefined || zeroError === undefined) return { value, error: undefined }
    return { value, error: Math.hypot(oneError / zeros.weightBelow, zeroError / ones.weightBelow) }
  }

  #endTie(): void {
    const [ones, zeros] = [this.#ones, this.#zeros]
    place(ones, zeros)
    place(zeros, ones)
    for (const side of [ones, zeros]) {
      side.weightBelow += side.tied.weight
      side.tied = NOTHING
    }
  }
}

function place(side: Side, other: Side): void {
  if (side.tied.count > 0) side.placements.addAll(other.weightBelow + other.tied.weight / 2, side.tied)
}
