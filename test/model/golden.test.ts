import { describe, expect, test } from 'vitest'
import type { ManifestInput } from '../../src/model/artifact-manifest.ts'
import { checkOutputs } from '../../src/model/check-outputs.ts'
import { checkGolden, readGolden } from '../../src/model/golden.ts'
import type { InputTable } from '../../src/model/input-table.ts'
import type { ModelSession, OutputColumn } from '../../src/model/model-session.ts'
import { inputs, manifestOf, onnxFile } from './factories.ts'

type Outputs = ManifestInput['outputs']
const RANGED: Outputs = [{ name: 'p', tensor: 't', range: [0, 1] }]
const LABELLED: Outputs = [{ name: 'kind', kind: 'label', tensor: 't', classes: ['a', 'b'] }]
const SCORED: Outputs = [{ name: 's', kind: 'scores', tensor: 't', classes: ['x', 'y'], range: [0, 1] }]

interface Case {
  readonly outputs: Outputs
  /** What the model gives for two rows. */
  readonly column: OutputColumn
  readonly refusals?: ReadonlyMap<number, string>
}

/** A model that gives what a test wants, and keeps what it was asked. */
function sessionOf({ outputs, column, refusals = new Map() }: Case): ModelSession & { asked: InputTable[] } {
  const manifest = manifestOf(onnxFile('wide'), { inputs: inputs('a', 'b'), outputs })
  const asked: InputTable[] = []
  const run: ModelSession['run'] = async table => {
    asked.push(table)
    return checkOutputs(manifest.outputs, [column], new Map(refusals))
  }
  return { name: 'churn', batchId: 'v', manifest, run, asked }
}

const golden = (outputs: Record<string, readonly unknown[]>, more: Record<string, unknown> = {}) =>
  readGolden(
    new TextEncoder().encode(
      JSON.stringify({
        formatVersion: 1,
        inputs: [
          [1, 2],
          ['nan', 4],
        ],
        outputs,
        ...more,
      }),
    ),
  )

describe('golden rows', () => {
  test.each<[string, Case, Record<string, readonly unknown[]>]>([
    ['numbers', { outputs: RANGED, column: Float64Array.of(0.5, 0.25) }, { p: [0.500001, 0.25] }],
    ['labels', { outputs: LABELLED, column: ['a', 'b'] }, { kind: ['a', 'b'] }],
    [
      'scores',
      {
        outputs: SCORED,
        column: [
          { x: 0.1, y: 0.9 },
          { x: 1, y: 0 },
        ],
      },
      {
        s: [
          { x: 0.1, y: 0.9 },
          { x: 1, y: 0 },
        ],
      },
    ],
  ])('hold where %s are what they were', async (_, given, promised) => {
    const session = sessionOf(given)
    await checkGolden(session, golden(promised))
    expect(session.asked).toEqual([{ rowCount: 2, columns: [Float64Array.of(1, Number.NaN), Float64Array.of(2, 4)] }])
  })

  test.each<[string, Case, Record<string, readonly unknown[]>, string]>([
    [
      'a number off by more than the tolerance',
      { outputs: RANGED, column: Float64Array.of(0.5, 0.25) },
      { p: [0.5, 0.26] },
      'golden-differs',
    ],
    ['another label', { outputs: LABELLED, column: ['a', 'b'] }, { kind: ['a', 'a'] }, 'golden-differs'],
    [
      'a score that is missing',
      {
        outputs: SCORED,
        column: [
          { x: 0.1, y: 0.9 },
          { x: 1, y: 0 },
        ],
      },
      { s: [{ x: 0.1, y: 0.9 }, { x: 1 }] },
      'golden-differs',
    ],
    ['NaN', { outputs: RANGED, column: Float64Array.of(0.5, Number.NaN) }, { p: [0.5, 0.25] }, 'golden-not-finite'],
    [
      'NaN as a score',
      {
        outputs: SCORED,
        column: [
          { x: Number.NaN, y: 0 },
          { x: 1, y: 0 },
        ],
      },
      { s: [] },
      'golden-not-finite',
    ],
    [
      'infinity',
      { outputs: [{ name: 'p', tensor: 't' }], column: Float64Array.of(0.5, -1 / 0) },
      { p: [0.5, 0.25] },
      'golden-not-finite',
    ],
    [
      'a number out of its range',
      { outputs: RANGED, column: Float64Array.of(1.5, 0.25) },
      { p: [1.5, 0.25] },
      'golden-out-of-range',
    ],
    [
      'a score out of its range',
      {
        outputs: SCORED,
        column: [
          { x: 2, y: 0 },
          { x: 1, y: 0 },
        ],
      },
      { s: [] },
      'golden-out-of-range',
    ],
    [
      'a label that is none of its classes',
      { outputs: LABELLED, column: ['a', 'c'] },
      { kind: ['a', 'c'] },
      'golden-out-of-range',
    ],
    ['no value for an output', { outputs: RANGED, column: Float64Array.of(0.5, 0.25) }, {}, 'golden-invalid'],
    ['one value for two rows', { outputs: RANGED, column: Float64Array.of(0.5, 0.25) }, { p: [0.5] }, 'golden-invalid'],
    [
      'an input that the model cannot take',
      {
        outputs: RANGED,
        column: Float64Array.of(0.5, 0.25),
        refusals: new Map([[1, 'a is 1.5, and the model takes whole numbers']]),
      },
      { p: [0.5, 0.25] },
      'golden-invalid',
    ],
  ])('do not hold with %s', async (_, given, promised, code) => {
    await expect(checkGolden(sessionOf(given), golden(promised))).rejects.toMatchObject({ name: 'ModelError', code })
  })

  test('of another width than the manifest are refused before they are run', async () => {
    const session = sessionOf({ outputs: RANGED, column: Float64Array.of(0.5) })
    await expect(checkGolden(session, golden({ p: [0.5] }, { inputs: [[1, 2, 3]] }))).rejects.toMatchObject({
      code: 'golden-invalid',
    })
    expect(session.asked).toEqual([])
  })
})

test.each([
  ['is not JSON', '{'],
  ['is of another format', '{"formatVersion":2,"inputs":[[1]],"outputs":{}}'],
  ['has no rows', '{"formatVersion":1,"inputs":[],"outputs":{}}'],
  [
    'has too many rows',
    JSON.stringify({ formatVersion: 1, inputs: Array.from({ length: 201 }, () => [1]), outputs: {} }),
  ],
  ['tolerates nothing', '{"formatVersion":1,"inputs":[[1]],"outputs":{},"tolerance":0}'],
])('a file is refused that %s', (_, text) => {
  expect(() => readGolden(new TextEncoder().encode(text))).toThrow(expect.objectContaining({ code: 'golden-invalid' }))
})
