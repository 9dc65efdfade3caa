// Derived features and ratios of the obvious implementation. An operand that may be off makes a range of what may come out; where
// a range decides between two answers, or a null, anything may.
import type { Expression } from '../features/expression.ts'
import type { Feature } from '../features/feature.ts'
import { allowedOff, type Answer, ANYTHING, EXACT, exact, finiteOrNull } from './obvious-answer.ts'

type Scalar = number | string | boolean | null
type Operation = Extract<Expression, { readonly kind: 'operation' }>
/** A number with the least and the greatest that it may be. */
type Range = readonly [low: number, value: number, high: number]

/** A range's ends are worked out in doubles. */
const RANGE_ROUNDING = 1e-12

export function expressionAnswer(
  expression: Expression,
  ofFeature: (feature: Feature) => Answer,
  ofName: (name: string) => Answer,
): Answer {
  switch (expression.kind) {
    case 'constant':
      return exact(expression.value)
    case 'name':
      return ofName(expression.name)
    case 'feature':
      return ofFeature(expression.feature)
    case 'operation':
      return operated(
        expression.operator,
        expression.operands.map(operand => expressionAnswer(operand, ofFeature, ofName)),
      )
  }
}

export function quotient(numerator: Answer, denominator: Answer): Answer {
  return operated('divide', [numerator, denominator])
}

function operated(operator: Operation['operator'], operands: readonly Answer[]): Answer {
  const isUnknown = (answer: Answer | undefined): boolean => answer?.allowance === ANYTHING
  const scalars = operands.map(({ value }) => scalar(value))
  const [first, second, third] = operands
  switch (operator) {
    case 'isNull':
      return { value: first?.value === null, allowance: isUnknown(first) ? ANYTHING : EXACT }
    case 'coalesce': {
      const index = scalars.findIndex(value => value !== null)
      const value = scalars[index] ?? null
      const asked = index === -1 ? operands : operands.slice(0, index + 1)
      return { value, allowance: asked.some(isUnknown) ? ANYTHING : (operands[index]?.allowance ?? EXACT) }
    }
    case 'when': {
      const branch = first?.value === true ? second : first?.value === false ? third : undefined
      const value = branch === undefined ? null : scalar(branch.value)
      return { value, allowance: isUnknown(first) ? ANYTHING : (branch?.allowance ?? EXACT) }
    }
    case 'not':
      return flag(typeof scalars[0] === 'boolean' ? !scalars[0] : null, operands)
    case 'all':
    case 'any':
      return several(operator === 'any', operands)
    case 'equals':
      return equality(operands)
    default:
      return numeric(operator, operands)
  }
}

/** A list or an object is no operand. */
function scalar(value: Answer['value']): Scalar {
  return typeof value === 'object' ? null : value
}

function flag(value: boolean | null, operands: readonly Answer[]): Answer {
  return operands.some(({ allowance }) => allowance === ANYTHING) ? { value, allowance: ANYTHING } : exact(value)
}

/** `decisive`: the flag of which one is enough. */
function several(decisive: boolean, operands: readonly Answer[]): Answer {
  const isDecided = operands.some(({ value, allowance }) => value === decisive && allowance !== ANYTHING)
  if (isDecided) return exact(decisive)
  const isOpposite = operands.every(({ value }) => value === !decisive)
  const value = operands.some(operand => operand.value === decisive) ? decisive : isOpposite ? !decisive : null
  return flag(value, operands)
}

function equality(operands: readonly Answer[]): Answer {
  const [first = null, second = null] = operands.map(({ value }) => scalar(value))
  const value = first === null || second === null ? null : first === second
  const [left, right] = operands.map(rangeOf)
  if (left === undefined || right === undefined) return flag(value, operands)
  if (left[2] < right[0] || right[2] < left[0]) return exact(false)
  const isPoint = left[0] === left[2] && right[0] === right[2]
  return { value, allowance: isPoint ? EXACT : ANYTHING }
}

function numeric(operator: Operation['operator'], operands: readonly Answer[]): Answer {
  const ranges: Range[] = []
  for (const operand of operands) {
    const range = rangeOf(operand)
    // Null where an operand is no number, whatever the others are.
    if (range === undefined && operand.allowance !== ANYTHING) return exact(null)
    if (range !== undefined) ranges.push(range)
  }
  const [left = [0, 0, 0], right = [0, 0, 0]] = ranges
  if (ranges.length < operands.length) return { value: null, allowance: ANYTHING }
  switch (operator) {
    case 'above':
      return compared(left[1] > right[1], left[0] > right[2], left[2] <= right[0])
    case 'atLeast':
      return compared(left[1] >= right[1], left[0] >= right[2], left[2] < right[0])
    case 'below':
      return compared(left[1] < right[1], left[2] < right[0], left[0] >= right[2])
    case 'atMost':
      return compared(left[1] <= right[1], left[2] <= right[0], left[0] > right[2])
    default:
      return calculated(operator, ranges)
  }
}

function compared(value: boolean, isSurelyTrue: boolean, isSurelyFalse: boolean): Answer {
  return isSurelyTrue || isSurelyFalse ? exact(value) : { value, allowance: ANYTHING }
}

function rangeOf({ value, allowance }: Answer): Range | undefined {
  if (typeof value !== 'number') return undefined
  const off = allowedOff(value, allowance)
  return [value - off, value, value + off]
}

function calculated(operator: Operation['operator'], ranges: readonly Range[]): Answer {
  const value = finiteOrNull(
    calculate(
      operator,
      ranges.map(range => range[1]),
    ),
  )
  if (ranges.every(([low, , high]) => low === high)) return exact(value)
  const ends = endsOf(operator, ranges)
  const isFinite = value !== null && ends.every(Number.isFinite)
  if (!isFinite) return { value, allowance: ANYTHING }
  const off = Math.max(0, ...ends.map(end => Math.abs(end - value)))
  return { value, allowance: { relative: RANGE_ROUNDING, absolute: off * (1 + RANGE_ROUNDING) } }
}

/** Each operation goes one way in each operand, so its extremes lie at ends; but for a divisor and an absolute value around 0. */
function endsOf(operator: Operation['operator'], ranges: readonly Range[]): number[] {
  const [first, second] = ranges
  const isAround0 = (range: Range | undefined): boolean => range !== undefined && range[0] <= 0 && range[2] >= 0
  if (operator === 'divide' && isAround0(second)) return [Number.NaN]
  const ends = ranges.reduce<number[][]>(
    (some, [low, , high]) =>
      some.flatMap(numbers => [
        [...numbers, low],
        [...numbers, high],
      ]),
    [[]],
  )
  const atEnds = ends.map(numbers => calculate(operator, numbers))
  return operator === 'absolute' && isAround0(first) ? [...atEnds, 0] : atEnds
}

function calculate(operator: Operation['operator'], numbers: readonly number[]): number {
  const [first = 0, second = 0] = numbers
  switch (operator) {
    case 'add':
      return numbers.reduce((total, number) => total + number, 0)
    case 'multiply':
      return numbers.reduce((product, number) => product * number, 1)
    case 'subtract':
      return first - second
    case 'divide':
      return second === 0 ? Number.NaN : first / second
    case 'least':
      return Math.min(...numbers)
    case 'greatest':
      return Math.max(...numbers)
    case 'absolute':
      return Math.abs(first)
    case 'squareRoot':
      return Math.sqrt(first)
    case 'log1p':
      return Math.log1p(first)
    default:
      throw new Error(`The obvious implementation does not know the operation ${operator}.`)
  }
}
