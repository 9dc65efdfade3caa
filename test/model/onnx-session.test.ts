import { describe, expect, test } from 'vitest'
import type { ManifestInput, ModelInput } from '../../src/model/artifact-manifest.ts'
import { sliceTable } from '../../src/model/input-table.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { artifactOf, inputs, rowsOf } from './factories.ts'

const VERSION = '20010501120000-00000000'
const SCORE = { name: 'score', tensor: 'score', column: 0 }

const open = (fixture: string, changes: Partial<ManifestInput> = {}) =>
  openOnnxSession(artifactOf(fixture, changes), VERSION)

const [A] = inputs('a') as [ModelInput]

const sigmoid = (score: number) => 1 / (1 + Math.exp(-score))

describe('a session', () => {
  test('runs many rows at once, and gives the columns that the manifest names', async () => {
    const outputs = [
      { name: 'leaves', tensor: 'probabilities', column: 1 },
      { name: 'stays', tensor: 'probabilities', column: 0 },
      SCORE,
    ]
    const session = await open('wide', { outputs })
    const run = await session.run(rowsOf(3, 0, 0, 0, 1, 2, 3, -1, 0.5, 0.25))
    const [leaves, stays, scores] = run.outputs
    expect([...(scores ?? [])]).toEqual([0, 2, -0.25])
    for (const [row, score] of [0, 2, -0.25].entries()) {
      expect(leaves?.[row]).toBeCloseTo(sigmoid(score), 6)
      expect(stays?.[row]).toBeCloseTo(1 - sigmoid(score), 6)
    }
    expect(run.refusals.size).toBe(0)
    expect(session).toMatchObject({ name: 'churn', batchId: VERSION })
  })

  test('takes inputs by their names, in whatever order the file has them', async () => {
    const session = await open('named', { inputs: inputs('c', 'a', 'b'), outputs: [SCORE] })
    const run = await session.run(rowsOf(3, 3, 1, 2, 0, 0, 10))
    expect([...(run.outputs[0] ?? [])]).toEqual([1 + 2 * 2 - 3, 20])
  })

  test('gives each row the same, alone and among others', async () => {
    const session = await open('wide')
    const table = rowsOf(3, ...Array.from({ length: 300 }, (_, index) => Math.sin(index) * 3))
    const together = await session.run(table)
    for (const row of [0, 41, 99]) {
      const alone = await session.run(sliceTable(table, row, row + 1))
      expect(alone.outputs[0]?.[0]).toBe(together.outputs[0]?.[row])
    }
  })

  test('refuses a row that comes out NaN or infinite, and keeps the ones beside it', async () => {
    const session = await open('log', { inputs: inputs('a'), outputs: [{ name: 'ln', tensor: 'ln', column: 0 }] })
    const run = await session.run(rowsOf(1, 1, -1, 0))
    expect(run.outputs[0]?.[0]).toBe(0)
    expect([...run.refusals]).toEqual([
      [1, 'ln is NaN'],
      [2, 'ln is -Infinity'],
    ])
  })

  test('takes a label of integers', async () => {
    const session = await open('label', { outputs: [{ name: 'label', tensor: 'label', column: 0 }] })
    const run = await session.run(rowsOf(3, 1, 5, 2, 9, 5, 2))
    expect([...(run.outputs[0] ?? [])]).toEqual([1, 0])
  })

  test('fails in the same words however many rows there are', async () => {
    const session = await open('lookup', { inputs: [{ ...A, missing: 0 }], outputs: [SCORE] })
    expect((await session.run(rowsOf(1, 2, 0))).outputs).toEqual([Float64Array.of(30, 10)])
    for (const rows of [[7], [0, 7, 1]]) {
      await expect(session.run(rowsOf(1, ...rows))).rejects.toMatchObject({
        code: 'model-run-failed',
        message: `churn ${VERSION} failed`,
      })
    }
  })

  test('answers no rows with none, and refuses a wrong number of values', async () => {
    const session = await open('wide')
    expect((await session.run(rowsOf(3))).outputs).toEqual([new Float64Array(0)])
    await expect(session.run(rowsOf(4, 1, 2, 3, 4))).rejects.toMatchObject({ code: 'model-run-failed' })
  })
})

describe('opening refuses', () => {
  const cases: readonly [string, string, Partial<ManifestInput>, string][] = [
    ['a number of inputs that the file does not have', 'wide', { inputs: inputs('a', 'b') }, 'lists 2 inputs'],
    ['a name that the file does not have', 'named', { inputs: inputs('a', 'b', 'd'), outputs: [SCORE] }, 'no input d'],
    ['an input that the manifest leaves out', 'named', { inputs: inputs('a', 'b'), outputs: [SCORE] }, 'input c'],
    ['an output that the file does not have', 'wide', { outputs: [{ ...SCORE, tensor: 'q' }] }, 'no output q'],
    ['a column that does not come', 'wide', { outputs: [{ ...SCORE, column: 1 }] }, 'column 1'],
    ['a model for one row at a time', 'one-row', { outputs: [SCORE] }, '1 rows only'],
    ['one row for many, whatever the file declares', 'lying', { outputs: [SCORE] }, '1 × 1 for 2 rows'],
    ['text inputs', 'text', { outputs: [{ ...SCORE, tensor: 'y' }] }, 'takes string for a'],
    ['a ZipMap', 'zipmap', { outputs: [{ ...SCORE, tensor: 'maps' }] }, 'takes a ZipMap out'],
  ]
  test.each(cases)('%s', async (_, fixture, changes, words) => {
    await expect(open(fixture, changes)).rejects.toMatchObject({
      code: 'model-contract',
      message: expect.stringContaining(words),
    })
  })

  test('a file with tensors elsewhere, before the runtime sees it', async () => {
    await expect(open('external', { outputs: [SCORE] })).rejects.toMatchObject({ code: 'model-external-data' })
  })

  test('a file that the runtime cannot load', async () => {
    const { manifest } = artifactOf('wide')
    // graph { node { op_type: "Nothing" } }
    const model = Uint8Array.from([0x3a, 11, 0x0a, 9, 0x22, 7, ...new TextEncoder().encode('Nothing')])
    await expect(openOnnxSession({ manifest, model }, VERSION)).rejects.toMatchObject({ code: 'model-unloadable' })
  })
})
