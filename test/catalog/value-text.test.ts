// Equal values have one text, others have two.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { valueText } from '../../src/catalog/value-text.ts'
import { canonicalJson, type Json } from '../../src/platform/canonical-json.ts'

test('is canonical JSON, in whatever order the keys were written', () => {
  // As JSON writes it, minus zero is zero.
  const values = fc.jsonValue().map(value => JSON.parse(JSON.stringify(value)) as Json)
  fc.assert(
    fc.property(values, value => {
      expect(valueText(value)).toBe(canonicalJson(value))
    }),
  )
  expect(valueText({ b: 1, a: [null, { d: 2, c: 'x' }] })).toBe('{"a":[null,{"c":"x","d":2}],"b":1}')
  expect(valueText({ b: 2n, a: 1n })).toBe('{"a":1,"b":2}')
})

test('tells zero from minus zero, as the checksum of values does', () => {
  expect(valueText(-0)).toBe('-0')
  expect(valueText([{ a: -0 }])).not.toBe(valueText([{ a: 0 }]))
})

test('takes an integer for what it is, however it is held', () => {
  expect(valueText(7n)).toBe(valueText(7))
  expect(valueText(2n ** 60n)).not.toBe(valueText(2n ** 60n + 1n))
  expect(valueText(0n)).toBe(valueText(0))
  expect(valueText('7')).not.toBe(valueText(7))
  expect(valueText(undefined)).toBe(valueText(null))
  expect(valueText('a\tb\n')).not.toMatch(/[\t\n]/)
})
