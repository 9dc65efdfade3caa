// `table` and `model` commands as a person calls them, on the local cloud's DynamoDB and S3.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Catalog } from '../../src/catalog/catalog.ts'
import { readParquet } from '../../src/catalog/parquet-rows.ts'
import { storeRows } from '../../src/catalog/table-rows.ts'
import { loadPipeline } from '../../src/cli/load-pipeline.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { definedFeatures } from '../../src/predictions/defined-features.ts'
import { artifactOf, inputs, zipOf } from '../model/factories.ts'
import { call, jsonOf, openShop, type Shop } from './shop-world.ts'

const PIPELINE = `
import { count, event, features, model, pipeline } from 'millrace'
const visit = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {} })
const visitor = features({ a: count(visit, { within: '1h' }), b: count(visit, { within: '1d' }), c: count(visit) })
const churn = model('churn', { from: visitor, inputs: ['a', 'b', 'c'], owner: 'ana' })
export default pipeline({ name: 'shop', events: [visit], features: visitor, models: [churn] })
`
const COLUMNS = [
  { name: 'user_id', type: 'string' },
  { name: 'visits', type: 'int64' },
] as const

let shop: Shop
let catalog: Catalog

beforeAll(async () => {
  shop = await openShop({ source: PIPELINE })
  catalog = shop.connection.catalog
})

afterAll(() => shop.close())

const millrace = (...words: string[]) => shop.millrace(...words)

async function millraceJson(...words: string[]) {
  return jsonOf(await millrace(...words, '--json'))
}

describe('table', () => {
  const ref = { db: 'shop', table: 'users', partition: 'day=2001-06-30' }
  const where = ['shop.users', 'day=2001-06-30']
  const rowsOf = (visits: number) => [
    { user_id: 'u1', visits },
    { user_id: 'u2' },
    { user_id: 'u3', visits: 2n ** 60n },
  ]
  let first = ''
  let second = ''

  beforeAll(async () => {
    await catalog.createTable(ref, { columns: COLUMNS, format: 'parquet', owner: 'ana' })
    first = (await storeRows(catalog, ref, { rows: rowsOf(1), who: 'ana', why: 'nightly', partRowsMax: 2 })).batchId
    second = (await storeRows(catalog, ref, { rows: rowsOf(2), who: 'bob', why: 'again' })).batchId
  })

  it('history shows the newest first, and which is current', async () => {
    const { exitCode, stdout } = await millrace('table', 'history', ...where)
    expect(exitCode).toBe(0)
    const [newest, oldest] = stdout.split('\n')
    expect(newest).toMatch(new RegExp(`^ +2 +2.*Z  commit +${second}  bob: again  \\(current\\)$`))
    expect(oldest).toMatch(new RegExp(`^ +1 +2.*Z  commit +${first}  ana: nightly$`))
    expect((await millraceJson('table', 'history', ...where, '--limit', '1')).json.entries).toMatchObject([
      { number: 2, batchId: second },
    ])
  })

  it('load shows rows of the current batch, or of another one', async () => {
    const { json } = await millraceJson('table', 'load', ...where, '--limit', '2')
    expect(json).toMatchObject({
      batchId: second,
      total: 3,
      rows: [
        { user_id: 'u1', visits: 2 },
        { user_id: 'u2', visits: null },
      ],
    })
    const { stdout } = await millrace('table', 'load', ...where, '--batch', first)
    expect(stdout).toBe(
      `{"user_id":"u1","visits":1}\n{"user_id":"u2","visits":null}\n{"user_id":"u3","visits":"${2n ** 60n}"}\n3 of 3 rows of batch ${first}\n`,
    )
  })

  it('load --out writes the files, and never over others', async () => {
    const out = join(shop.folder, 'loaded')
    const words = ['table', 'load', ...where, '--batch', first, '--out', 'loaded']
    expect((await millraceJson(...words)).json).toMatchObject({ parts: 2, rows: 3, folder: out })
    expect((await readdir(out)).sort()).toEqual(['manifest.json', 'part-00000.parquet', 'part-00001.parquet'])
    const rows = await readParquet(COLUMNS, await readFile(join(out, 'part-00000.parquet')))
    expect(rows).toEqual([
      { user_id: 'u1', visits: 1 },
      { user_id: 'u2', visits: null },
    ])
    expect(await millraceJson(...words)).toMatchObject({ exitCode: 1, json: { error: { code: 'file-exists' } } })
  })

  it('rollback says what it would do, and does it', async () => {
    const words = ['table', 'rollback', ...where, first]
    const plan = await millrace(...words, '--dry-run')
    expect(plan.stdout).toContain(`Would make ${first} (3 rows) current`)
    expect((await catalog.current(ref))?.batchId).toBe(second)
    const { json } = await millraceJson(...words, '--why', 'second was wrong')
    expect(json).toMatchObject({ number: 3, kind: 'rollback', batchId: first, who: 'ana', why: 'second was wrong' })
    expect((await catalog.current(ref))?.batchId).toBe(first)
    expect(await millraceJson(...words, '--why', 'again')).toMatchObject({
      exitCode: 1,
      json: { error: { code: 'already-current' } },
    })
  })

  it('rollback without --why says in the history that it was by hand', async () => {
    const words = ['table', 'rollback', ...where, second]
    expect(await millraceJson(...words)).toMatchObject({ exitCode: 0, json: { why: 'by hand', who: 'ana' } })
  })

  it('says what is missing', async () => {
    expect((await millraceJson('table', 'load', 'shop.never', 'p')).json.error.code).toBe('table-not-found')
    expect((await millraceJson('table', 'load', 'shop.users', 'p')).json.error.code).toBe('partition-empty')
    expect(await millraceJson('table', 'history', 'shop.never', 'p')).toMatchObject({
      exitCode: 1,
      json: { error: { code: 'table-not-found', next: 'Check the name; the first snapshot or publish makes it.' } },
    })
    expect((await millrace('table', 'history', 'shop.users', 'p')).stdout).toContain('Nothing was ever committed')
  })
})

