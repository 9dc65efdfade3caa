// What a tensor of flags is fed with.
import { expect, test } from 'vitest'
import { feedsOf } from '../../src/model/onnx-binding.ts'
import type { ModelInput } from '../../src/model/artifact-manifest.ts'

test('a flag that is missing is refused, and not fed as false, nor a number as true', () => {
  const gift: ModelInput = { name: 'gift', type: 'flag', fingerprint: 'f', missing: 'nan' }
  const refusals = new Map<number, string>()
  const feeds = feedsOf(
    { kind: 'named', tensors: [{ tensor: 'gift', type: 'bool', isFlat: false }] },
    [gift],
    { rowCount: 4, columns: [Float64Array.of(1, Number.NaN, 0, 2)] },
    (row, what) => void refusals.set(row, what),
  )
  expect(feeds['gift']?.data).toEqual(Uint8Array.of(1, 0, 0, 0))
  expect([...refusals]).toEqual([
    [1, 'gift is NaN, and the model takes flags'],
    [3, 'gift is 2, and the model takes flags'],
  ])
})
