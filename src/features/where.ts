// Filters as data: `{ channel: 'app', amount: { above: 100 } }`. A filter can be hashed, shown and read from Python; a closure
// cannot.
import type { EventContract } from '../event/contract.ts'
import type { FieldValue } from '../event/decoded-event.ts'
import { DefinitionError } from '../event/errors.ts'
import type { Field, FlagField, NumberField, ValueOf } from '../event/field.ts'
import { byCodePoint } from '../platform/canonical-json.ts'

export interface Comparison {
  readonly above?: number
  readonly atLeast?: number
  readonly below?: number
  readonly atMost?: number
}

/** A number or a comparison, a flag, a word, or any of several words. */
export type Condition<F extends Field> = F extends NumberField
  ? number | Comparison
  : F extends FlagField
    ? boolean
    : ValueOf<F> | readonly ValueOf<F>[]

export type Where<E extends EventContract> = { readonly [Name in keyof E['fields']]?: Condition<E['fields'][Name]> }

export type Operator = 'is' | 'in' | keyof Comparison

/** One condition, normalised: numbers at their field's scale. All terms of a filter must hold. */
export interface Term {
  readonly field: string
  readonly operator: Operator
  readonly value: number | string | boolean | readonly string[]
}

const COMPARISONS: readonly (keyof Comparison)[] = ['above', 'atLeast', 'below', 'atMost']

/** Terms sorted by field and operator, so that the order of writing does not change a fingerprint. Throws DefinitionError. */
export function normaliseWhere(
  event: EventContract,
  where: Readonly<Record<string, unknown>> | undefined,
): readonly Term[] {
  if (where === undefined) return []
  const terms = Object.entries(where).flatMap(([name, condition]) => {
    const field = event.fields[name]
    if (field === undefined) throw refuse(event, name, 'is not a field of the event')
    return condition === undefined ? [] : termsOf(event, name, field, condition)
  })
  return terms.sort((a, b) => byCodePoint(`${a.field} ${a.operator}`, `${b.field} ${b.operator}`))
}

export function holds(terms: readonly Term[], fields: ReadonlyMap<string, FieldValue>): boolean {
  for (const term of terms) {
    const value = fields.get(term.field)
    if (value === null || value === undefined || !termHolds(term, value)) return false
  }
  return true
}

function termHolds(term: Term, value: number | string | boolean): boolean {
  switch (term.operator) {
    case 'is':
      return value === term.value
    case 'in':
      return (term.value as readonly unknown[]).includes(value)
    case 'above':
      return (value as number) > (term.value as number)
    case 'atLeast':
      return (value as number) >= (term.value as number)
    case 'below':
      return (value as number) < (term.value as number)
    case 'atMost':
      return (value as number) <= (term.value as number)
  }
}

function termsOf(event: EventContract, name: string, field: Field, condition: unknown): Term[] {
  if (field.kind === 'number') return numberTerms(event, name, field, condition)
  if (field.kind === 'flag') {
    if (typeof condition !== 'boolean') throw refuse(event, name, 'is a flag: true or false')
    return [{ field: name, operator: 'is', value: condition }]
  }
  const words = Array.isArray(condition) ? (condition as unknown[]) : [condition]
  const isEmpty = words.length === 0
  for (const word of words) {
    const isWord = typeof word === 'string' && (field.kind === 'text' || field.values.includes(word))
    if (!isWord) throw refuse(event, name, 'is compared with something it can never be')
  }
  if (isEmpty) throw refuse(event, name, 'is compared with an empty list')
  const sorted = [...(words as string[])].sort(byCodePoint)
  const [only] = sorted
  return sorted.length === 1 && only !== undefined
    ? [{ field: name, operator: 'is', value: only }]
    : [{ field: name, operator: 'in', value: sorted }]
}

function numberTerms(event: EventContract, name: string, field: NumberField, condition: unknown): Term[] {
  if (typeof condition === 'number')
    return [{ field: name, operator: 'is', value: atScale(event, name, field, condition) }]
  if (typeof condition !== 'object' || condition === null) throw refuse(event, name, 'is a number or a comparison')
  const entries = Object.entries(condition as Record<string, unknown>)
  if (entries.length === 0) throw refuse(event, name, 'has an empty comparison')
  return entries.map(([operator, value]) => {
    const isComparison = (COMPARISONS as readonly string[]).includes(operator)
    if (!isComparison || typeof value !== 'number')
      throw refuse(event, name, `has no comparison "${operator}" with a number`)
    return { field: name, operator: operator as keyof Comparison, value: atScale(event, name, field, value) }
  })
}

function atScale(event: EventContract, name: string, field: NumberField, value: number): number {
  if (!Number.isFinite(value)) throw refuse(event, name, 'is compared with a number that is not finite')
  if (field.scale === undefined) return value
  // 0.29 × 100 is 28.999999999999996: through the decimal text it is 29.
  return Number(`${value}e${field.scale}`) || value * 10 ** field.scale
}

function refuse(event: EventContract, name: string, what: string): DefinitionError {
  return new DefinitionError(`where: ${event.type}.${name} ${what}`, `Fields: ${Object.keys(event.fields).join(', ')}.`)
}
