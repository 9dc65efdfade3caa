// Files of public libraries as they come, packed and served, file by file: what was changed, and answers equal to the maker's own.
import { expect, test } from 'vitest'
import { tableOfRows } from '../../src/model/input-table.ts'
import type { ModelSession } from '../../src/model/model-session.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { packArtifact, type PackedArtifact } from '../../src/model/pack.ts'
import { packGraph } from '../../src/model/pack-graph.ts'
import { readArtifact } from '../../src/model/read-artifact.ts'
import { type Export, EXPORTS, exportBytes, exportOf, featuresOf, PAPERS } from './exports/exports.ts'

const DIFFERENCE_MAX = 1e-5

const zipMap = (output: string, source: string, classes: string) =>
  `Took out the ZipMap behind the output ${output}: the tensor ${source} that it was given is the output now, a column for each of ${classes}.`

/** Nothing changed where nothing is listed. */
const CHANGES: Readonly<Record<string, readonly string[]>> = {
  'lightgbm-classifier': [zipMap('probabilities', 'lgbmprobabilities', '0, 1')],
  'sklearn-boosting': [zipMap('output_probability', 'proba_output', '0, 1')],
  'sklearn-imputer': [zipMap('output_probability', 'probabilities', '0, 1')],
  'sklearn-logistic': [zipMap('output_probability', 'probabilities', '0, 1')],
  'sklearn-mlp': [zipMap('output_probability', 'probabilities', '0, 1')],
  'sklearn-named': [zipMap('output_probability', 'probabilities', 'high, low, middle')],
  'sklearn-one-row': [
    zipMap('output_probability', 'probabilities', '0, 1'),
    'Opened the number of rows of X, which was fixed at 1.',
  ],
  'sklearn-string-labels': [zipMap('output_probability', 'probabilities', 'high, low, middle')],
}

test('there are as many files as there are said to be', () => {
  expect(EXPORTS.length).toBe(20)
})

/** Why a file is refused. */
const REFUSED: Readonly<Record<string, string>> = { 'sklearn-named-double': 'model-unloadable' }

test.each(Object.entries(REFUSED))('%s is refused as %s', async (name, code) => {
  await expect(packExport(name)).rejects.toMatchObject({ code })
})

test.each(EXPORTS.filter(name => !Object.hasOwn(REFUSED, name)))(
  '%s is packed and gives what its maker gives',
  async name => {
    const maker = exportOf(name)
    const graph = packGraph(exportBytes(name))
    expect(graph.changes).toEqual(CHANGES[name] ?? [])
    const { zip } = await packExport(name)
    const artifact = readArtifact(zip)
    expect(artifact.manifest.changes).toEqual(graph.changes)
    const session = await openOnnxSession(artifact, 'b')
    const table = maker.rows.map(row => row.map(cell => (cell === 'nan' ? Number.NaN : cell)))
    const run = await session.run(tableOfRows(table, maker.columns.length))
    expect(run.refusals.size).toBe(0)
    expect(compared(session, run.outputs, maker)).toBeGreaterThanOrEqual(maker.rows.length)
  },
)

function packExport(name: string): Promise<PackedArtifact> {
  const maker = exportOf(name)
  const rows = maker.rows.map(row =>
    Object.fromEntries(maker.columns.map((column, index) => [column, row[index] ?? ''])),
  )
  return packArtifact(packGraph(exportBytes(name)), {
    definition: { name: 'churn', inputs: maker.columns },
    features: featuresOf(maker),
    papers: PAPERS,
    golden: { rows, outputs: {} },
    openSession: openOnnxSession,
  })
}

/** How many answers were held against the maker's. */
function compared({ manifest }: ModelSession, outputs: readonly ArrayLike<unknown>[], maker: Export): number {
  let count = 0
  const close = (actual: unknown, expected: number | undefined): void => {
    count++
    expect(Math.abs(Number(actual) - (expected ?? Number.NaN))).toBeLessThanOrEqual(DIFFERENCE_MAX)
  }
  for (const [index, { kind, name, tensor }] of manifest.outputs.entries()) {
    for (let row = 0; row < maker.rows.length; row++) {
      const actual = outputs[index]?.[row]
      if (kind === 'label') expect(String(actual)).toBe(String(maker.label?.[row]))
      else if (maker.scores === undefined) close(actual, maker.value?.[row])
      else if (kind === 'scores') {
        for (const [at, each] of (maker.classes ?? []).entries()) {
          close((actual as Record<string, number>)[each], maker.scores[row]?.[at])
        }
      } else {
        const own = (maker.classes ?? []).findIndex(each => tensor.endsWith(each))
        close(actual, maker.scores[row]?.[name === 'probability' ? 1 : own])
      }
    }
  }
  return count
}
