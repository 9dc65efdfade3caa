import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Distribution, distributionOf, type Value } from '../../src/model/distribution.ts'
import { movedBetween, movedTo, populationStabilityIndex, psiByChance, sharesOf } from '../../src/model/psi.ts'
import { BinCounter, binLabels, binsOf, countsInBins, sharedBins } from '../../src/model/psi-bins.ts'
import { seededRandom } from '../../src/platform/random.ts'

const numbers = fc.array(
  fc.option(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, min: -1e6, max: 1e6 }))),
  {
    minLength: 1,
  },
)
const texts = fc.array(fc.option(fc.constantFrom('web', 'app', 'shop', 'toString')), { minLength: 1 })
const samples = fc.oneof(
  fc.record({ type: fc.constant('number' as const), before: numbers, now: numbers }),
  fc.record({ type: fc.constant('text' as const), before: texts, now: texts }),
)

function counted(expected: Distribution, values: readonly Value[]): BinCounter {
  const counter = new BinCounter(binsOf(expected))
  for (const value of values) counter.add(value)
  return counter
}

/** As a training script writes it that knows nothing of counts at deciles. */
function withoutCounts(distribution: Distribution): Distribution {
  return distribution.kind === 'number' ? { ...distribution, atMost: undefined } : distribution
}

const normals = (count: number, mean: number, seed: number): number[] => {
  const random = seededRandom(seed)
  // Twelve uniform numbers have a variance of 1.
  const normal = (): number => Array.from({ length: 12 }, random).reduce((sum, each) => sum + each, -6)
  return Array.from({ length: count }, () => mean + normal())
}

describe('populationStabilityIndex', () => {
  it('is what a calculator gives', () => {
    expect(populationStabilityIndex([0.5, 0.5], [0.6, 0.4])).toBeCloseTo(0.1 * Math.log(0.6 / 0.4), 12)
  })

  it('is finite where a bin is empty: one in ten thousand stands for it', () => {
    expect(populationStabilityIndex([1, 0], [0.5, 0.5])).toBeCloseTo(
      0.5 * Math.log(2) + 0.4999 * Math.log(0.5 / 0.0001),
      9,
    )
  })

  it('is never negative, 0 for equal shares, and the same both ways round', () => {
    const counts = fc.array(fc.nat(50), { minLength: 4, maxLength: 4 }).filter(list => list.some(each => each > 0))
    fc.assert(
      fc.property(counts, counts, (before, now) => {
        const [e, a] = [sharesOf(before) ?? [], sharesOf(now) ?? []]
        expect(populationStabilityIndex(e, a)).toBeGreaterThanOrEqual(0)
        expect(populationStabilityIndex(e, e)).toBe(0)
        expect(populationStabilityIndex(a, e)).toBeCloseTo(populationStabilityIndex(e, a), 10)
      }),
    )
  })
})

