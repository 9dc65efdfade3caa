import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkOutputs, shortestFloat32 } from '../../src/model/check-outputs.ts'

const probability = { name: 'p', kind: 'number' as const, tensor: 'p', column: 0, range: [0, 1] as [number, number] }
const score = { name: 'score', kind: 'number' as const, tensor: 'score', column: 0 }

test('refuses the rows, and only those, with a value that is not finite or out of range', () => {
  const run = checkOutputs(
    [probability, score],
    [Float64Array.of(0.5, 1.1, 0, Number.NaN, -1, 1), Float64Array.of(-9, 9, Number.NEGATIVE_INFINITY, 0, 0, 1e30)],
  )
  expect([...run.refusals]).toEqual([
    [1, 'p is 1.1, outside 0 to 1'],
    [3, 'p is NaN'],
    [4, 'p is -1, outside 0 to 1'],
    [2, 'score is -Infinity'],
  ])
})

test('refuses a label that is no number and no text: JSON would make null of it', () => {
  const label = { name: 'label', kind: 'label' as const, tensor: 'label', column: 0 }
  expect([...checkOutputs([label], [[1, Number.NaN, 'b', -0]]).refusals]).toEqual([[1, 'label is NaN']])
})

test('takes rounding of 32 bits for the bound itself, and no more', () => {
  const run = checkOutputs([probability], [Float64Array.of(1.0000001, -1e-7, 1.000002)])
  expect([...(run.outputs[0] ?? [])].slice(0, 2)).toEqual([1, 0])
  expect([...run.refusals.keys()]).toEqual([2])
})

test('the shortest decimal is the same 32-bit value, in at most nine digits', () => {
  expect(shortestFloat32(Math.fround(0.2))).toBe(0.2)
  expect(shortestFloat32(Math.fround(1 / 3))).toBe(0.33333334)
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), value => {
      const short = shortestFloat32(value)
      expect(Math.fround(short) === value).toBe(true)
      expect(short.toExponential().replace(/e.*$/, '').replace(/\D/g, '').length).toBeLessThanOrEqual(9)
    }),
  )
})
