import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CATEGORIES_MAX,
  DECILES,
  distributionOf,
  distributionOfNumbers,
  distributionSchema,
  type Value,
} from '../../src/model/distribution.ts'

const numbers = fc.array(
  fc.option(fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: false, noDefaultInfinity: true }))),
)
const texts = fc.array(fc.option(fc.constantFrom('web', 'app', 'shop', '__proto__', '')))

describe('distributionOf', () => {
  it('counts what is missing apart, and gives least, greatest and mean of the others', () => {
    expect(distributionOf([3, null, 1, Number.NaN, 2], 'number')).toMatchObject({
      kind: 'number',
      count: 5,
      missing: 2,
      min: 1,
      max: 3,
      mean: 2,
    })
  })

  it('takes as decile the least value that so many are at most', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index)
    expect(distributionOf(values, 'number')).toMatchObject({
      deciles: [10, 20, 30, 40, 50, 60, 70, 80, 90],
      atMost: [10, 20, 30, 40, 50, 60, 70, 80, 90],
    })
    expect(distributionOf([0, 0, 0, 0, 0, 0, 0, 5, 5, 9], 'number')).toMatchObject({
      deciles: [0, 0, 0, 0, 0, 0, 0, 5, 5],
      atMost: [7, 7, 7, 7, 7, 7, 7, 9, 9],
    })
  })

  it('is the same of numbers that are held as such', () => {
    fc.assert(
      fc.property(numbers, values => {
        const held = Float64Array.from(values, value => value ?? Number.NaN)
        expect(distributionOfNumbers(held)).toEqual(distributionOf(values, 'number'))
      }),
    )
  })

  it('has flags as texts, the most frequent first', () => {
    expect(distributionOf([true, false, true, null], 'flag')).toEqual({
      kind: 'category',
      count: 4,
      missing: 1,
      values: { true: 2, false: 1 },
      other: 0,
    })
  })

  it('counts together what is not among the most frequent', () => {
    const values = Array.from({ length: CATEGORIES_MAX + 5 }, (_, index) => `item ${String(index).padStart(2, '0')}`)
    const found = distributionOf([...values, 'item 54'], 'text')
    expect(found).toMatchObject({ kind: 'category', other: 5 })
    expect(Object.entries(found.kind === 'category' ? found.values : {})[0]).toEqual(['item 54', 2])
  })

  it('says of nothing that there is nothing', () => {
    expect(distributionOf([null, Number.NaN], 'number')).toEqual({ kind: 'empty', count: 2, missing: 2 })
    expect(distributionOf([], 'text')).toEqual({ kind: 'empty', count: 0, missing: 0 })
  })

  it('is as a manifest may have it, whatever the values and in whatever order', () => {
    const law = (type: 'number' | 'text') => (values: readonly Value[]) => {
      const found = distributionOf(values, type)
      expect(distributionSchema.parse(structuredClone(found))).toEqual(found)
      const back = distributionOf(values.toReversed(), type)
      expect({ ...back, mean: 0 }).toEqual({ ...found, mean: 0 })
    }
    fc.assert(fc.property(numbers, law('number')))
    fc.assert(
      fc.property(
        texts.map(list => list.filter(each => each !== '__proto__')),
        law('text'),
      ),
    )
  })

  it('has deciles that rise, between least and greatest, and counts that fit them', () => {
    fc.assert(
      fc.property(numbers, values => {
        const found = distributionOf(values, 'number')
        if (found.kind !== 'number') return
        const there = found.count - found.missing
        const points = [found.min, ...found.deciles, found.max]
        expect(points.toSorted((a, b) => a - b)).toEqual(points)
        for (const [index, decile] of found.deciles.entries()) {
          const atMost = values.filter(value => value !== null && value <= decile).length
          expect(found.atMost?.[index]).toBe(atMost)
          expect(atMost).toBeGreaterThanOrEqual(((index + 1) * there) / (DECILES + 1) - 1e-9)
        }
      }),
    )
  })
})
