import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decimalProduct, scaledInteger } from '../../src/event/scaled-decimal.ts'

describe('a number at a scale', () => {
  it.each([
    [1.005, 2, 101],
    [-1.005, 2, -101],
    [0.285, 2, 29],
    [8.345, 2, 835],
    [2.5, 0, 3],
    [-2.5, 0, -3],
    [0.5, 0, 1],
    [0.49999999999999994, 0, 0],
    [1e-7, 6, 0],
    [5e-7, 6, 1],
    [5e-324, 9, 0],
    [-0.001, 2, 0],
    [-0, 2, 0],
    [123456789.125, 2, 12345678913],
    [90071992547409.9, 2, 9_007_199_254_740_990],
    [90071992547409.92, 2, undefined],
    [2 ** 53, 0, undefined],
    [-(2 ** 53), 0, undefined],
    [9_007_199, 9, 9_007_199_000_000_000],
    [9_007_200, 9, undefined],
    [1e300, 9, undefined],
    [Number.MAX_VALUE, 9, undefined],
  ])('%d at scale %i is %d', (value, scale, expected) => {
    expect(scaledInteger(value, scale)).toBe(expected)
  })

  it('is the decimal text, rounded half away from zero', () => {
    const written = fc
      .tuple(fc.integer({ min: -(10 ** 9), max: 10 ** 9 }), fc.nat(12))
      .map(([digits, places]) => Number(`${digits}e-${places}`))
    const nearHalf = fc
      .tuple(fc.integer({ min: -(10 ** 12), max: 10 ** 12 }), fc.nat(9), fc.integer({ min: -3, max: 3 }))
      .map(([whole, scale, units]) => stepped(Number(`${whole}.5e-${scale}`), units))
    const values = fc.oneof(written, nearHalf, fc.double({ noNaN: true, noDefaultInfinity: true }))
    fc.assert(
      fc.property(values, fc.nat(9), (value, scale) => {
        expect(scaledInteger(value, scale)).toBe(byHand(value, scale))
      }),
      { numRuns: 5000 },
    )
  })
})

describe('a product of decimals', () => {
  it.each([
    [1999, 0.01, 19.99],
    [0.29, 100, 29],
    [1.1, 1.1, 1.21],
    [1.005, 1000, 1005],
    [-3, 0.1, -0.3],
    [0, -5, 0],
    [-0, 5, 0],
    [1e-7, 1e7, 1],
    [2.5e21, 4e-3, 1e19],
  ])('%d × %d is %d', (a, b, product) => {
    expect(decimalProduct(a, b)).toBe(product)
    expect(decimalProduct(b, a)).toBe(product)
  })

  it('is what the parser reads of the product as text', () => {
    const whole = fc.integer({ min: -(10 ** 12), max: 10 ** 12 })
    fc.assert(
      fc.property(whole, whole, fc.integer({ min: -40, max: 40 }), (a, b, exponent) => {
        const text = `${BigInt(a) * BigInt(b)}e${exponent}`
        expect(decimalProduct(Number(`${a}e${exponent}`), b)).toBe((JSON.parse(text) as number) + 0)
      }),
    )
  })

  it.each([
    [1e300, 1e300],
    [1e-300, -1e-300],
    [Number.POSITIVE_INFINITY, 0.5],
    [1, Number.NaN],
  ])('of %d and %d is none, as a double would be infinite, lost or no number', (a, b) => {
    expect(decimalProduct(a, b)).toBeUndefined()
  })
})

/** The double so many steps away. */
function stepped(value: number, steps: number): number {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  view.setBigInt64(0, view.getBigInt64(0) + BigInt(value === 0 ? 0 : steps))
  return view.getFloat64(0)
}

/** Digits moved as text, then looked at the first one cut off. */
function byHand(value: number, scale: number): number | undefined {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value))
  if (match === null) throw new Error(`no decimal: ${value}`)
  const [, sign = '', whole = '', places = '', exponent = '0'] = match
  const zeros = '0'.repeat(400)
  const point = zeros.length + whole.length + Number(exponent) + scale
  const digits = zeros + whole + places + zeros
  const kept = BigInt(digits.slice(0, point)) + (digits.charAt(point) >= '5' ? 1n : 0n)
  if (kept > BigInt(Number.MAX_SAFE_INTEGER)) return undefined
  return kept === 0n ? 0 : Number(sign + kept)
}