describe('movedTo, of values that were counted', () => {
  it('is 0 for the very values that are expected, in any order', () => {
    fc.assert(
      fc.property(samples, ({ type, before }) => {
        const expected = distributionOf(before, type)
        expect(movedTo(expected, counted(expected, before.toReversed())).psi).toBeCloseTo(0, 9)
      }),
    )
  })

  it('is never negative, and finite', () => {
    fc.assert(
      fc.property(samples, ({ type, before, now }) => {
        const expected = distributionOf(before, type)
        for (const each of [expected, withoutCounts(expected)]) {
          const { psi } = movedTo(each, counted(each, now))
          expect(psi).toBeGreaterThanOrEqual(-1e-12)
          expect(psi).toBeLessThan(20)
        }
      }),
    )
  })

  it('is the same for a whole and for two halves of it, merged', () => {
    fc.assert(
      fc.property(samples, fc.nat(), ({ type, before, now }, cut) => {
        const expected = distributionOf(before, type)
        const at = cut % (now.length + 1)
        const merged = counted(expected, now.slice(0, at))
        merged.merge(counted(expected, now.slice(at)))
        const whole = counted(expected, now)
        expect(merged.counts).toEqual(whole.counts)
        expect(merged.sum).toBeCloseTo(whole.sum, 6)
      }),
    )
  })

  it('agrees with the distribution of the same values, where its bins are the same', () => {
    fc.assert(
      fc.property(texts, texts, (before, now) => {
        const [expected, actual] = [distributionOf(before, 'text'), distributionOf(now, 'text')]
        const bins = binsOf(expected)
        expect(countsInBins(actual, bins)).toEqual(counted(expected, now).counts)
      }),
    )
  })

  it('sees a mean that moves, and calls it as credit scoring does', () => {
    const expected = distributionOf(normals(20_000, 0, 1), 'number')
    // Of normal distributions the divergence is the square of how many standard deviations the mean moves.
    const readings = [0, 0.2, 0.4, 1].map(mean => movedTo(expected, counted(expected, normals(20_000, mean, 2))))
    expect(readings.map(({ reading }) => reading)).toEqual(['steady', 'steady', 'moved', 'moved-much'])
    expect(readings[2]?.psi).toBeGreaterThan(0.12)
    expect(readings[2]?.psi).toBeLessThan(0.18)
  })

  it('has missing values as a bin of their own', () => {
    const expected = distributionOf([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 'number')
    const now = counted(expected, [
      ...Array.from({ length: 500 }, (_, index) => (index % 10) + 1),
      ...Array(500).fill(null),
    ])
    expect(movedTo(expected, now).psi).toBeGreaterThan(1)
    expect(now.counts.at(-1)).toBe(500)
    expect(now.sum).toBe(50 * 55)
  })

  it('sees a category that training never had', () => {
    const expected = distributionOf(Array(1000).fill('web'), 'text')
    const now = counted(expected, [...Array(900).fill('web'), ...Array(100).fill('kiosk')])
    expect(movedTo(expected, now)).toMatchObject({ reading: 'moved-much' })
    expect(binLabels(binsOf(expected))).toEqual(['web', 'other', 'missing'])
  })

  it('does not take a value that comes often for one that has moved, where only deciles are known', () => {
    const values = Array.from({ length: 1000 }, (_, index) => (index < 670 ? 0 : index))
    const expected = withoutCounts(distributionOf(values, 'number'))
    expect(movedTo(expected, counted(expected, values)).psi).toBeLessThan(0.001)
    const fewer = values.map((value, index) => (index % 2 === 0 ? value : value + 1))
    expect(movedTo(expected, counted(expected, fewer)).reading).toBe('moved-much')
  })

  it('says too-few where so few would differ as much by chance', () => {
    const expected = distributionOf(normals(20_000, 0, 1), 'number')
    const few = movedTo(expected, counted(expected, normals(40, 0, 3)))
    expect(few.psi).toBeGreaterThan(0.1)
    expect(few.reading).toBe('too-few')
    expect(movedTo(expected, counted(expected, normals(40, 2, 3))).reading).toBe('moved-much')
  })

  it('is unknown where nothing was counted', () => {
    const expected = distributionOf([1, 2], 'number')
    expect(movedTo(expected, counted(expected, []))).toEqual({ psi: null, reading: 'unknown' })
  })

  it('of a column that was all missing in training, sees that it no longer is', () => {
    const expected = distributionOf(Array(100).fill(null), 'number')
    expect(movedTo(expected, counted(expected, Array(100).fill(null))).psi).toBe(0)
    expect(movedTo(expected, counted(expected, Array(100).fill(5))).reading).toBe('moved-much')
    expect(movedBetween(expected, distributionOf(Array(100).fill(5), 'number')).reading).toBe('moved-much')
  })
})

describe('movedBetween, of two manifests', () => {
  it('is 0 between a distribution and itself, with counts at deciles or without', () => {
    fc.assert(
      fc.property(samples, ({ type, before }) => {
        const expected = distributionOf(before, type)
        for (const each of [expected, withoutCounts(expected)]) expect(movedBetween(each, each).psi).toBeCloseTo(0, 9)
      }),
    )
  })

  it('is near to what counting the values themselves gives', () => {
    const before = distributionOf(normals(5_000, 0, 1), 'number')
    const values = normals(5_000, 0.5, 2)
    const exact = movedTo(before, counted(before, values)).psi ?? 0
    const found = movedBetween(before, distributionOf(values, 'number')).psi ?? 0
    // The tail beyond the last decile is a straight line to the greatest value.
    expect(Math.abs(found - exact)).toBeLessThan(0.1)
  })

  it('takes for other what one of both has not listed', () => {
    const listed: Distribution = { kind: 'category', count: 100, missing: 0, values: { a: 50, b: 50 }, other: 0 }
    const partly: Distribution = { kind: 'category', count: 100, missing: 0, values: { a: 50 }, other: 50 }
    expect(sharedBins(listed, partly)).toEqual({ kind: 'category', names: ['a'] })
    expect(movedBetween(listed, partly).psi).toBe(0)
    expect(movedBetween(listed, { ...listed, values: { a: 50, c: 50 } }).reading).toBe('moved-much')
  })

  it('is unknown where one has none, or is of another kind', () => {
    const [number, text] = [distributionOf([1, 2], 'number'), distributionOf(['a'], 'text')]
    expect(movedBetween(undefined, number)).toEqual({ psi: null, reading: 'unknown' })
    expect(movedBetween(number, undefined)).toEqual({ psi: null, reading: 'unknown' })
    expect(movedBetween(number, text).reading).toBe('unknown')
    expect(movedBetween(text, number).reading).toBe('unknown')
  })
})

describe('psiByChance', () => {
  it('is chi-squared over the sizes: 16.92 for nine degrees at 95 of 100', () => {
    expect(psiByChance(10, 1000, 1000)).toBeCloseTo(16.92 * 0.002, 3)
    expect(psiByChance(1, 10, 10)).toBe(0)
  })

  it('is seldom passed by samples of one population', () => {
    const expected = distributionOf(normals(2_000, 0, 11), 'number')
    const limit = psiByChance(10, 2_000, 200)
    const passed = Array.from({ length: 100 }, (_, seed) =>
      movedTo(expected, counted(expected, normals(200, 0, 100 + seed))),
    )
    expect(passed.filter(({ psi }) => (psi ?? 0) > limit).length).toBeLessThan(15)
  })
})
