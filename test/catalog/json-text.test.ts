import fc from 'fast-check'
import { expect, test } from 'vitest'
import { exactJsonText } from '../../src/catalog/json-text.ts'

test('reads back as the same value, to the sign of a zero', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), value => {
      expect(JSON.parse(exactJsonText(value) ?? '')).toEqual(value)
    }),
    { numRuns: 500, examples: [[-0], [[-0, { a: -0 }]], [{ a: [0, -0, 'x', null, true] }]] },
  )
})

test.each<[unknown, string]>([
  [7n, '7'],
  [{ a: [-7n, 1.5] }, '{"a":[-7,1.5]}'],
  [{ a: -0, b: undefined, c: null }, '{"a":-0.0,"c":null}'],
  [{ b: undefined, c: 'é\n"' }, '{"c":"é\\n\\""}'],
  [2n ** 53n - 1n, '9007199254740991'],
])('%o is %s', (value, text) => {
  expect(exactJsonText(value)).toBe(text)
})

const endless: { self?: unknown } = {}
endless.self = endless

test.each<[string, unknown]>([
  ['NaN', Number.NaN],
  ['NaN inside', { a: [1, Number.NaN] }],
  ['an infinity', { a: Number.NEGATIVE_INFINITY }],
  ['an integer that a number does not hold', 2n ** 53n],
  ['one inside', [{ a: -(2n ** 60n) }]],
  ['a date', { at: new Date(0) }],
  ['bytes', { raw: Uint8Array.of(1, 2) }],
  ['a Map', new Map([['a', 1]])],
  ['nothing in a list', [1, undefined]],
  ['nothing at all', undefined],
  ['a function', { a: () => 1 }],
  ['what contains itself', endless],
])('%s is refused', (_, value) => {
  expect(exactJsonText(value)).toBeUndefined()
})
