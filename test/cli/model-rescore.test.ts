// `model rescore` as a person calls it, on the local cloud's DynamoDB and S3: after a promotion, and before the pointer moves.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadPipeline } from '../../src/cli/load-pipeline.ts'
import { createPredictor } from '../../src/compose/predictor.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { modelRegistry } from '../../src/model/registry.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { definedFeatures } from '../../src/predictions/defined-features.ts'
import { recomputeBatch } from '../../src/recompute/recompute-batch.ts'
import { artifactOf, inputs, zipOf } from '../model/factories.ts'
import { rawRecord } from '../recompute/harness.ts'
import { jsonOf, openShop, type Shop } from './shop-world.ts'

const PIPELINE = `
import { count, event, features, model, pipeline } from 'millrace'
const visit = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {} })
const visitor = features({ a: count(visit, { within: '1h' }), b: count(visit, { within: '1d' }), c: count(visit) })
const churn = model('churn', { from: visitor, inputs: ['a', 'b', 'c'], owner: 'ana' })
export default pipeline({ name: 'shop', events: [visit], features: visitor, models: [churn] })
`
const USERS = 5
/** A version is tried in a process of its own, and runs wait until functions have seen the pointer. */
const TEST_MS_MAX = 60_000

let shop: Shop

beforeAll(async () => {
  shop = await openShop({ source: PIPELINE, with: ['users', 'archive'] })
})

afterAll(() => shop.close())

const millrace = (...words: string[]) => shop.millrace(...words)

async function rescoreJson(...words: string[]) {
  return jsonOf(await millrace('model', 'rescore', 'churn', '--settle', '1s', ...words, '--json'))
}

/** The version's batch ID. `libraries` is all that tells one from another. */
async function publish(version: string, stage: string): Promise<string> {
  const defined = definedFeatures(compilePipeline(await loadPipeline(shop.folder)))
  const own = inputs('a', 'b', 'c').map(input => ({
    ...input,
    fingerprint: defined.get(input.name)?.fingerprint ?? '',
    missing: 0,
  }))
  const zip = zipOf(artifactOf('wide', { inputs: own, libraries: { version } }))
  const input = { zip, stage, openSession: openOnnxSession, who: 'ana', why: version }
  return (await modelRegistry(shop.connection.catalog).publish(input)).batchId
}

/** What the recompute function does with a visit of each. */
async function visits(id: number): Promise<void> {
  const compiled = compilePipeline(await loadPipeline(shop.folder))
  const nowMs = Date.now()
  const records = Array.from({ length: USERS }, (_, user) =>
    rawRecord(
      JSON.stringify({ type: 'visit', id: `${id}-${user}`, user: `u${user}`, at: new Date(nowMs).toISOString() }),
      id * USERS + user + 1,
      `u${user}`,
      nowMs,
    ),
  )
  const predictor = createPredictor(compiled, { ...shop.connection, refreshMs: 0, onError: fail })
  const aside = { writeDeadLetters: fail, writeDoubt: fail }
  await recomputeBatch(records, { ...shop.connection, compiled, predictor, aside, remainingMs: () => 60_000 })
}

function fail(error: unknown): never {
  throw new Error('nothing is set aside here', { cause: error })
}

async function batches(): Promise<unknown[]> {
  const users = await shop.connection.users.loadMany(Array.from({ length: USERS }, (_, user) => `u${user}`))
  return [...users.values()].map(item => ('models' in item ? item.models['churn'] : item.corrupt))
}

describe('model rescore', { timeout: TEST_MS_MAX }, () => {
  const all = (batchId: string): string[] => Array.from({ length: USERS }, () => batchId)
  let first = ''
  let second = ''

  it('knows no version where none was published', async () => {
    expect(await rescoreJson()).toMatchObject({ exitCode: 1, json: { error: { code: 'model-not-found' } } })
  })

  it('gives everybody predictions of what is in production, once', async () => {
    first = await publish('first', 'production')
    await visits(1)
    second = await publish('second', 'production')
    expect(await batches()).toEqual(all(first))
    expect(await rescoreJson('--dry-run')).toMatchObject({ exitCode: 0, json: { isDryRun: true, rescored: USERS } })
    expect(await batches()).toEqual(all(first))

    const { exitCode, stdout } = await millrace('model', 'rescore', 'churn', '--settle', '1s', '--rate', '100')
    expect(exitCode).toBe(0)
    expect(stdout).toBe(`churn ${second}: 5 users: 5 rescored, 0 had it already, of 0 an event was first\n`)
    expect(await batches()).toEqual(all(second))
    expect(await rescoreJson('--segments', '3')).toMatchObject({
      exitCode: 0,
      json: { name: 'churn', batchId: second, users: USERS, rescored: 0, already: USERS, segments: 3 },
    })
  })

  it('scores everybody by a staged version before it serves, and goes back to one that served', async () => {
    const third = await publish('third', 'staging')
    expect(await rescoreJson('--before-pointer', third, '--dry-run')).toMatchObject({
      exitCode: 0,
      json: { isDryRun: true, isSwapped: false, prepared: { rescored: USERS } },
    })
    expect(await rescoreJson('--before-pointer', third)).toMatchObject({
      exitCode: 0,
      json: { isSwapped: true, prepared: { rescored: USERS }, finished: { already: USERS, rescored: 0 } },
    })
    expect(await batches()).toEqual(all(third))
    expect(await rescoreJson('--before-pointer', first)).toMatchObject({ exitCode: 0, json: { isSwapped: true } })
    expect(await batches()).toEqual(all(first))
    const { stdout } = await millrace('table', 'history', 'models.churn', 'production', '--json')
    expect(JSON.parse(stdout).entries.map(({ kind, batchId }: Record<string, string>) => [kind, batchId])).toEqual([
      ['rollback', first],
      ['promote', third],
      ['commit', second],
      ['commit', first],
    ])
  })

  it('refuses a version that was never staged, and what is no duration', async () => {
    const other = await publish('other', 'attic')
    expect(await rescoreJson('--before-pointer', other)).toMatchObject({ exitCode: 1 })
    expect((await millrace('model', 'rescore', 'churn', '--settle', 'soon')).exitCode).toBe(2)
    expect((await millrace('model', 'rescore', 'churn', '--before-pointer', 'newest')).exitCode).toBe(2)
    expect(await batches()).toEqual(all(first))
  })

  it('names users that are left, and ends with 1', async () => {
    await publish('fourth', 'production')
    const { dynamodb } = shop.aws.clients
    const { PutItemCommand } = await import('@aws-sdk/client-dynamodb')
    await dynamodb.send(
      new PutItemCommand({
        TableName: shop.connection.names.usersTable,
        Item: { userId: { S: 'broken' }, v: { N: '1' } },
      }),
    )
    const { exitCode, stdout, stderr } = await millrace('model', 'rescore', 'churn', '--settle', '1s')
    expect(exitCode).toBe(1)
    expect(stdout).toContain('1 left: their items cannot be read')
    expect(stderr).toContain('rescore-incomplete')
  })
})
