// One reader per field of a contract: what its kind takes, and what becomes of an absent value, of null and of an unknown word.
import type { FieldValue } from './decoded-event.ts'
import { DefinitionError } from './errors.ts'
import type { ChoiceField, Field } from './field.ts'
import { isLongerThan } from './identity.ts'
import { TEXT_BYTES_MAX } from './limits.ts'
import { isProblem, PROBLEM, type Problem } from './problem.ts'
import { scaledInteger } from './scaled-decimal.ts'

export type ReadField = (value: unknown) => FieldValue | Problem

/** Throws DefinitionError where the field's default breaks its own rule. `where` names the field for people. */
export function fieldReader(where: string, field: Field): ReadField {
  const readPresent = presentReader(field)
  const absent = absentValue(where, field, readPresent)
  if (field.nullable) return value => (value === undefined ? absent : value === null ? null : readPresent(value))
  return value => (value === undefined || value === null ? absent : readPresent(value))
}

function absentValue(where: string, field: Field, readPresent: ReadField): FieldValue | Problem {
  if (field.default === undefined) return field.optional ? null : PROBLEM.missing
  const value = readPresent(field.default)
  if (isProblem(value)) {
    throw new DefinitionError(
      `The default of ${where} ${value.problem}`,
      'Give a default that the field itself would take.',
    )
  }
  return value
}

function presentReader(field: Field): ReadField {
  switch (field.kind) {
    case 'number':
      return field.scale === undefined ? readNumber : scaledReader(field.scale)
    case 'text':
      return readText
    case 'choice':
      return choiceReader(field)
    case 'flag':
      return value => (typeof value === 'boolean' ? value : PROBLEM.notFlag)
  }
}

/** JSON has no NaN, but 1e400 parses to Infinity. Adding 0 turns −0 into 0. */
function readNumber(value: unknown): number | Problem {
  if (typeof value !== 'number') return PROBLEM.notNumber
  return Number.isFinite(value) ? value + 0 : PROBLEM.notFinite
}

function scaledReader(scale: number): ReadField {
  return value => {
    const plain = readNumber(value)
    return typeof plain === 'number' ? (scaledInteger(plain, scale) ?? PROBLEM.tooManyDigits) : plain
  }
}

function readText(value: unknown): string | Problem {
  if (typeof value !== 'string') return PROBLEM.notText
  return isLongerThan(value, TEXT_BYTES_MAX) ? PROBLEM.textTooLong : value
}

function choiceReader({ values, unknown }: ChoiceField): ReadField {
  const words: ReadonlySet<string> = new Set(values)
  const otherwise = unknown ?? PROBLEM.notChoice
  return value => (typeof value !== 'string' ? PROBLEM.notChoice : words.has(value) ? value : otherwise)
}
