import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addExact, exactInteger, squareExact, toBigInt } from '../../../src/features/aggregators/exact-integer.ts'

const MAX = Number.MAX_SAFE_INTEGER

describe('exact integers', () => {
  it('are numbers up to 2^53 − 1 and decimal text beyond, and numbers again on the way back', () => {
    expect(addExact(MAX, 0)).toBe(MAX)
    expect(addExact(MAX, 1)).toBe('9007199254740992')
    expect(addExact('9007199254740992', -1)).toBe(MAX)
    expect(addExact(-MAX, -1)).toBe('-9007199254740992')
    expect(addExact(addExact(MAX, MAX), addExact(-MAX, -MAX))).toBe(0)
  })

  it('are one text for one sum, whatever its order', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeInteger(), { maxLength: 12 }), numbers => {
        const total = numbers.reduce((sum, number) => sum + BigInt(number), 0n)
        const inOrder = numbers.reduce<string | number>((sum, number) => addExact(sum, number), 0)
        const backwards = numbers.reduceRight<string | number>((sum, number) => addExact(number, sum), 0)
        expect([inOrder, backwards]).toEqual([exactInteger(total), exactInteger(total)])
        expect(toBigInt(inOrder)).toBe(total)
      }),
      { numRuns: 500 },
    )
  })

  it('square without rounding', () => {
    expect(squareExact(94_906_265)).toBe(9_007_199_136_250_225)
    expect(squareExact(94_906_266)).toBe('9007199326062756')
    expect(squareExact(-MAX)).toBe((BigInt(MAX) ** 2n).toString())
  })
})
