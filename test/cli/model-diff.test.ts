// `model diff` as a person types it, on the local cloud's DynamoDB and S3: two trainings of one model, and a snapshot.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Catalog } from '../../src/catalog/catalog.ts'
import { storeRows } from '../../src/catalog/table-rows.ts'
import { distributionOf } from '../../src/model/distribution.ts'
import { modelRegistry } from '../../src/model/registry.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { inputs } from '../model/factories.ts'
import { papersZip } from '../model/papers.ts'
import { jsonOf, openShop, type Shop } from './shop-world.ts'

const PIPELINE = `
import { count, event, features, model, pipeline } from 'millrace'
const visit = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {} })
const visitor = features({ a: count(visit, { within: '1h' }), b: count(visit, { within: '1d' }), c: count(visit) })
const churn = model('churn', { from: visitor, inputs: ['a', 'b', 'c'], owner: 'ana' })
export default pipeline({ name: 'shop', events: [visit], features: visitor, models: [churn] })
`
const USERS = 40
let shop: Shop
let catalog: Catalog
let [first, second] = ['', '']

const distributed = (from: number) => {
  const values = Array.from({ length: 400 }, (_, index) => from + index)
  return inputs('a', 'b', 'c').map(input => ({ ...input, distribution: distributionOf(values, 'number') }))
}

async function publish(stage: string, zip: Uint8Array): Promise<string> {
  const registry = modelRegistry(catalog)
  const entry = await registry.publish({ zip, stage, openSession: openOnnxSession, who: 'ana', why: 'test' })
  return entry.batchId
}

beforeAll(async () => {
  shop = await openShop({ source: PIPELINE })
  catalog = shop.connection.catalog
  first = await publish('production', papersZip({ manifest: { inputs: distributed(0) } }))
  // The same file with its inputs the other way round is another model: probability = sigmoid(a + 2b − c).
  const [a, b, c] = distributed(300)
  if (a === undefined || b === undefined || c === undefined) throw new Error('no inputs')
  const manifest = {
    inputs: [b, a, c],
    hyperparameters: { trees: 20, name: '<script>alert(1)</script>' },
    performance: [{ metric: 'auc', slice: 'all', value: 0.75 }],
  }
  second = await publish('staging', papersZip({ manifest }))
})

afterAll(() => shop.close())

const millrace = (...words: string[]) => shop.millrace(...words)

async function millraceJson(...words: string[]) {
  return jsonOf(await millrace(...words, '--json'))
}

async function takeSnapshot(): Promise<void> {
  const columns = [
    { name: 'user_id', type: 'string' },
    ...['a', 'b', 'c'].map(name => ({ name, type: 'int64' as const })),
    { name: 'pending', type: 'json' },
  ] as const
  await catalog.createTable({ db: 'shop', table: 'users' }, { columns, format: 'parquet', owner: 'shop' })
  const rows = Array.from({ length: USERS }, (_, index) => ({
    user_id: `user-${index}`,
    a: index % 7 === 0 ? 0 : 1,
    b: index === 9 ? 4 : 1,
    c: 1,
    pending: index === 39 ? { a: 'backfilling' } : null,
  }))
  await storeRows(
    catalog,
    { db: 'shop', table: 'users', partition: 'day=2001-06-30' },
    { rows, who: 'test', why: 'nightly' },
  )
}

describe('model diff', () => {
  it('asks both about golden rows while there is no snapshot, and says so', async () => {
    const { exitCode, stdout } = await millrace('model', 'diff', 'churn', 'production', 'staging')
    expect(exitCode).toBe(0)
    expect(stdout).toContain(`churn: ${first} → ${second}`)
    expect(stdout).toContain('hyperparameters.trees: 10 → 20')
    expect(stdout).toMatch(/a: values moved much, PSI \d+\.\d{3}/)
    expect(stdout).toMatch(/auc\s+all\s+0\.71\s+0\.75\s+\+0\.04/)
    expect(stdout).toContain(`golden rows of ${second}, which are nobody: no snapshot was ever taken`)
  })

  it('asks both about the users of the last snapshot, and names nobody', async () => {
    await takeSnapshot()
    const { json } = await millraceJson('model', 'diff', 'churn', first, second)
    expect(json).toMatchObject({
      name: 'churn',
      before: first,
      now: second,
      sample: { kind: 'snapshot', partition: 'day=2001-06-30' },
      predictions: { rows: USERS, compared: USERS - 1, leftOut: { [`of ${first}: a is backfilling`]: 1 } },
      html: null,
    })
    const [output] = json.predictions.outputs
    // Who has a different from b is told something else: every seventh; with b = 4 both are near to 1.
    expect(output).toMatchObject({ name: 'probability', changedShare: expect.closeTo(6 / 39, 9) })
    expect(JSON.stringify(json)).not.toContain('user-')
    expect((await millrace('model', 'diff', 'churn', first, second)).stdout).not.toContain('user-')
  })

  it('names who moved most with --users', async () => {
    const { stdout } = await millrace('model', 'diff', 'churn', first, second, '--users')
    expect(stdout).toMatch(/user-0: 0\.7311 → 0\.5/)
    const { json } = await millraceJson('model', 'diff', 'churn', first, second, '--users')
    expect(json.users.probability.map((each: { user: string }) => each.user)).toContain('user-9')
  })

  it('takes as many rows and calls changed what it is told to', async () => {
    const { json } = await millraceJson('model', 'diff', 'churn', first, second, '--rows', '5', '--tolerance', '0.9')
    expect(json.predictions).toMatchObject({ rows: 5, compared: 5, tolerance: 0.9, outputs: [{ changedShare: 0 }] })
  })

  it('finds nothing between a version and itself', async () => {
    const { stdout } = await millrace('model', 'diff', 'churn', first, 'production')
    expect(stdout).toContain('the same version')
    expect(stdout).toContain('probability: 0.0 % changed by more than 0.01; rank correlation 1.000')
  })

  it('writes one page that needs nothing else, and overwrites nothing', async () => {
    const words = ['model', 'diff', 'churn', first, second, '--html', 'diff.html']
    expect((await millrace(...words)).stdout).toContain(join(shop.folder, 'diff.html'))
    const page = await readFile(join(shop.folder, 'diff.html'), 'utf8')
    expect(page).toContain('Values of a')
    expect(page.match(/<svg /g)?.length).toBeGreaterThan(3)
    expect(page).not.toContain('user-')
    expect(page).not.toMatch(/<script|<link|<img|src=|url\(|NaN|undefined/)
    expect(page.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:/)
    expect(await millraceJson(...words)).toMatchObject({ exitCode: 1, json: { error: { code: 'file-exists' } } })
  })

  it('says what is not there or not right', async () => {
    expect((await millraceJson('model', 'diff', 'churn', first, 'nowhere')).json.error.code).toBe('model-not-found')
    const other = `${first.slice(0, 14)}-00000000`
    expect((await millraceJson('model', 'diff', 'churn', first, other)).json.error.code).toBe('model-not-found')
    for (const tolerance of ['much', '-1', '']) {
      const { exitCode } = await millraceJson('model', 'diff', 'churn', first, second, '--tolerance', tolerance)
      expect({ tolerance, exitCode }).toEqual({ tolerance, exitCode: 2 })
    }
  })
})