it.each([
  [['table', 'load', 'users', 'p'], '"users" is not a table'],
  [['table', 'history', 'Shop.users', 'p'], '"Shop" cannot be the name of a database'],
  [['table', 'history', 'shop.users', 'a b'], '"a b" cannot be the name of a partition'],
  [['table', 'load', 'shop.users', 'p', '--batch', 'latest'], '"latest" is not a batch ID'],
  [['table', 'rollback', 'shop.users', 'p', 'latest'], '"latest" is not a batch ID'],
  [['table', 'history', 'shop.users', 'p', '--stage', 'BAD stage'], '"BAD stage" (stage)'],
  [['package', '--stage', 'Bad Stage', '--dry-run'], '"Bad Stage" (stage)'],
])('%j is a wrong command line', async (words, message) => {
  const { exitCode, json } = await millraceJson(...words)
  expect({ exitCode, ...json.error }).toMatchObject({ exitCode: 2, code: 'usage' })
  expect(json.error.message).toContain(message)
})

describe('model publish', () => {
  const production = { db: 'models', table: 'churn', partition: 'production' }

  async function artifactFile(name: string, isFitting: boolean): Promise<string> {
    const features = definedFeatures(compilePipeline(await loadPipeline(shop.folder)))
    const fitting = inputs('a', 'b', 'c').map(input => ({
      ...input,
      fingerprint: features.get(input.name)?.fingerprint ?? '',
    }))
    await writeFile(join(shop.folder, name), zipOf(artifactOf('wide', isFitting ? { inputs: fitting } : {})))
    return name
  }

  it('checks everything and writes nothing with --dry-run', async () => {
    const file = await artifactFile('churn.zip', true)
    const { exitCode, stdout } = await millrace(
      'model',
      'publish',
      file,
      '--to',
      'production',
      '--why',
      'first',
      '--dry-run',
    )
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('current in production, instead of nothing'),
    })
    expect(await catalog.current(production)).toBeUndefined()
  })

  it('publishes to production or to another stage', async () => {
    const file = await artifactFile('churn.zip', true)
    const { json } = await millraceJson('model', 'publish', file, '--to', 'production', '--why', 'first')
    expect(json).toMatchObject({ name: 'churn', stage: 'production', number: 1, who: 'ana' })
    expect((await catalog.current(production))?.batchId).toBe(json.batchId)
    const { stdout } = await millrace('model', 'publish', file)
    expect(stdout).toContain('ana: by hand')
    expect(stdout).toContain('is current in staging')
    expect(stdout).toContain('auc on all: 0.71')
    expect(stdout).toContain('To serve it: millrace model promote churn')
    expect((await catalog.current(production))?.number).toBe(1)
  })

  it('refuses a model trained on other definitions, unless told to', async () => {
    const file = await artifactFile('other.zip', false)
    const before = await catalog.current(production)
    expect((await millraceJson('model', 'publish', file, '--why', 'x')).json.error).toMatchObject({
      code: 'model-contract',
      message: expect.stringContaining('a was defined otherwise'),
    })
    expect(await catalog.current(production)).toEqual(before)
    expect((await millrace('model', 'publish', file, '--why', 'x', '--anyway')).exitCode).toBe(0)
  })

  it('takes only what a key of MILLRACE_MODEL_KEYS has signed, where there are any', async () => {
    const file = await artifactFile('signed.zip', true)
    const { publicKey } = (await millraceJson('model', 'keys', 'new', '--to', 'signing.pem')).json
    const publish = async () => {
      const env = { ...shop.aws.env, MILLRACE_MODEL_KEYS: publicKey }
      const words = ['model', 'publish', file, '--who', 'ana', '--why', 'x']
      return call(words, { cwd: shop.folder, env, clock: Date.now })
    }
    expect(await publish()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('(signature-missing)') })
    await millrace('model', 'sign', file, '--key', 'signing.pem')
    expect(await publish()).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('is current in staging') })
  })

  it('refuses what is no artifact', async () => {
    await writeFile(join(shop.folder, 'text.zip'), 'text')
    expect((await millraceJson('model', 'publish', 'text.zip', '--why', 'x')).json.error.code).toBe('artifact-invalid')
    expect((await millraceJson('model', 'publish', 'none.zip', '--why', 'x')).json.error.code).toBe('file-not-found')
  })
})
