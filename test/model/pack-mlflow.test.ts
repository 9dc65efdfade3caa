import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readMlflow } from '../../src/cli/model-pack-files.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { packArtifact } from '../../src/model/pack.ts'
import { packGraph } from '../../src/model/pack-graph.ts'
import { readMlflowModel } from '../../src/model/pack-mlflow.ts'
import { exportBytes, exportOf, featuresOf, PAPERS } from './exports/exports.ts'

const MLMODEL = `artifact_path: model
flavors:
  onnx:
    code: null
    data: model.onnx
    onnx_version: 1.17.0
    providers:
    - CPUExecutionProvider
  python_function:
    data: other.onnx
    env:
      conda: conda.yaml
    loader_module: mlflow.onnx
    python_version: 3.11.7
mlflow_version: 2.20.1
run_id: 0123abcd
signature:
  inputs: '[{"name": "it''s"}]'
utc_time_created: '2001-05-01 12:00:00.123456'
`

test('reads file, run, time and versions', () => {
  expect(readMlflowModel(MLMODEL)).toEqual({
    file: 'model.onnx',
    runId: '0123abcd',
    when: '2001-05-01T12:00:00Z',
    libraries: { mlflow: '2.20.1', onnx: '1.17.0', python: '3.11.7' },
  })
})

test('refuses a model that was saved without ONNX, and says as what it was', () => {
  const text = MLMODEL.replace('  onnx:', '  sklearn:').replaceAll('data: model.onnx', 'pickled_model: model.pkl')
  expect(() => readMlflowModel(text)).toThrow(
    expect.objectContaining({ code: 'mlflow-no-onnx', message: expect.stringContaining('sklearn, python_function') }),
  )
})

// The page is MLflow's own, with a signature and a note that go over several lines; the folder has the ONNX file that it was made with.
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mlflow-'))
  await writeFile(join(folder, 'MLmodel'), readFileSync(new URL('exports/MLmodel', import.meta.url)))
  await writeFile(join(folder, 'model.onnx'), exportBytes('sklearn-logistic'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('reads a folder that MLflow itself logged, and it gives what its maker gives', async () => {
  const { bytes, ...said } = await readMlflow(folder)
  expect(said).toEqual({
    file: 'model.onnx',
    runId: 'bfc8a3d9f267437ea4d6f5e79621521e',
    when: '2026-11-28T07:47:38Z',
    libraries: { mlflow: '3.17.2', onnx: '1.19.1', python: '3.11.7' },
  })
  const maker = exportOf('sklearn-logistic')
  const rows = maker.rows.map(row =>
    Object.fromEntries(maker.columns.map((column, index) => [column, row[index] ?? ''] as const)),
  )
  const probability = (maker.scores ?? []).map(([, second = Number.NaN]) => second)
  const { golden } = await packArtifact(packGraph(bytes), {
    definition: { name: 'churn', inputs: maker.columns },
    features: featuresOf(maker),
    papers: { ...PAPERS, libraries: said.libraries },
    golden: { rows, outputs: { probability } },
    openSession: openOnnxSession,
  })
  expect(golden.inputs.length).toBe(maker.rows.length)
})
