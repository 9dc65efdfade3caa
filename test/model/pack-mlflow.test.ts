import { expect, test } from 'vitest'
import { readMlflowModel } from '../../src/model/pack-mlflow.ts'

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
