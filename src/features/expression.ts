// Derived features as data: operations over other features, by name or in place. Null goes through every operation but those
// that ask for it, so a derived feature is never a number made of nothing.
import { type FeatureValue, jsonNumber } from './features-body.ts'
import type { Feature } from './feature.ts'

export type Operator =
  | 'add'
  | 'subtract'
  | 'multiply'
  | 'divide'
  | 'least'
  | 'greatest'
  | 'absolute'
  | 'squareRoot'
  | 'log1p'
  | 'above'
  | 'atLeast'
  | 'below'
  | 'atMost'
  | 'equals'
  | 'not'
  | 'all'
  | 'any'
  | 'isNull'
  | 'coalesce'
  | 'when'

export type Constant = number | string | boolean

export type Expression =
  | { readonly kind: 'constant'; readonly value: Constant }
  /** Another feature of the same set. */
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'feature'; readonly feature: Feature }
  | { readonly kind: 'operation'; readonly operator: Operator; readonly operands: readonly Expression[] }

/** The features that an expression names, those of derived features in place included. */
export function namesIn(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case 'constant':
      return []
    case 'name':
      return [expression.name]
    case 'feature':
      return expression.feature.kind === 'derived' ? namesIn(expression.feature.expression) : []
    case 'operation':
      return expression.operands.flatMap(namesIn)
  }
}

/** Numbers, flags and text, or null: what an operation takes and gives. */
type Scalar = Constant | null

/**
 * The operation's value. Null where an operand is null (but for isNull, coalesce, when, all and any), where an operand is of
 * another type, where a divisor is 0, and where no finite number comes out.
 */
export function operate(operator: Operator, operands: readonly FeatureValue[]): Scalar {
  const scalars = operands.map(asScalar)
  const [first = null, second = null, third = null] = scalars
  switch (operator) {
    case 'isNull':
      return operands[0] === null
    case 'coalesce':
      return scalars.find(value => value !== null) ?? null
    case 'when':
      return typeof first === 'boolean' ? (first ? second : third) : null
    case 'equals':
      return first === null || second === null ? null : first === second
    case 'not':
      return typeof first === 'boolean' ? !first : null
    case 'all':
      return scalars.includes(false) ? false : scalars.every(value => value === true) ? true : null
    case 'any':
      return scalars.includes(true) ? true : scalars.every(value => value === false) ? false : null
    default:
      return scalars.every(value => typeof value === 'number') ? arithmetic(operator, scalars) : null
  }
}

function asScalar(value: FeatureValue): Scalar {
  return typeof value === 'object' ? null : value
}

function arithmetic(operator: Operator, numbers: readonly number[]): Scalar {
  const [first = 0, second = 0] = numbers
  switch (operator) {
    case 'above':
      return first > second
    case 'atLeast':
      return first >= second
    case 'below':
      return first < second
    case 'atMost':
      return first <= second
    default:
      return jsonNumber(calculate(operator, numbers))
  }
}

function calculate(operator: Operator, numbers: readonly number[]): number {
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
    default:
      return Math.log1p(first)
  }
}
