// How good predictions were, by pairs of what was predicted and what was seen. All metrics come from one pass in order of
// prediction, so that no more than a tie is in memory however many pairs there are.
import { AucSums } from './auc.ts'
import { WeightedMean } from './weighted-mean.ts'

export interface Pair {
  readonly prediction: number
  /** What was seen: 0 or 1 of a class, any number of an amount. */
  readonly label: number
  readonly weight: number
}

interface Metric {
  readonly better: 'higher' | 'lower' | 'near-zero'
  /** Labels are 0 or 1, predictions their probabilities or, for auc, any scores. */
  readonly isOfClasses: boolean
  readonly about: string
}

export const METRICS = {
  auc: {
    better: 'higher',
    isOfClasses: true,
    about: 'chance that one seen as 1 has a higher prediction than one seen as 0',
  },
  'log-loss': { better: 'lower', isOfClasses: true, about: 'mean of −ln of the probability given to what was seen' },
  brier: { better: 'lower', isOfClasses: true, about: 'mean square of probability − label' },
  accuracy: { better: 'higher', isOfClasses: true, about: 'share on the right side of 0.5' },
  rmse: { better: 'lower', isOfClasses: false, about: 'root of the mean square of prediction − label' },
  mae: { better: 'lower', isOfClasses: false, about: 'mean distance of prediction and label' },
  calibration: { better: 'near-zero', isOfClasses: false, about: 'mean predicted − mean seen' },
} as const satisfies Record<string, Metric>

export type MetricName = keyof typeof METRICS
export const METRIC_NAMES = Object.keys(METRICS) as readonly MetricName[]

export interface Figure {
  readonly value: number
  /** Standard error; null where there is too little to tell. */
  readonly error: number | null
}

export interface PairFigures {
  readonly pairs: number
  readonly meanPredicted: number
  readonly meanSeen: number
  /** Those that these pairs have: of one class alone there is no auc. */
  readonly metrics: Partial<Readonly<Record<MetricName, Figure>>>
}

/** A probability of 0 for what then happened would be infinitely bad; scikit-learn clips where doubles end, too. */
const PROBABILITY_MIN = Number.EPSILON
const ACCURACY_CUT = 0.5

export class PairSums {
  readonly #auc = new AucSums()
  readonly #predicted = new WeightedMean()
  readonly #seen = new WeightedMean()
  readonly #difference = new WeightedMean()
  readonly #distance = new WeightedMean()
  readonly #square = new WeightedMean()
  readonly #logLoss = new WeightedMean()
  readonly #right = new WeightedMean()
  #isOfClasses = true
  #isOfProbabilities = true

  /** Ascending by prediction. */
  add({ prediction, label, weight }: Pair): void {
    const difference = prediction - label
    this.#predicted.add(prediction, weight)
    this.#seen.add(label, weight)
    this.#difference.add(difference, weight)
    this.#distance.add(Math.abs(difference), weight)
    this.#square.add(difference * difference, weight)
    this.#isOfClasses &&= isClass(label)
    this.#isOfProbabilities &&= prediction >= 0 && prediction <= 1
    if (!this.#isOfClasses) return
    this.#auc.add(prediction, label === 1, weight)
    const given = label === 1 ? prediction : 1 - prediction
    this.#logLoss.add(-Math.log(Math.min(1, Math.max(PROBABILITY_MIN, given))), weight)
    this.#right.add(prediction >= ACCURACY_CUT === (label === 1) ? 1 : 0, weight)
  }

  /** Undefined where nothing was added that weighs anything. */
  figures(): PairFigures | undefined {
    const [meanPredicted, meanSeen] = [this.#predicted.mean, this.#seen.mean]
    if (meanPredicted === undefined || meanSeen === undefined) return undefined
    const metrics: Partial<Record<MetricName, Figure>> = {}
    const put = (name: MetricName, figure: Figure | undefined): void => {
      if (figure !== undefined) metrics[name] = figure
    }
    if (this.#isOfClasses) {
      const { value, error } = this.#auc.result()
      if (value !== undefined) put('auc', { value, error: error ?? null })
    }
    if (this.#isOfClasses && this.#isOfProbabilities) {
      put('log-loss', figureOf(this.#logLoss))
      put('brier', figureOf(this.#square))
      put('accuracy', figureOf(this.#right))
    }
    put('rmse', rootOf(figureOf(this.#square)))
    put('mae', figureOf(this.#distance))
    put('calibration', figureOf(this.#difference))
    return { pairs: this.#predicted.count, meanPredicted, meanSeen, metrics }
  }
}

export function isClass(label: number): boolean {
  return label === 0 || label === 1
}

function figureOf({ mean, error }: WeightedMean): Figure | undefined {
  return mean === undefined ? undefined : { value: mean, error: error ?? null }
}

/** The error of a root by the first term of its series: half the error of what is under it, by the root. */
function rootOf(square: Figure | undefined): Figure | undefined {
  if (square === undefined) return undefined
  const value = Math.sqrt(square.value)
  return { value, error: square.error === null || value === 0 ? null : square.error / (2 * value) }
}
