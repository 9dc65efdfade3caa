// `model pack` as a person calls it, on files of public libraries, a folder of MLflow and coefficients of R.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadPipeline } from '../../src/cli/load-pipeline.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { readArtifact } from '../../src/model/read-artifact.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { definedFeatures } from '../../src/predictions/defined-features.ts'
import { exportBytes, PAPERS } from '../model/exports/exports.ts'
import { call, pipelineFolder } from './shop-world.ts'

const PIPELINE = `
import { choice, count, event, features, flag, last, model, number, pipeline, sum } from 'millrace'
const order = event('order', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: { amount: number({ scale: 2 }), gift: flag(), channel: choice('app', 'shop', 'web') } })
const customer = features({
  orders30d: count(order, { within: '30d' }),
  spend90d: sum(order, 'amount', { within: '90d' }),
  sinceOrder: count(order, { within: '1d' }),
  giftShare: count(order, { within: '7d' }),
  gift: last(order, 'gift'),
  channel: last(order, 'channel'),
})
export default pipeline({ name: 'shop', features: customer, models: [
  model('churn', { from: customer, owner: 'ana', about: 'Whether a customer leaves.', inputs: ['orders30d', 'spend90d', 'sinceOrder', 'giftShare'] }),
  model('leaver', { from: customer, owner: 'ana', inputs: ['orders30d', 'spend90d', 'gift', 'channel'] }),
] })
`
const ROWS = 'orders30d,spend90d,sinceOrder,giftShare\n1,20.5,3,0.5\n4,100,40,0\n'
const exported = (name: string): string => fileURLToPath(new URL(`../model/exports/${name}`, import.meta.url))
let folder = ''

beforeAll(async () => {
  folder = await pipelineFolder('model-pack-', PIPELINE)
  await writeFile(join(folder, 'papers.json'), JSON.stringify(PAPERS))
  await writeFile(join(folder, 'rows.csv'), ROWS)
  await mkdir(join(folder, 'saved'))
  await writeFile(join(folder, 'saved', 'model.onnx'), exportBytes('sklearn-logistic'))
  const page =
    "flavors:\n  onnx:\n    data: model.onnx\n    onnx_version: 1.23.2\nrun_id: 0123abcd\nmlflow_version: 3.1.0\nutc_time_created: '2001-06-01 00:00:00.5'\n"
  await writeFile(join(folder, 'saved', 'MLmodel'), page)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const pack = (...words: string[]) => call(['model', 'pack', ...words], { cwd: folder, env: { USER: 'ana' } })

const artifactOf = async (name: string) => readArtifact(await readFile(join(folder, name)))
const ONNX = ['--onnx', exported('sklearn-logistic.onnx'), '--papers', 'papers.json', '--golden', 'rows.csv']

test('packs an ONNX file, says what it changed, and the pipeline knows its inputs', async () => {
  const { exitCode, stdout, stderr } = await pack('churn', ...ONNX, '-o', 'churn.zip')
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
  expect(stdout).toContain('Took out the ZipMap behind the output output_probability')
  expect(stdout).toContain('millrace model publish')
  const { manifest, model, golden } = await artifactOf('churn.zip')
  const defined = definedFeatures(compilePipeline(await loadPipeline(folder)))
  expect(manifest.inputs.map(({ fingerprint }) => fingerprint)).toEqual(
    manifest.inputs.map(({ name }) => defined.get(name)?.fingerprint),
  )
  expect(golden?.inputs).toEqual([
    [1, 20.5, 3, 0.5],
    [4, 100, 40, 0],
  ])
  await openOnnxSession({ manifest, model, ...(golden === undefined ? {} : { golden }) }, 'b')
})

test('writes nothing in a dry run, and says the same as JSON', async () => {
  const { exitCode, stdout } = await pack('churn', ...ONNX, '-o', 'dry.zip', '--dry-run', '--json')
  expect(exitCode).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ isDryRun: true, name: 'churn', golden: { rows: 2, synthetic: false } })
  await expect(readFile(join(folder, 'dry.zip'))).rejects.toThrow('ENOENT')
})

test('packs a folder of MLflow with its run, its time and its versions', async () => {
  const { when: _, ...papers } = PAPERS
  await writeFile(join(folder, 'timeless.json'), JSON.stringify({ ...papers, libraries: { sklearn: '1.9.1' } }))
  const words = ['--mlflow', 'saved', '--papers', 'timeless.json', '--golden', 'rows.csv', '-o', 'mlflow.zip']
  expect(await pack('churn', ...words)).toMatchObject({ exitCode: 0 })
  expect((await artifactOf('mlflow.zip')).manifest).toMatchObject({
    when: '2001-06-01T00:00:00Z',
    tags: ['mlflow-run:0123abcd'],
    libraries: { mlflow: '3.1.0', onnx: '1.23.2', sklearn: '1.9.1' },
  })
})

test("packs coefficients of R, and holds them against R's predict", async () => {
  const words = [
    '--coefficients',
    exported('r-glm-logit.coefficients.csv'),
    '--link',
    'logit',
    '--papers',
    'papers.json',
  ]
  const golden = ['--golden', exported('r-glm-logit.golden.csv'), '-o', 'r.zip']
  expect(await pack('leaver', ...words, ...golden)).toMatchObject({ exitCode: 0 })
  const { manifest } = await artifactOf('r.zip')
  expect(manifest).toMatchObject({
    hyperparameters: { link: 'logit' },
    outputs: [{ name: 'probability', range: [0, 1] }],
  })
  const other = words.map(word => (word === 'logit' ? 'log' : word))
  expect(await pack('leaver', ...other, ...golden)).toMatchObject({ exitCode: 1 })
})

test.each([
  ['no model', [], 'usage', 2],
  ['two models', [...ONNX, '--mlflow', 'saved'], 'usage', 2],
  ['no link', ['--coefficients', 'rows.csv'], 'usage', 2],
  ['a file that is not there', ['--onnx', 'none.onnx'], 'file-not-found', 1],
  ['a CSV of other columns', ['--coefficients', 'rows.csv', '--link', 'log'], 'file-unreadable', 1],
  ['a file that is no model', ['--onnx', 'rows.csv', '--papers', 'papers.json'], 'model-refused', 1],
])('refuses %s', async (_, words, code, exitCode) => {
  const result = await pack('churn', ...words, '-o', 'refused.zip', '--json')
  expect(result.exitCode).toBe(exitCode)
  expect(result.stderr + result.stdout).toContain(code)
  await expect(readFile(join(folder, 'refused.zip'))).rejects.toThrow('ENOENT')
})

test('refuses a model that is not defined', async () => {
  const { exitCode, stderr } = await pack('other', ...ONNX, '-o', 'refused.zip')
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('churn, leaver') })
})
