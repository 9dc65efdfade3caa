import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type MetricName, type Pair, type PairFigures, PairSums } from '../../src/performance/metrics.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { slowAuc, slowMean, slowVariance } from './slow-metrics.ts'

function figuresOf(pairs: readonly Pair[]): PairFigures {
  const sums = new PairSums()
  for (const pair of pairs.toSorted((a, b) => a.prediction - b.prediction)) sums.add(pair)
  const figures = sums.figures()
  if (figures === undefined) throw new Error('no figures')
  return figures
}

const pair = (prediction: number, label: number, weight = 1): Pair => ({ prediction, label, weight })

/** Few different predictions, so that most tie with some. */
const pairs = fc.array(
  fc.record({
    prediction: fc.oneof(
      fc.integer({ min: 0, max: 4 }).map(n => n / 4),
      fc.double({ min: 0, max: 1, noNaN: true }),
    ),
    label: fc.integer({ min: 0, max: 1 }),
    weight: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 5 })),
  }),
  { minLength: 2, maxLength: 40 },
)

const hasBothTwice = (all: readonly Pair[]): boolean =>
  [0, 1].every(label => all.filter(each => each.label === label).length >= 2)

describe('auc', () => {
  it('is the share of (1, 0) pairs in the right order, a tie counting half, with the error of DeLong', () => {
    fc.assert(
      fc.property(pairs.filter(hasBothTwice), all => {
        const { auc } = figuresOf(all).metrics
        const slow = slowAuc(all)
        expect(auc?.value).toBeCloseTo(slow.value, 9)
        expect(auc?.error).toBeCloseTo(slow.error, 6)
      }),
    )
  })

  it('is a half where all predictions tie, 1 where the order is perfect and 0 where it is upside down', () => {
    expect(figuresOf([pair(0.5, 1), pair(0.5, 0), pair(0.5, 0)]).metrics.auc?.value).toBe(0.5)
    expect(figuresOf([pair(0.2, 0), pair(0.3, 0), pair(0.9, 1)]).metrics.auc?.value).toBe(1)
    expect(figuresOf([pair(0.2, 1), pair(0.3, 0), pair(0.9, 0)]).metrics.auc?.value).toBe(0)
  })

  it('counts a weight as so many pairs alike', () => {
    const weighted = figuresOf([pair(0.1, 0), pair(0.4, 1, 3), pair(0.6, 0, 2), pair(0.8, 1)])
    const repeated = [pair(0.1, 0), pair(0.4, 1), pair(0.4, 1), pair(0.4, 1), pair(0.6, 0), pair(0.6, 0), pair(0.8, 1)]
    expect(weighted.metrics.auc?.value).toBeCloseTo(figuresOf(repeated).metrics.auc?.value ?? 0, 12)
  })

  it('is of no class alone, and has no error where one class was seen once', () => {
    expect(figuresOf([pair(0.1, 1), pair(0.9, 1)]).metrics.auc).toBeUndefined()
    expect(figuresOf([pair(0.1, 0), pair(0.2, 0), pair(0.9, 1)]).metrics.auc?.error).toBeNull()
  })

  it('refuses pairs that are not in order, which would be a wrong number otherwise', () => {
    const sums = new PairSums()
    sums.add(pair(0.5, 1))
    expect(() => sums.add(pair(0.4, 0))).toThrow('in order of prediction')
  })

  it('has an error as large as what new samples of the same show', () => {
    const random = seededRandom(7)
    // Scores of ones are higher on the mean: an auc near 0.75.
    const sample = (): Pair[] =>
      Array.from({ length: 300 }, (_, index) => {
        const label = index % 3 === 0 ? 1 : 0
        return pair(Math.round((random() + random() + label * 0.4) * 50) / 120, label)
      })
    const values = Array.from({ length: 300 }, () => figuresOf(sample()).metrics.auc)
    const seen = Math.sqrt(slowVariance(values.map(each => ({ weight: 1, value: each?.value ?? 0 }))) * values.length)
    const said = slowMean(
      values.map(each => ({ weight: 1, value: each?.error ?? 0 })),
      ({ value }) => value,
    )
    expect(said / seen).toBeGreaterThan(0.85)
    expect(said / seen).toBeLessThan(1.15)
  })
})

describe('the other metrics', () => {
  const definitions: Readonly<Record<Exclude<MetricName, 'auc' | 'rmse'>, (pair: Pair) => number>> = {
    'log-loss': ({ prediction, label }) => {
      const clipped = Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, prediction))
      return -(label * Math.log(clipped) + (1 - label) * Math.log(1 - clipped))
    },
    brier: ({ prediction, label }) => (prediction - label) ** 2,
    accuracy: ({ prediction, label }) => (prediction >= 0.5 === (label === 1) ? 1 : 0),
    mae: ({ prediction, label }) => Math.abs(prediction - label),
    calibration: ({ prediction, label }) => prediction - label,
  }

  it('are the weighted means of their definitions, with the errors of means', () => {
    fc.assert(
      fc.property(pairs, all => {
        const { metrics, meanPredicted, meanSeen } = figuresOf(all)
        for (const [name, of] of Object.entries(definitions)) {
          const figure = metrics[name as MetricName]
          expect(figure?.value).toBeCloseTo(slowMean(all, of), 8)
          const values = all.map(each => ({ weight: each.weight, value: of(each) }))
          expect(figure?.error).toBeCloseTo(Math.sqrt(slowVariance(values)), 5)
        }
        expect(metrics.rmse?.value).toBeCloseTo(Math.sqrt(slowMean(all, definitions.brier)), 9)
        expect(meanPredicted - meanSeen).toBeCloseTo(metrics.calibration?.value ?? 9, 9)
      }),
    )
  })

  it('are those of amounts where a label is no class', () => {
    const { metrics } = figuresOf([pair(10, 12), pair(20, 17), pair(5, 5)])
    expect(Object.keys(metrics).sort()).toEqual(['calibration', 'mae', 'rmse'])
    expect(metrics.mae?.value).toBeCloseTo(5 / 3, 12)
    expect(metrics.rmse?.value).toBeCloseTo(Math.sqrt(13 / 3), 12)
  })

  it('of scores that are no probabilities are auc and those of amounts', () => {
    const { metrics } = figuresOf([pair(-3, 0), pair(0.5, 1), pair(7, 1)])
    expect(metrics).toMatchObject({ auc: { value: 1 } })
    expect(metrics.brier).toBeUndefined()
    expect(metrics['log-loss']).toBeUndefined()
  })

  it('are none of nothing, and none of what weighs nothing', () => {
    expect(new PairSums().figures()).toBeUndefined()
    const sums = new PairSums()
    sums.add(pair(0.5, 1, 0))
    expect(sums.figures()).toBeUndefined()
  })
})
