import { describe, expect, it } from 'vitest'
import { compileContracts } from '../../src/event/compile-contracts.ts'
import { event } from '../../src/event/contract.ts'
import { DefinitionError } from '../../src/event/errors.ts'
import { type Field, number, text } from '../../src/event/field.ts'

function withField(field: Field) {
  return event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: { field } })
}

describe('contracts that cannot be right are refused before events flow', () => {
  it.each([
    ['two events of one type', () => compileContracts([withField(text()), withField(text())])],
    ['a default that its own field would refuse', () => compileContracts([withField(number({ default: Number.NaN }))])],
    ['a default beyond its scale', () => compileContracts([withField(number({ scale: 9, default: 1e9 }))])],
    ['a default longer than text may be', () => compileContracts([withField(text({ default: 'x'.repeat(1025) }))])],
    ['a type path that is none', () => compileContracts([], { typePath: 'a..b' })],
    ['a type path into a prototype', () => compileContracts([], { typePath: '__proto__.type' })],
  ])('%s', (_what, compile) => {
    expect(compile).toThrow(DefinitionError)
  })
})
