// Coefficients of R as a graph, held against what R's own predict gave for the same rows (test/model/exports/make_glm.R).
import { inflateSync } from 'node:zlib'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readCoefficients, readGoldenRows } from '../../src/cli/model-pack-files.ts'
import { type Coefficient, type FeatureKind, linearGraph, type Link } from '../../src/model/linear-graph.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { packArtifact } from '../../src/model/pack.ts'
import { packCoefficients } from '../../src/model/pack-coefficients.ts'
import { readArtifact } from '../../src/model/read-artifact.ts'
import { sha256Hex } from '../../src/platform/hash.ts'
import { PAPERS } from './exports/exports.ts'

/** The coefficients are written with 15 digits; in 32 bits the answers would be some 1e-7 off. */
const DIFFERENCE_MAX = 1e-10
const KINDS = new Map<string, FeatureKind>([
  ['orders30d', 'number'],
  ['spend90d', 'number'],
  ['gift', 'flag'],
  ['channel', 'text'],
])
const features = new Map([...KINDS].map(([name, type]) => [name, { fingerprint: sha256Hex(name), type }] as const))
const exported = (name: string): string => fileURLToPath(new URL(`exports/${name}`, import.meta.url))

async function packed(coefficients: readonly Coefficient[], link: Link, golden: string) {
  const { graph, finalValues } = packCoefficients(coefficients, link, KINDS)
  return packArtifact(graph, {
    definition: { name: 'churn', inputs: [...KINDS.keys()] },
    features,
    papers: { ...PAPERS, finalValues },
    golden: { ...(await readGoldenRows(exported(golden), KINDS)), tolerance: DIFFERENCE_MAX },
    openSession: openOnnxSession,
  })
}

test.each([
  ['r-glm-logit', 'logit', 'probability'],
  ['r-glm-log', 'log', 'prediction'],
  ['r-lm', 'identity', 'prediction'],
] as const)("%s gives what R's predict gives", async (name, link, output) => {
  const coefficients = await readCoefficients(exported(`${name}.coefficients.csv`))
  const { zip } = await packed(coefficients, link, `${name}.golden.csv`)
  const { manifest, golden, model } = readArtifact(zip)
  expect(golden?.outputs[output]).toHaveLength(40)
  expect(golden?.tolerance).toBe(DIFFERENCE_MAX)
  await openOnnxSession({ manifest, model, ...(golden === undefined ? {} : { golden }) }, 'b')
  const kept = manifest.finalValues
  const values =
    kept !== undefined && 'zlibJson' in kept ? inflateSync(Buffer.from(kept.zlibJson, 'base64')).toString() : ''
  expect(JSON.parse(values)).toEqual(Object.fromEntries(coefficients.map(({ term, estimate }) => [term, estimate])))
})

test('a coefficient that is a little off is another model', async () => {
  const coefficients = await readCoefficients(exported('r-lm.coefficients.csv'))
  const off = coefficients.map(one => (one.term === 'spend90d' ? { ...one, estimate: one.estimate + 1e-6 } : one))
  await expect(packed(off, 'identity', 'r-lm.golden.csv')).rejects.toMatchObject({ code: 'golden-differs' })
})

test('a missing text is a missing answer, as in R, and not the first level', async () => {
  const coefficients = [
    { term: '(Intercept)', estimate: 1 },
    { term: 'channelweb', estimate: 2 },
  ]
  const { graph } = packCoefficients(coefficients, 'identity', KINDS)
  const rows = ['app', 'web'].map(channel => ({ channel }))
  const options = {
    definition: { name: 'churn', inputs: ['channel'] },
    features,
    papers: PAPERS,
    openSession: openOnnxSession,
  }
  const { golden } = await packArtifact(graph, { ...options, golden: { rows, outputs: {} } })
  expect(golden.outputs).toEqual({ prediction: [1, 3] })
  const withMissing = { rows: [...rows, { channel: '' }], outputs: {} }
  await expect(packArtifact(graph, { ...options, golden: withMissing })).rejects.toMatchObject({
    code: 'golden-invalid',
  })
})

test.each(['log(spend90d)', 'giftFALSE', 'spend90d:unknown', 'channel', 'poly(orders30d, 2)1'])(
  'refuses the term %s, which is no feature',
  term => {
    expect(() => linearGraph([{ term, estimate: 1 }], 'identity', KINDS)).toThrow(
      expect.objectContaining({ code: 'coefficients-term', message: expect.stringContaining(term) }),
    )
  },
)

test.each([
  [
    'twice',
    [
      { term: 'gift', estimate: 1 },
      { term: 'gift', estimate: 2 },
    ],
  ],
  ['no number', [{ term: 'gift', estimate: Number.NaN }]],
  ['no term but the intercept', [{ term: '(Intercept)', estimate: 1 }]],
])('refuses coefficients with %s', (words, coefficients) => {
  expect(() => linearGraph(coefficients, 'identity', KINDS)).toThrow(
    expect.objectContaining({ code: 'coefficients-invalid', message: expect.stringContaining(words) }),
  )
})
