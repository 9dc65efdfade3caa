import fc from 'fast-check'
import { strToU8, zipSync } from 'fflate'
import { expect, test } from 'vitest'
import { ModelError } from '../../src/model/errors.ts'
import { type Artifact, readArtifact } from '../../src/model/read-artifact.ts'
import { artifactOf, manifestOf, zipOf } from './factories.ts'

const artifact = artifactOf('wide')
const manifestFile = strToU8(JSON.stringify(artifact.manifest))
const codeIs = (code: string) => expect.objectContaining({ code })

test('reads manifest and model', () => {
  expect(readArtifact(zipOf(artifact))).toEqual(artifact)
})

test('leaves alone whatever else is in the zip, wherever its name points', () => {
  const zip = zipSync({
    '../../etc/cron.d/evil': strToU8('x'),
    '/abs/model.onnx': strToU8('x'),
    'train.py': strToU8('print()'),
    'manifest.json': manifestFile,
    'model.onnx': artifact.model,
  })
  expect(readArtifact(zip)).toEqual(artifact)
})

test('refuses a zip without one of the two', () => {
  expect(() => readArtifact(zipSync({ 'manifest.json': manifestFile }))).toThrow(codeIs('artifact-invalid'))
  expect(() => readArtifact(zipSync({ 'model.onnx': artifact.model }))).toThrow(codeIs('artifact-invalid'))
  const inFolder = zipSync({ artifact: { 'manifest.json': manifestFile, 'model.onnx': artifact.model } })
  expect(() => readArtifact(inFolder)).toThrow(codeIs('artifact-invalid'))
})

test('refuses another model than the one in the papers', () => {
  const other = artifact.model.slice()
  other[other.length - 1] = (other.at(-1) ?? 0) ^ 1
  expect(() => readArtifact(zipOf({ ...artifact, model: other }))).toThrow(codeIs('artifact-hash'))
  const longer = { ...artifact.manifest, bytes: artifact.manifest.bytes + 1 }
  expect(() => readArtifact(zipOf({ ...artifact, manifest: longer }))).toThrow(codeIs('artifact-hash'))
})

test('refuses a file that inflates more than 200 times, before inflating it', () => {
  const zeros = new Uint8Array(2_000_000)
  const bomb = zipOf({ manifest: manifestOf(zeros), model: zeros })
  expect(bomb.byteLength).toBeLessThan(5_000)
  expect(() => readArtifact(bomb)).toThrow(codeIs('artifact-too-big'))
})

test('refuses a size over the limit by the claim alone, and a claim that is a lie', () => {
  const zip = zipSync({ 'manifest.json': manifestFile, 'model.onnx': artifact.model }, { level: 0 })
  const lie = (bytes: number) => withOriginalSize(zip, 'model.onnx', bytes)
  expect(() => readArtifact(lie(2 ** 31))).toThrow(codeIs('artifact-too-big'))
  expect(() => readArtifact(lie(artifact.model.length - 1))).toThrow(codeIs('artifact-invalid'))
  const deflated = zipOf(artifact)
  expect(() => readArtifact(withOriginalSize(deflated, 'model.onnx', artifact.model.length - 1))).toThrow(ModelError)
})

test('refuses a thousand files and a file twice', () => {
  const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`file${index}`, new Uint8Array(1)]))
  expect(() => readArtifact(zipSync(many))).toThrow(codeIs('artifact-too-big'))
  // The same length, so that the name can be exchanged in place.
  const twice = zipSync({ 'manifest.json': manifestFile, 'model.onnx': artifact.model, 'model.0nnx': artifact.model })
  const renamed = Buffer.from(Buffer.from(twice).toString('latin1').replaceAll('model.0nnx', 'model.onnx'), 'latin1')
  expect(() => readArtifact(renamed)).toThrow(codeIs('artifact-invalid'))
})

test('whatever is cut off or flipped, it reads the same artifact or throws a ModelError', () => {
  const zip = zipOf(artifact)
  const outcome = (bytes: Uint8Array) => {
    try {
      return readArtifact(bytes)
    } catch (error) {
      return error
    }
  }
  fc.assert(
    fc.property(fc.nat({ max: zip.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const flipped = zip.slice()
      flipped[at] = (flipped[at] ?? 0) ^ change
      for (const bytes of [flipped, zip.subarray(0, at)]) {
        const result = outcome(bytes)
        if (result instanceof ModelError) continue
        expect(Buffer.from((result as Artifact).model).equals(artifact.model)).toBe(true)
      }
    }),
    { numRuns: 200 },
  )
})

/** Sets the inflated size that the zip's directory claims for a file (APPNOTE.TXT 4.3.12: 24 bytes into the header). */
function withOriginalSize(zip: Uint8Array, name: string, bytes: number): Uint8Array {
  const changed = Buffer.from(zip)
  const at = changed.lastIndexOf(name) - 46
  expect(changed.readUInt32LE(at)).toBe(0x02014b50)
  changed.writeUInt32LE(bytes >>> 0, at + 24)
  return changed
}
