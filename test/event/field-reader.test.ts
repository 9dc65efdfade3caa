// What a field makes of null, of nothing, and of a word that came later.
import { describe, expect, expectTypeOf, it } from 'vitest'
import type { FieldValue } from '../../src/event/decoded-event.ts'
import { fieldReader } from '../../src/event/field-reader.ts'
import {
  type ChoiceField,
  type ChoiceOptions,
  choice,
  type Field,
  number,
  type ValueOf,
} from '../../src/event/field.ts'
import { PROBLEM, type Problem } from '../../src/event/problem.ts'

function read(field: Field, value: unknown): FieldValue | Problem {
  return fieldReader('visit.field', field)(value)
}

describe('null and absence', () => {
  it.each<readonly [what: string, field: Field, absent: FieldValue | Problem, isNull: FieldValue | Problem]>([
    ['required', number(), PROBLEM.missing, PROBLEM.missing],
    ['optional', number({ optional: true }), null, null],
    ['nullable', number({ nullable: true }), PROBLEM.missing, null],
    ['with a default', number({ default: 5 }), 5, 5],
    ['with a default and nullable', number({ default: 5, nullable: true }), 5, null],
  ])('of a field that is %s', (_what, field, absent, isNull) => {
    expect([read(field, undefined), read(field, null), read(field, 7)]).toEqual([absent, isNull, 7])
  })
})

describe('a word that upstream adds later', () => {
  const channel = choice(['web', 'app'], { unknown: 'other', optional: true })

  it('folds as the declared one, and is refused without', () => {
    const values = ['web', 'fax', '', 'x'.repeat(5000), 'other', null].map(value => read(channel, value))
    expect(values).toEqual(['web', 'other', 'other', 'other', 'other', null])
    expect(read(choice('web', 'app'), 'fax')).toBe(PROBLEM.notChoice)
  })

  it('is still a word: a number is refused', () => {
    expect(read(channel, 7)).toBe(PROBLEM.notChoice)
  })

  it('is one of the words of the field, listed or not', () => {
    expect(channel.values).toEqual(['web', 'app', 'other'])
    expect(choice(['web', 'other'], { unknown: 'other' }).values).toEqual(['web', 'other'])
  })

  it('is part of the type of the value', () => {
    expectTypeOf<ValueOf<typeof channel>>().toEqualTypeOf<'web' | 'app' | 'other'>()
    expectTypeOf(choice(['web', 'app'], { optional: true })).toEqualTypeOf<ChoiceField<'web' | 'app'>>()
    expectTypeOf(choice(['web', 'app'], { default: 'app', unknown: 'web' })).toEqualTypeOf<ChoiceField<'web' | 'app'>>()
    expectTypeOf<NonNullable<ChoiceOptions<'web' | 'app', 'web'>['default']>>().toEqualTypeOf<'web' | 'app'>()
  })
})
