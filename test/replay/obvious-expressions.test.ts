// What is derived from numbers that may be off: wherever in their ranges they lie, the result lies within what is allowed.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { operate, type Operator } from '../../src/features/expression.ts'
import { count } from '../../src/features/aggregates.ts'
import { type Answer, exact } from '../../src/replay/obvious-answer.ts'
import { expressionAnswer, quotient } from '../../src/replay/obvious-expressions.ts'
import { valueDiffers } from '../../src/replay/obvious-features.ts'
import { order } from '../features/factories.ts'

const OPERATORS: readonly Operator[] = [
  ...(['add', 'subtract', 'multiply', 'divide', 'least', 'greatest', 'absolute', 'squareRoot', 'log1p'] as const),
  ...(['above', 'atLeast', 'below', 'atMost', 'equals', 'coalesce', 'isNull', 'when', 'not', 'all', 'any'] as const),
]
const anyFeature = count(order)

/** An answer, and a value that it allows. */
const answered = fc
  .record({
    value: fc.oneof(fc.integer({ min: -4, max: 4 }), fc.double({ min: -1e6, max: 1e6, noNaN: true })),
    relative: fc.constantFrom(0, 0.01, 0.5),
    absolute: fc.constantFrom(0, 0.25),
    share: fc.double({ min: -0.999, max: 0.999, noNaN: true }),
  })
  .map(({ value, relative, absolute, share }) => ({
    answer: { value, allowance: { relative, absolute } } satisfies Answer,
    actual: value + share * Math.max(absolute, relative * Math.abs(value)),
  }))

function answerOf(operator: Operator, operands: readonly Answer[]): Answer {
  const names = operands.map((_, index) => ({ kind: 'name', name: `${index}` }) as const)
  const fail = () => {
    throw new Error('none here')
  }
  return expressionAnswer(
    { kind: 'operation', operator, operands: names },
    fail,
    name => operands[Number(name)] ?? exact(null),
  )
}

describe('expressionAnswer', () => {
  it('allows whatever the operation makes of operands within their own allowances', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...OPERATORS),
        fc.array(answered, { minLength: 2, maxLength: 3 }),
        (operator, operands) => {
          const { value, allowance } = answerOf(
            operator,
            operands.map(({ answer }) => answer),
          )
          const actual = operate(
            operator,
            operands.map(operand => operand.actual),
          )
          expect(valueDiffers(anyFeature, actual, value, allowance)).toBe(false)
        },
      ),
      { numRuns: 1500 },
    )
  })

  it('is exact over what is exact, and decided where the ranges do not meet', () => {
    const near = (value: number): Answer => ({ value, allowance: { relative: 0.1, absolute: 0 } })
    expect(answerOf('add', [exact(1), exact(2)])).toEqual(exact(3))
    expect(answerOf('above', [near(10), exact(5)])).toEqual(exact(true))
    expect(answerOf('above', [near(10), exact(9.5)]).allowance.absolute).toBe(Number.POSITIVE_INFINITY)
    expect(answerOf('equals', [near(10), near(20)])).toEqual(exact(false))
    expect(answerOf('all', [exact(false), answerOf('above', [near(10), exact(10)])])).toEqual(exact(false))
    expect(answerOf('add', [near(10), exact(null)])).toEqual(exact(null))
    expect(answerOf('isNull', [near(10)])).toEqual(exact(false))
  })

  it('gives a quotient the error of both, and none at all of an end where the divisor may be 0', () => {
    const near = (value: number): Answer => ({ value, allowance: { relative: 0.1, absolute: 0 } })
    expect(quotient(near(10), near(10)).allowance.absolute).toBeCloseTo(1.1 / 0.9 - 1)
    const around0: Answer = { value: 1, allowance: { relative: 0, absolute: 2 } }
    expect(quotient(exact(1), around0).allowance.absolute).toBe(Number.POSITIVE_INFINITY)
    expect(quotient(exact(1), exact(0))).toEqual(exact(null))
  })
})
