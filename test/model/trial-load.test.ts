import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { ModelSession } from '../../src/model/model-session.ts'
import { type Artifact, readArtifact } from '../../src/model/read-artifact.ts'
import { type TrialLimits, trialLoad, tryThenOpen } from '../../src/model/trial-load.ts'
import { rssBytesOf } from '../../src/model/trial-memory.ts'
import { artifactOf, manifestOf } from './factories.ts'
import { goldenText, papersZip } from './papers.ts'

const MB = 1_048_576
const SCORE = { name: 'score', tensor: 'score', column: 0 }

/** Of make-fixtures.py in hostile-fixtures/. */
function harmful(fixture: string): Artifact {
  const file = readFileSync(new URL(`hostile-fixtures/${fixture}.onnx`, import.meta.url))
  const model = Uint8Array.from(file)
  const zeros = manifestOf(model).inputs.map(input => ({ ...input, missing: 0 }))
  return { manifest: manifestOf(model, { inputs: zeros, outputs: [SCORE] }), model }
}

const processFile = (name: string) => fileURLToPath(new URL(`trial-processes/${name}.mjs`, import.meta.url))

describe('a trial', () => {
  test('says how much memory a good model took, golden rows included', async () => {
    const trial = await trialLoad(readArtifact(papersZip()))
    expect(trial.rssBytesMax).toBeGreaterThan(20 * MB)
    expect(trial.rssBytesMax).toBeLessThan(1_000 * MB)
  })

  test('throws what opening throws, with its code and its next step', async () => {
    await expect(trialLoad(artifactOf('external'))).rejects.toMatchObject({
      name: 'ModelError',
      code: 'model-external-data',
      next: expect.stringContaining('save_as_external_data=False'),
    })
    const off = papersZip({ golden: goldenText({ outputs: { probability: [0.5, 0.6] } }) })
    await expect(trialLoad(readArtifact(off))).rejects.toMatchObject({ code: 'golden-differs' })
  })

  const harm: readonly [string, string, Partial<TrialLimits>, string][] = [
    ['fills gigabytes when it runs', 'memory', { rssBytes: 400 * MB }, 'model-too-much-memory'],
    ['asks for more than there is', 'terabytes', {}, 'model-too-much-memory'],
    ['does not end', 'loop', { trialMs: 2_000 }, 'model-too-slow'],
  ]
  test.each(harm)('refuses a model that %s', async (_, fixture, limits, code) => {
    await expect(trialLoad(harmful(fixture), { limits })).rejects.toMatchObject({ name: 'ModelError', code })
  })

  test('outlives a model that brings down its process while it is loaded', async () => {
    const trial = trialLoad(harmful('divide')).catch((error: unknown) => error)
    // The division traps on x86; elsewhere it has a result, and the model is none the worse.
    if (process.arch === 'x64') expect(await trial).toMatchObject({ code: 'model-crashed' })
    else expect(await trial).toMatchObject({ rssBytesMax: expect.any(Number) })
  })

  test.each([
    ['is killed', 'abort', 'model-crashed'],
    ['ends without a word', 'exit', 'model-crashed'],
    ['has no heap left', 'heap', 'model-too-much-memory'],
    ['says nothing', 'silent', 'model-too-slow'],
  ])('refuses a model whose process %s', async (_, name, code) => {
    const limits = { heapBytes: 32 * MB, trialMs: name === 'silent' ? 1_000 : 20_000 }
    const trial = trialLoad(artifactOf('wide'), { processFile: processFile(name), limits })
    await expect(trial).rejects.toMatchObject({ code })
  })

  test('counts memory that was given back before anybody looked', async () => {
    const trial = trialLoad(artifactOf('wide'), { processFile: processFile('gave-back') })
    await expect(trial).rejects.toMatchObject({ code: 'model-too-much-memory' })
  })

  test('gives the process none of our variables', async () => {
    process.env['AWS_SECRET_ACCESS_KEY'] = 'secret'
    try {
      const trial = trialLoad(artifactOf('wide'), { processFile: processFile('tells-variables') })
      await expect(trial).rejects.toMatchObject({ code: 'told', message: expect.not.stringContaining('AWS') })
    } finally {
      delete process.env['AWS_SECRET_ACCESS_KEY']
    }
  })
})

test('opens here only what has passed there', async () => {
  const opened: string[] = []
  const open = tryThenOpen(async ({ manifest }, batchId): Promise<ModelSession> => {
    opened.push(batchId)
    return { name: manifest.name, batchId, manifest, run: async () => ({ outputs: [], refusals: new Map() }) }
  })
  await open(artifactOf('wide'), 'good')
  await expect(open(artifactOf('custom'), 'bad')).rejects.toMatchObject({ code: 'model-domain' })
  expect(opened).toEqual(['good'])
})

test('knows the memory of a process that is there, and nothing of one that is gone', async () => {
  expect(await rssBytesOf(process.pid)).toBeGreaterThan(10 * MB)
  expect(await rssBytesOf(2 ** 30)).toBeUndefined()
})
