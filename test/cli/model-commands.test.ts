// The life of a model's versions as a person types it, on the local cloud's DynamoDB and S3.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadPipeline } from '../../src/cli/load-pipeline.ts'
import type { ManifestInput } from '../../src/model/artifact-manifest.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { definedFeatures } from '../../src/predictions/defined-features.ts'
import { artifactOf, inputs, zipOf } from '../model/factories.ts'
import { papersZip } from '../model/papers.ts'
import { openShop, type Shop } from './shop-world.ts'

const PIPELINE = `
import { count, event, features, model, pipeline } from 'millrace'
const visit = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {} })
const visitor = features({ a: count(visit, { within: '1h' }), b: count(visit, { within: '1d' }), c: count(visit) })
const churn = model('churn', { from: visitor, inputs: ['a', 'b', 'c'], owner: 'ana' })
const spend = model('spend', { from: visitor, inputs: ['a'], owner: 'bob' })
export default pipeline({ name: 'shop', events: [visit], features: visitor, models: [churn, spend] })
`
const V1 = '20010501120000-00000001'
const V2 = '20010601120000-00000002'
const V3 = '20010701120000-00000003'

let shop: Shop

beforeAll(async () => {
  shop = await openShop({ source: PIPELINE })
  const features = definedFeatures(compilePipeline(await loadPipeline(shop.folder)))
  const fitting = inputs('a', 'b', 'c').map(input => ({
    ...input,
    fingerprint: features.get(input.name)?.fingerprint ?? '',
  }))
  const write = async (file: string, changes: Partial<ManifestInput>) =>
    writeFile(join(shop.folder, file), papersZip({ manifest: { inputs: fitting, ...changes } }))
  const auc = (value: number) => [{ metric: 'auc', slice: 'all', value }]
  await write('v1.zip', { version: V1, performance: auc(0.71) })
  await write('v2.zip', { version: V2, performance: auc(0.73), description: 'Better.' })
  await write('v2-other.zip', { version: V2, performance: auc(0.99) })
  await write('v3.zip', { version: V3, performance: auc(0.6) })
  await writeFile(
    join(shop.folder, 'no-golden.zip'),
    zipOf(artifactOf('wide', { formatVersion: 2, inputs: fitting, version: V3 })),
  )
  await write('misfit.zip', { version: '20010801120000-00000004', inputs: inputs('a', 'b', 'c') })
})

afterAll(() => shop.close())

const millrace = (...words: string[]) => shop.millrace('model', ...words)

async function json(...words: string[]) {
  const { exitCode, stdout, stderr } = await millrace(...words, '--json')
  return exitCode === 0 ? JSON.parse(stdout) : { exitCode, ...JSON.parse(stderr).error }
}

/** In order: each goes on from what the one before left. */
it('says that nothing is published', async () => {
  expect((await millrace('list')).stdout).toMatch(/churn +ana +- +nothing is published/)
  for (const words of [
    ['history', 'churn'],
    ['show', 'churn'],
    ['list', 'churn'],
    ['promote', 'churn'],
    ['rollback', 'churn'],
  ]) {
    expect(await json(...words)).toMatchObject({ exitCode: 1, code: 'model-not-found' })
  }
  expect(await json('history', 'Churn')).toMatchObject({ exitCode: 2, code: 'usage' })
})

it('publishes to staging under the version of the papers, and twice is once', async () => {
  expect(await json('publish', 'v1.zip', '--why', 'first')).toMatchObject({ stage: 'staging', batchId: V1, number: 1 })
  expect(await json('publish', 'v1.zip', '--why', 'again')).toMatchObject({ way: 'current', number: 1, why: 'first' })
  expect((await millrace('publish', 'v1.zip')).stdout).toContain(`${V1} is current in staging already`)
  expect((await millrace('publish', 'v1.zip', '--dry-run')).stdout).toContain('Would do nothing')
})

it('promotes through staging only, unless told', async () => {
  expect(await json('publish', 'v1.zip', '--to', 'candidate')).toMatchObject({ way: 'promote', kind: 'promote' })
  const dry = await millrace('promote', 'churn', '--if', 'auc >= production', '--dry-run')
  expect(dry.stdout).toContain(`Would make churn ${V1} current in production, instead of nothing`)
  expect(dry.stdout).toContain('nothing is there to compare with')
  expect(await json('promote', 'churn', '--why', 'good')).toMatchObject({ batchId: V1, stage: 'production', number: 1 })
  expect(await json('promote', 'churn')).toMatchObject({ code: 'already-current' })
  await json('publish', 'v2.zip', '--to', 'candidate')
  const words = ['promote', 'churn', V2, '--from', 'candidate']
  expect(await json(...words)).toMatchObject({ code: 'not-staged', next: expect.stringContaining('--skip-staging') })
  expect(await json(...words, '--to', 'staging')).toMatchObject({ batchId: V2, stage: 'staging' })
})

it('refuses other bytes under a version, and a version that does not fit', async () => {
  expect(await json('publish', 'v2-other.zip')).toMatchObject({ exitCode: 1, code: 'version-taken' })
  expect(await json('publish', 'misfit.zip')).toMatchObject({ code: 'model-contract' })
  for (const words of [
    ['publish', 'no-golden.zip'],
    ['publish', 'no-golden.zip', '--dry-run'],
  ]) {
    expect(await json(...words)).toMatchObject({
      exitCode: 1,
      code: 'artifact-no-golden',
      next: expect.stringContaining('millrace model pack churn'),
    })
  }
})

