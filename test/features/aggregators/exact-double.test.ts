// Against fractions of whole numbers, and against decimal text, whose parser rounds to the nearest double, ties to even.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addDoubles,
  exactDouble,
  type ExactDouble,
  nearestDouble,
  nearestQuotient,
  squareDouble,
} from '../../../src/features/aggregators/exact-double.ts'
import { nearestDouble as obviousDouble, totalOf, unitsOf } from '../../../src/replay/obvious-numbers.ts'

const double = fc.double({ noNaN: true, noDefaultInfinity: true })
const sumOf = (numbers: readonly number[]): ExactDouble => numbers.map(exactDouble).reduce(addDoubles, [0, 0])
const read = (numbers: readonly number[]): number => nearestDouble(sumOf(numbers))

describe('exact doubles', () => {
  it('are every double itself, with an odd mantissa', () => {
    const hard = [1, -3, 0.1, 5e-324, -5e-324, 2 ** -1022, Number.MAX_VALUE, 2 ** 53, 1e300, 4.9e-320]
    for (const value of hard) {
      expect(nearestDouble(exactDouble(value))).toBe(value)
      expect(Math.abs(Number(exactDouble(value)[0])) % 2).toBe(1)
    }
    expect([exactDouble(0), exactDouble(-0)]).toEqual([
      [0, 0],
      [0, 0],
    ])
    expect(exactDouble(-6)).toEqual([-3, 1])
    fc.assert(fc.property(double, value => nearestDouble(exactDouble(value)) === value + 0))
  })

  it('sum what doubles round away', () => {
    expect(read([1e16, 1, -1e16])).toBe(1)
    expect(read([1e300, 1e-300, -1e300])).toBe(1e-300)
    expect(read(Array.from({ length: 10 }, () => 0.1))).toBe(1)
    expect(read([Number.MAX_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE])).toBe(Number.MAX_VALUE)
    expect(read([Number.MAX_VALUE, Number.MAX_VALUE])).toBe(Number.POSITIVE_INFINITY)
    expect(read([2 ** 53, 1])).toBe(2 ** 53)
    expect(read([2 ** 53, 1, 1e-300])).toBe(2 ** 53 + 2)
    expect(read([2 ** 53, 3])).toBe(2 ** 53 + 4)
  })

  it('are one cell for one sum in any order, and the nearest double of it', () => {
    fc.assert(
      fc.property(fc.array(double, { maxLength: 20 }), numbers => {
        const sum = sumOf(numbers)
        expect(sumOf(numbers.toReversed())).toEqual(sum)
        expect(sumOf([...numbers].sort((a, b) => a - b))).toEqual(sum)
        const { count, perOne } = unitsOf(undefined)
        expect(nearestDouble(sum)).toBe(obviousDouble(totalOf(numbers.map(count)), perOne))
      }),
      { numRuns: 400 },
    )
  })

  it('square without rounding, and without underflow', () => {
    expect(nearestDouble(squareDouble(1e160))).toBe(Number.POSITIVE_INFINITY)
    expect(nearestDouble(squareDouble(2 ** 30 + 2 ** -20))).toBe((2 ** 30 + 2 ** -20) ** 2)
    expect(squareDouble(5e-324)).toEqual([1, -2148])
  })
})

describe('nearestQuotient', () => {
  it('rounds once, ties to even, as decimal text is read', () => {
    expect(nearestQuotient(1n, 3n)).toBe(1 / 3)
    expect(nearestQuotient(-2n, 3n)).toBe(-2 / 3)
    expect(nearestQuotient(0n, 7n)).toBe(0)
    expect(nearestQuotient((1n << 53n) + 1n, 1n)).toBe(2 ** 53)
    expect(nearestQuotient((1n << 53n) + 3n, 1n)).toBe(2 ** 53 + 4)
    expect(nearestQuotient((1n << 54n) * 10n + 1n, 10n, -1)).toBe(2 ** 53)
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 40n), 10n ** 40n), fc.integer({ min: 0, max: 340 }), (digits, places) => {
        expect(nearestQuotient(digits, 10n ** BigInt(places))).toBe(Number(`${digits}e-${places}`))
      }),
      { numRuns: 1000 },
    )
  })

  it('reaches the smallest doubles and none below', () => {
    expect(nearestQuotient(1n, 1n, -1074)).toBe(5e-324)
    expect(nearestQuotient(1n, 1n, -1075)).toBe(0)
    expect(nearestQuotient(3n, 1n, -1076)).toBe(5e-324)
    expect(nearestQuotient(3n, 1n, -1075)).toBe(1e-323)
    expect(nearestQuotient((1n << 60n) + 1n, 1n, -1075 - 59)).toBe(5e-324)
    expect(nearestQuotient(1n, 3n, -1071)).toBe(1.5e-323)
    expect(nearestQuotient(1n, 1n, 1023)).toBe(2 ** 1023)
    expect(nearestQuotient(1n, 1n, 1024)).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('the obvious numbers', () => {
  it('are the decimal that they are read from', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 40n), 10n ** 40n), fc.integer({ min: 0, max: 340 }), (digits, places) => {
        expect(obviousDouble(digits, 10n ** BigInt(places)) + 0).toBe(Number(`${digits}e-${places}`) + 0)
      }),
      { numRuns: 1000 },
    )
    fc.assert(fc.property(double, value => obviousDouble(unitsOf(undefined).count(value), 1n << 1074n) === value + 0))
  })
})
