import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { strToU8, zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { ModelError } from '../../src/model/errors.ts'
import { readArtifact, readExtra } from '../../src/model/read-artifact.ts'
import { artifactOf, zipOf } from './factories.ts'
import { goldenText, papers, papersZip, SCRIPT } from './papers.ts'
import { rawZip } from './zip-writer.ts'

const artifact = artifactOf('wide')
const manifestFile = strToU8(JSON.stringify(artifact.manifest))
const codeIs = (code: string) => expect.objectContaining({ code })
const textOf = (files: ReadonlyMap<string, Uint8Array>) =>
  Object.fromEntries([...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString()]))

describe('an artifact of format 1', () => {
  test('gives manifest and model', () => {
    expect(readArtifact(zipOf(artifact))).toEqual(artifact)
  })

  test('may have other files beside the two, of which nothing is taken', () => {
    const zip = zipSync({
      'train.py': strToU8('print()'),
      'golden.json': strToU8('not even JSON'),
      docs: { 'a.txt': strToU8('a') },
      'manifest.json': manifestFile,
      'model.onnx': artifact.model,
    })
    expect(readArtifact(zip)).toEqual(artifact)
    expect(readExtra(zip).size).toBe(0)
  })

  test('is read as the release 0.1 stored it', () => {
    for (const path of released()) {
      const zip = readFileSync(new URL(`../../${path}`, import.meta.url))
      expect(readArtifact(zip).manifest.formatVersion, path).toBe(1)
    }
  })
})

describe('an artifact of format 2', () => {
  test('gives golden rows, and what is under extra/ to who asks for it', () => {
    const zip = papersZip({ extra: { 'extra/train.py': SCRIPT, 'extra/data/notes.md': '# Notes' } })
    expect(readArtifact(zip)).toMatchObject({ manifest: { formatVersion: 2 }, golden: JSON.parse(goldenText()) })
    expect(textOf(readExtra(zip))).toEqual({ 'train.py': SCRIPT, 'data/notes.md': '# Notes' })
  })

  test('may be stored, have folders of its own, and sizes behind its files', () => {
    const [first, ...others] = papers()
    const zip = rawZip({
      entries: [
        { ...first, name: 'manifest.json', sizesBehind: true },
        ...others.map(entry => ({ ...entry, method: 0 })),
        { name: 'extra/', method: 0, mode: 0o040755 },
      ],
    })
    expect(readArtifact(zip)).toEqual(readArtifact(papersZip()))
  })
})

test('refuses a zip without one of the two, and one with both in a folder', () => {
  expect(() => readArtifact(zipSync({ 'manifest.json': manifestFile }))).toThrow(codeIs('artifact-file-missing'))
  expect(() => readArtifact(zipSync({ 'model.onnx': artifact.model }))).toThrow(codeIs('artifact-file-missing'))
  const inFolder = zipSync({ artifact: { 'manifest.json': manifestFile, 'model.onnx': artifact.model } })
  expect(() => readArtifact(inFolder)).toThrow(codeIs('artifact-file-missing'))
})

test('refuses another model than the one in the papers', () => {
  const other = artifact.model.slice()
  other[other.length - 1] = (other.at(-1) ?? 0) ^ 1
  expect(() => readArtifact(zipOf({ ...artifact, model: other }))).toThrow(codeIs('artifact-hash'))
  const longer = { ...artifact.manifest, bytes: artifact.manifest.bytes + 1 }
  expect(() => readArtifact(zipOf({ ...artifact, manifest: longer }))).toThrow(codeIs('artifact-hash'))
})

/** All that an artifact can say; equal where these are. */
const said = (zip: Uint8Array) => ({ artifact: readArtifact(zip), extra: textOf(readExtra(zip)) })

function saidOrRefused(zip: Uint8Array): ReturnType<typeof said> | undefined {
  try {
    return said(zip)
  } catch (error) {
    expect(error).toBeInstanceOf(ModelError)
    return undefined
  }
}

test('whatever is cut off, flipped, exchanged or put in, it reads the same artifact or throws a ModelError', () => {
  const zip = papersZip()
  const whole = said(zip)
  const place = fc.nat({ max: zip.length - 1 })
  const flip = fc.tuple(place, fc.integer({ min: 1, max: 255 })).map(([at, change]) => {
    const flipped = zip.slice()
    flipped[at] = (flipped[at] ?? 0) ^ change
    return flipped
  })
  const cut = place.map(at => zip.subarray(0, at))
  const exchanged = fc.tuple(place, place, fc.nat({ max: 64 })).map(([from, to, length]) => {
    const changed = zip.slice()
    changed.copyWithin(to, from, from + length)
    return changed
  })
  const putIn = fc
    .tuple(place, fc.uint8Array({ minLength: 1, maxLength: 40 }))
    .map(([at, bytes]) => Uint8Array.from([...zip.subarray(0, at), ...bytes, ...zip.subarray(at)]))
  const manifestAt = fc
    .tuple(fc.nat({ max: 45 }), fc.nat({ max: 255 }), fc.nat({ max: 3 }))
    .map(([at, byte, entry]) => {
      const changed = Buffer.from(zip)
      let header = -1
      for (let index = 0; index <= entry; index++) header = changed.indexOf('PK\u0001\u0002', header + 1, 'latin1')
      changed[header + at] = byte
      return Uint8Array.from(changed)
    })
  fc.assert(
    fc.property(fc.oneof(flip, cut, exchanged, putIn, manifestAt), changed => {
      const result = saidOrRefused(changed)
      if (result !== undefined) expect(result).toEqual(whole)
    }),
    { numRuns: 1_000 },
  )
})

test('whatever bytes come, it throws a ModelError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      expect(saidOrRefused(bytes)).toBeUndefined()
    }),
  )
})

/** Model artifacts that the release 0.1 stored. */
function released(): string[] {
  const folder = 'test/goldens/0.1/stored/catalog/models/churn/production'
  return ['20260102120005-f2cr961d', '20260102120009-qerz7r4a'].map(batch => `${folder}/${batch}/part-model.zip`)
}