it('promotes where the conditions hold, and says which do not', async () => {
  expect(await json('promote', 'churn', '--if', 'auc >= production + 0.1')).toMatchObject({
    code: 'gate-failed',
    message: expect.stringContaining('auc >= production + 0.1: 0.73 against 0.81, does not hold'),
  })
  expect(await json('promote', 'churn', '--if', 'auc ~ 1')).toMatchObject({ exitCode: 2, code: 'usage' })
  expect(await json('promote', 'churn', '--if', 'f1 > 0')).toMatchObject({ code: 'gate-metric' })
  const { exitCode, stdout } = await millrace(
    'promote',
    'churn',
    '--if',
    'auc >= production - 0.01',
    '--if',
    'auc@all > 0.7',
  )
  expect(exitCode).toBe(0)
  expect(stdout).toContain(`churn ${V2} is current in production`)
  expect(stdout).toContain('auc >= production - 0.01: 0.73 against 0.7, holds')
})

it('goes back to the version before, and not to the one that was left', async () => {
  expect((await millrace('rollback', 'churn', '--dry-run')).stdout).toContain(`churn ${V1} current in production`)
  expect(await json('rollback', 'churn', '--why', 'worse')).toMatchObject({ batchId: V1, from: V2, kind: 'rollback' })
  expect(await json('rollback', 'churn')).toMatchObject({ code: 'no-version-before' })
  expect(await json('rollback', 'churn', V2)).toMatchObject({ batchId: V2 })
})

it('shows the log of all stages or of one, and every version', async () => {
  const { entries } = await json('history', 'churn', '--in', 'production')
  expect(entries.map(({ kind, batchId }: { kind: string; batchId: string }) => [kind, batchId])).toEqual([
    ['rollback', V2],
    ['rollback', V1],
    ['promote', V2],
    ['promote', V1],
  ])
  const { stdout } = await millrace('history', 'churn')
  expect(stdout).toMatch(new RegExp(`production  rollback  ${V1}  ana: worse\\n`))
  expect(stdout).toMatch(new RegExp(`staging     promote   ${V2}  ana: by hand  \\(current\\)`))
  expect((await json('history', 'churn', '--limit', '2')).entries).toHaveLength(2)
  expect((await millrace('list')).stdout).toMatch(new RegExp(`churn  ana    production  ${V2}  2.*Z  ana +2`))
  expect((await millrace('list', 'churn')).stdout).toMatch(
    new RegExp(`${V2}  2.*Z  ana  candidate staging production  current in .*production`),
  )
})

it('shows papers, stages and sizes of the version that serves, or of another', async () => {
  const { stdout } = await millrace('show', 'churn')
  expect(stdout).toContain(`churn ${V2}: current in candidate and production and staging`)
  for (const text of [
    'Better.',
    'owner        ana',
    'shop.training: 1000 rows of 2001-01-01T00:00:00Z',
    'trees 10, depth null',
    'golden rows  2, made up',
  ])
    expect(stdout).toContain(text)
  expect(stdout).toMatch(/\na +number +"nan" +[0-9a-f]{12}\n/)
  expect(stdout).toMatch(/\nprobability +number +0 to 1\n/)
  expect(stdout).toMatch(/\nauc +all +0.73\n/)
  expect(stdout).toMatch(/\nbytes +raw +zlib +JSON +zlib JSON\nmodel.onnx +\d+ +\d+ +\d+ +\d+\n$/)
  const before = await json('show', 'churn', V1)
  expect(before).toMatchObject({ batchId: V1, currentIn: [], stages: ['staging', 'candidate', 'production'] })
  expect(before.manifest.performance).toEqual([{ metric: 'auc', slice: 'all', value: 0.71 }])
  expect(await json('show', 'churn', '--in', 'staging')).toMatchObject({ batchId: V2 })
  expect(await json('show', 'churn', V3)).toMatchObject({ exitCode: 1, code: 'model-not-found' })
})

it('yanks what is not current, or what is rolled back first, and never uses it again', async () => {
  expect(await json('yank', 'churn', V2)).toMatchObject({
    code: 'version-current',
    next: expect.stringContaining('--rollback-to'),
  })
  await json('publish', 'v2.zip', '--to', 'fresh')
  expect(await json('yank', 'churn', V2, '--rollback-to', V1, '--stage', 'dev')).toMatchObject({
    exitCode: 1,
    code: 'version-not-in-stage',
    message: expect.stringContaining(`fresh has never had ${V1}; production would go back to ${V1}`),
    next: expect.stringContaining(`millrace model promote churn ${V1} --from staging --to fresh --stage dev`),
  })
  await json('publish', 'v3.zip', '--to', 'fresh')
  await json('publish', 'v3.zip', '--to', 'candidate')
  await json('publish', 'v3.zip')
  const words = ['yank', 'churn', V2, '--rollback-to', V1, '--why', 'leaks the label']
  expect((await millrace(...words, '--dry-run')).stdout).toBe(
    `Would go back to ${V1} in production, instead of ${V2}\nWould yank churn ${V2}\n`,
  )
  expect(await json(...words)).toMatchObject({
    batchId: V2,
    why: 'leaks the label',
    rollbacks: [{ stage: 'production', batchId: V1 }],
  })
  for (const refused of [
    ['promote', 'churn', V2],
    ['rollback', 'churn', V2],
    ['publish', 'v2.zip'],
    ['publish', 'v2.zip', '--to', 'production'],
  ]) {
    expect(await json(...refused)).toMatchObject({
      code: 'batch-yanked',
      message: expect.stringContaining('leaks the label'),
    })
  }
  expect((await millrace('list', 'churn')).stdout).toContain('yanked by ana: leaks the label')
})
