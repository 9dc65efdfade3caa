// `users explain` on the local cloud's DynamoDB and S3, where functions serve a version that stands in for the one in production.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { rawObjects } from '../../src/archive/raw-object.ts'
import { COMMANDS } from '../../src/cli/commands.ts'
import { loadPipeline } from '../../src/cli/load-pipeline.ts'
import { runCli } from '../../src/cli/run-cli.ts'
import { type Connection, connect } from '../../src/compose/connect.ts'
import { createPredictor } from '../../src/compose/predictor.ts'
import { LOCAL_ACCOUNT_ID, resourceNames } from '../../src/compose/resource-names.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { modelRegistry } from '../../src/model/registry.ts'
import { type CompiledPipeline, compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { definedFeatures } from '../../src/predictions/defined-features.ts'
import { recomputeBatch } from '../../src/recompute/recompute-batch.ts'
import { REASON } from '../catalog/factories.ts'
import { type LocalAws, startLocalAws } from '../fakes/local-aws.ts'
import { artifactOf, inputs, zipOf } from '../model/factories.ts'
import { rawRecord } from '../recompute/harness.ts'
import { testWorld } from './cli-world.ts'

const PIPELINE = `
import { count, event, features, model, pipeline } from ${JSON.stringify(join(import.meta.dirname, '..', '..', 'src', 'api', 'index.ts'))}
const visit = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {} })
const visitor = features({ a: count(visit, { within: '1h' }), b: count(visit, { within: '1d' }), c: count(visit) })
const churn = model('churn', { from: visitor, inputs: ['a', 'b', 'c'], owner: 'ana' })
export default pipeline({ name: 'shop', features: visitor, models: [churn] })
`
const names = resourceNames({ pipeline: 'shop', stage: 'dev', accountId: LOCAL_ACCOUNT_ID })

let folder = ''
let aws: LocalAws
let connection: Connection
let compiled: CompiledPipeline

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'explain-stand-in-'))
  await mkdir(join(folder, 'src', 'pipeline'), { recursive: true })
  await writeFile(join(folder, 'src', 'pipeline', 'index.ts'), PIPELINE)
  compiled = compilePipeline(await loadPipeline(folder))
  aws = await startLocalAws()
  await aws.createUsersTable(names.usersTable)
  await aws.createCatalog(names)
  await aws.createBucket(names.archiveBucket)
  connection = connect({ pipeline: 'shop', stage: 'dev', env: aws.env })
})

afterAll(async () => {
  connection.close()
  await aws.stop()
  await rm(folder, { recursive: true, force: true })
})

async function publish(isFitting: boolean): Promise<string> {
  const defined = definedFeatures(compiled)
  const own = inputs('a', 'b', 'c').map(input => ({
    ...input,
    fingerprint: isFitting ? (defined.get(input.name)?.fingerprint ?? '') : input.fingerprint,
  }))
  const zip = zipOf(artifactOf('wide', { inputs: own, description: `${isFitting}` }))
  const registry = modelRegistry(connection.catalog)
  return (await registry.publish({ zip, stage: 'production', openSession: openOnnxSession, ...REASON })).batchId
}

/** Through the predictor that functions have, which passes over what does not fit. */
async function visitOf(user: string): Promise<void> {
  const at = Date.now() - 1000
  const records = [rawRecord({ type: 'visit', id: '1', user, at: new Date(at).toISOString() }, 1, user, at)]
  const predictor = createPredictor(compiled, { ...connection, refreshMs: 0, onError: () => undefined })
  const aside = { writeDeadLetters: fail, writeDoubt: fail }
  await recomputeBatch(records, { ...connection, compiled, predictor, aside, remainingMs: () => 60_000 })
  for (const { key, body } of rawObjects(records)) await connection.archive.create(key, body)
}

async function fail(error: unknown): Promise<never> {
  throw new Error('not expected here', { cause: error })
}

it('says that what is stored was made by it, for which version it stands in, and why', async () => {
  const [fitting, current] = [await publish(true), await publish(false)]
  await visitOf('ana')
  const world = testWorld({ cwd: folder, env: { ...aws.env, USER: 'ana' }, clock: Date.now })
  expect(await runCli(['users', 'explain', 'ana'], COMMANDS, world)).toBe(0)
  const { stdout } = world.written
  expect(stdout).toMatch(
    new RegExp(
      `Model churn: probability 0\\.\\d+, by version ${fitting}, which stands in for ${current}, in production`,
    ),
  )
  expect(stdout).toMatch(/Its prediction of churn is what the model says of them: probability 0\.\d+\./)
  expect(stdout).toContain(
    `It was made by version ${fitting}, as ${current}, which is in production, is not ready: a was defined otherwise`,
  )
})
