// How a team writes derived features: `divide('spend90d', 'orders30d')`. Text is the name of another feature of the set, a number is
// itself, and a feature may stand in place; `constant` is for words and flags.
import { DefinitionError } from '../event/errors.ts'
import type { Constant, Expression, Operator } from './expression.ts'
import type { DerivedFeature, Feature } from './feature.ts'

/** A number, the name of a feature, a feature in place, or a constant. */
export type Operand = number | string | Feature | ConstantOperand

export interface ConstantOperand<Value extends Constant = Constant> {
  readonly kind: 'constant'
  readonly value: Value
}

type NamesOf<O> = O extends string ? O : O extends DerivedFeature<unknown, infer Names> ? Names : never

/** Of a name alone the type is not known. */
type ResultOf<O> = O extends number
  ? number
  : O extends string
    ? Constant
    : O extends ConstantOperand<infer Value>
      ? Value
      : O extends { readonly valueType?: infer Value }
        ? Exclude<Value, undefined>
        : never

type NumberFeature<O extends readonly Operand[]> = DerivedFeature<number | null, NamesOf<O[number]>>
type FlagFeature<O extends readonly Operand[]> = DerivedFeature<boolean | null, NamesOf<O[number]>>

/** A word, a flag or a number as itself. */
export function constant<const Value extends Constant>(value: Value): ConstantOperand<Value> {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new DefinitionError('constant: not a finite number', 'Use a number that JSON can say.')
  }
  return { kind: 'constant', value }
}

export function add<const O extends readonly Operand[]>(...operands: O): NumberFeature<O> {
  return operation('add', operands)
}

export function subtract<const O extends readonly [Operand, Operand]>(...operands: O): NumberFeature<O> {
  return operation('subtract', operands)
}

export function multiply<const O extends readonly Operand[]>(...operands: O): NumberFeature<O> {
  return operation('multiply', operands)
}

/** Null where the divisor is 0. */
export function divide<const O extends readonly [Operand, Operand]>(...operands: O): NumberFeature<O> {
  return operation('divide', operands)
}

/** The smallest of several features' values; `min` is the one over events. */
export function least<const O extends readonly Operand[]>(...operands: O): NumberFeature<O> {
  return operation('least', operands)
}

export function greatest<const O extends readonly Operand[]>(...operands: O): NumberFeature<O> {
  return operation('greatest', operands)
}

export function absolute<const O extends readonly [Operand]>(...operands: O): NumberFeature<O> {
  return operation('absolute', operands)
}

/** Null below 0. */
export function squareRoot<const O extends readonly [Operand]>(...operands: O): NumberFeature<O> {
  return operation('squareRoot', operands)
}

/** ln(1 + x); null from −1 down. */
export function log1p<const O extends readonly [Operand]>(...operands: O): NumberFeature<O> {
  return operation('log1p', operands)
}

export function above<const O extends readonly [Operand, Operand]>(...operands: O): FlagFeature<O> {
  return operation('above', operands)
}

export function atLeast<const O extends readonly [Operand, Operand]>(...operands: O): FlagFeature<O> {
  return operation('atLeast', operands)
}

export function below<const O extends readonly [Operand, Operand]>(...operands: O): FlagFeature<O> {
  return operation('below', operands)
}

export function atMost<const O extends readonly [Operand, Operand]>(...operands: O): FlagFeature<O> {
  return operation('atMost', operands)
}

/** `equals('lastChannel', constant('app'))` */
export function equals<const O extends readonly [Operand, Operand]>(...operands: O): FlagFeature<O> {
  return operation('equals', operands)
}

export function not<const O extends readonly [Operand]>(...operands: O): FlagFeature<O> {
  return operation('not', operands)
}

/** False where one is false, else null where one is null. */
export function all<const O extends readonly Operand[]>(...operands: O): FlagFeature<O> {
  return operation('all', operands)
}

/** True where one is true, else null where one is null. */
export function any<const O extends readonly Operand[]>(...operands: O): FlagFeature<O> {
  return operation('any', operands)
}

export function isNull<const O extends readonly [Operand]>(...operands: O): FlagFeature<O> {
  return operation('isNull', operands)
}

/** The first that is not null. */
export function coalesce<const O extends readonly Operand[]>(
  ...operands: O
): DerivedFeature<ResultOf<O[number]> | null, NamesOf<O[number]>> {
  return operation('coalesce', operands)
}

/** The second where the first is true, the third where it is false, null where it is null. */
export function when<const O extends readonly [Operand, Operand, Operand]>(
  ...operands: O
): DerivedFeature<ResultOf<O[1] | O[2]> | null, NamesOf<O[number]>> {
  return operation('when', operands)
}

function operation<Value, Names extends string>(
  operator: Operator,
  operands: readonly Operand[],
): DerivedFeature<Value, Names> {
  if (operands.length === 0) throw new DefinitionError(`${operator}: no operand`, 'Give it features or numbers.')
  return { kind: 'derived', expression: { kind: 'operation', operator, operands: operands.map(expressionOf) } }
}

function expressionOf(operand: Operand): Expression {
  if (typeof operand === 'string') return { kind: 'name', name: operand }
  if (typeof operand === 'number') return constant(operand)
  if (operand.kind === 'constant') return operand
  return operand.kind === 'derived' ? operand.expression : { kind: 'feature', feature: operand }
}
