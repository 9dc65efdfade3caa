import { expect, test } from 'vitest'
import { distributionOf } from '../../src/model/distribution.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { type GivenRows, packArtifact } from '../../src/model/pack.ts'
import { packGraph } from '../../src/model/pack-graph.ts'
import { type Papers, readPapers } from '../../src/model/pack-papers.ts'
import { readArtifact } from '../../src/model/read-artifact.ts'
import { exportBytes, exportOf, featuresOf, PAPERS } from './exports/exports.ts'

const NAME = 'sklearn-logistic'
const maker = exportOf(NAME)
const rowsOf = (): Record<string, number | string>[] =>
  maker.rows.map(row => Object.fromEntries(maker.columns.map((column, index) => [column, row[index] ?? ''])))
const distributions = Object.fromEntries(
  maker.columns.map((name, index) => {
    const column = maker.rows.map(row => Number(row[index]))
    return [name, { distribution: distributionOf([...column, null], 'number'), missing: 0 }]
  }),
)

interface Case {
  readonly papers?: Papers
  readonly golden?: GivenRows
  readonly inputs?: readonly string[]
}

function packed({ papers = PAPERS, golden, inputs = maker.columns }: Case) {
  return packArtifact(packGraph(exportBytes(NAME)), {
    definition: { name: 'churn', inputs },
    features: featuresOf(maker),
    papers,
    golden,
    openSession: openOnnxSession,
  })
}

test('makes golden rows of the distributions, the same ones each time, and the zip is the same bytes', async () => {
  const papers = { ...PAPERS, inputs: distributions }
  const [first, second] = [await packed({ papers }), await packed({ papers })]
  expect(Buffer.from(first.zip).equals(second.zip)).toBe(true)
  const { golden, manifest } = readArtifact(first.zip)
  expect(golden?.synthetic).toBe(true)
  expect(golden?.inputs).toHaveLength(16)
  expect(new Set(golden?.inputs.map(String)).size).toBeGreaterThan(10)
  expect(manifest.inputs.map(({ distribution }) => distribution?.kind)).toEqual([
    'number',
    'number',
    'number',
    'number',
  ])
  expect(manifest.outputs.map(({ name, kind, column, range }) => ({ name, kind, column, range }))).toEqual([
    { name: 'label', kind: 'label', column: 0, range: undefined },
    { name: 'probability', kind: 'number', column: 1, range: [0, 1] },
  ])
})

test("holds the model against what the maker's own predict gave", async () => {
  const probability = (maker.scores ?? []).map(([, second = 0]) => second)
  const right = await packed({ golden: { rows: rowsOf(), outputs: { probability } } })
  expect(right.golden.outputs['probability']).toEqual(probability)
  const wrong = probability.map(each => each + 1e-3)
  await expect(packed({ golden: { rows: rowsOf(), outputs: { probability: wrong } } })).rejects.toMatchObject({
    code: 'golden-differs',
  })
})

test('columns are in the order of the papers, where they list all inputs', async () => {
  const reversed = [...maker.columns].toReversed()
  const inputs = Object.fromEntries(maker.columns.map(name => [name, {}]))
  const { manifest } = await packed({
    inputs: reversed,
    papers: { ...PAPERS, inputs },
    golden: { rows: rowsOf(), outputs: {} },
  })
  expect(manifest.inputs.map(({ name }) => name)).toEqual(maker.columns)
})

test.each<[string, Case, string]>([
  ['papers that are not there', { papers: { owner: 'ana' } }, 'papers-missing'],
  ['papers that are wrong', { papers: { ...PAPERS, when: 'yesterday' } }, 'manifest-invalid'],
  ['papers of another input', { papers: { ...PAPERS, inputs: { other: {} } } }, 'model-inputs-differ'],
  ['fewer inputs than columns', { inputs: maker.columns.slice(1) }, 'model-inputs-differ'],
  ['nothing to make rows of', {}, 'golden-missing'],
  ['rows without an input', { golden: { rows: [{ orders30d: 1 }], outputs: {} } }, 'golden-invalid'],
  ['an output that is none', { golden: { rows: rowsOf(), outputs: { other: [1] } } }, 'golden-invalid'],
])('refuses %s', async (_, given, code) => {
  await expect(packed(given)).rejects.toMatchObject({ code })
})

test('refuses a model that answers a row otherwise alone', async () => {
  const mixing = packArtifact(packGraph(exportBytes(NAME)), {
    definition: { name: 'churn', inputs: maker.columns },
    features: featuresOf(maker),
    papers: PAPERS,
    golden: { rows: rowsOf(), outputs: {} },
    openSession: async (artifact, batchId) => {
      const session = await openOnnxSession(artifact, batchId)
      const outputs = (count: number) => [
        Array.from({ length: count }, () => 0),
        Float64Array.from({ length: count }, () => 1 / count),
      ]
      return { ...session, run: async ({ rowCount }) => ({ outputs: outputs(rowCount), refusals: new Map() }) }
    },
  })
  await expect(mixing).rejects.toMatchObject({ code: 'model-mixes-rows' })
})

test.each([
  ['no JSON', '{'],
  ['a field that packing decides', '{"sha256":"00"}'],
  ['a distribution that is none', '{"inputs":{"a":{"distribution":{"kind":"number"}}}}'],
])('refuses papers that are %s', (_, text) => {
  expect(() => readPapers(text)).toThrow(expect.objectContaining({ code: 'papers-invalid' }))
})
