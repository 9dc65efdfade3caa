import { deflateSync, inflateSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { ManifestInput } from '../../src/model/artifact-manifest.ts'
import { modelSizes } from '../../src/model/model-sizes.ts'
import { artifactOf } from './factories.ts'

const sizesWith = (finalValues: ManifestInput['finalValues']) =>
  modelSizes(artifactOf('wide', finalValues === undefined ? {} : { finalValues }))

test('tells the size of the file by encoding', () => {
  const { model } = artifactOf('wide')
  const [own, ...more] = sizesWith(undefined)
  expect(more).toEqual([])
  expect(own).toMatchObject({
    what: 'model.onnx',
    raw: model.byteLength,
    json: Math.ceil(model.byteLength / 3) * 4 + 2,
  })
  expect(inflateSync(deflateSync(model)).equals(model)).toBe(true)
  expect(own?.zlib).toBe(deflateSync(model).byteLength)
  expect(own?.zlibJson).toBeLessThan(own?.json ?? 0)
})

test('tells the size of final values: as numbers, as JSON by name, and of many the numbers alone', () => {
  const json = JSON.stringify(Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`input ${index}`, index])))
  const stored = deflateSync(json)
  expect(sizesWith({ zlibJson: stored.toString('base64') })[1]).toEqual({
    what: 'final values',
    raw: 800,
    zlib: deflateSync(new Uint8Array(Float64Array.from({ length: 100 }, (_, index) => index).buffer)).byteLength,
    json: json.length,
    zlibJson: stored.byteLength,
  })
  const many = { what: 'final values', raw: 8_000_000, zlib: null, json: null, zlibJson: null }
  expect(sizesWith({ sha256: 'a'.repeat(64), count: 1_000_000 })[1]).toEqual(many)
})

test.each([
  ['is no zlib', Buffer.from('text')],
  ['is no JSON', deflateSync('text')],
  ['inflates without end', deflateSync(Buffer.alloc(20_000_000, 32))],
])('does not fail over a value that %s', (_, bytes) => {
  expect(sizesWith({ zlibJson: bytes.toString('base64') })[1]).toMatchObject({ raw: null, zlibJson: bytes.byteLength })
})
