// Every artifact that must not serve, at both doors: whoever publishes it is refused and nothing is written; and where it came into the
// catalogue past them, functions refuse it and the version before goes on serving, to events and to GETs, warm and from a cold start.
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createPredictor } from '../../src/compose/predictor.ts'
import { serveRequests } from '../../src/compose/serve-requests.ts'
import { count } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { model } from '../../src/model/define.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { modelRegistry } from '../../src/model/registry.ts'
import { newSigningKeys, signManifest } from '../../src/model/signature.ts'
import { tryThenOpen } from '../../src/model/trial-load.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { definedFeatures } from '../../src/predictions/defined-features.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import type { Predictor } from '../../src/predictions/predictor.ts'
import { catalogWorld, REASON } from '../catalog/factories.ts'
import { recordingTelemetry } from '../compose/recording.ts'
import { gatewayEvent } from '../fakes/http-gateway.ts'
import { order, START } from '../features/factories.ts'
import { type Harness, harness, orderRecord } from '../recompute/harness.ts'
import { inputs } from './factories.ts'
import { hostileCases } from './hostile-cases.ts'
import { papers, papersZip } from './papers.ts'
import { rawZip } from './zip-writer.ts'

const FEATURES = features({ a: count(order), b: count(order, { within: '30d' }), c: count(order, { within: '7d' }) })
const churn = model('churn', { from: FEATURES, inputs: ['a', 'b', 'c'], owner: 'ana' })
const compiled = compilePipeline(pipeline({ name: 'shop', events: [order], features: FEATURES, models: [churn] }))
const defined = definedFeatures(compiled)
const fitting = inputs('a', 'b', 'c').map(input => ({
  ...input,
  fingerprint: defined.get(input.name)?.fingerprint ?? '',
}))

const REFRESH_MS = 30_000
const production = { db: 'models', table: 'churn', partition: 'production' }
/** One order: 1 + 2 · 1 − 1. */
const PROBABILITY = 1 / (1 + Math.exp(-2))

const keys = newSigningKeys()
const { catalog, objects, store } = catalogWorld()
const options = { trustedKeys: [keys.publicKey] }
const registry = modelRegistry(catalog)
let nowMs = START + 86_400_000
let before = ''
let users = 0
let warm: Serving

interface Serving {
  readonly predictor: Predictor
  readonly problems: unknown[]
  readonly run: Harness
}

/** A function's process: its predictor, recompute and serve on the same store. */
function startServing(more: { readonly trustedKeys?: readonly string[] } = {}): Serving {
  const problems: unknown[] = []
  const clock = () => nowMs
  const onError = (error: unknown): void => void problems.push(error)
  const predictor = createPredictor(compiled, { catalog, clock, refreshMs: REFRESH_MS, onError, ...more })
  return { predictor, problems, run: harness({ compiled, predictor }) }
}

/** An event of a new user is folded and predicted, and a GET asks for him. */
async function serve({ predictor, run }: Serving) {
  const user = `user-${++users}`
  await run.deliver([orderRecord(user, users, { user, ts: nowMs - 1_000 })])
  expect(await run.users.load(user)).toMatchObject({ models: { churn: before } })
  const telemetry = recordingTelemetry()
  const handler = serveRequests({ compiled, users: run.users, predictor, clock: () => nowMs, telemetry })
  const route = '/users/{userId}/predictions'
  const { statusCode, body, isBase64Encoded } = await handler(gatewayEvent({ route, pathParameters: { userId: user } }))
  expect(telemetry.errors).toEqual([])
  const { models } = JSON.parse(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8').toString()) as {
    models: Record<string, unknown>
  }
  return { statusCode, churn: models['churn'] }
}

const served = () => ({
  statusCode: 200,
  churn: {
    status: 'ok',
    batchId: before,
    inputs: expect.any(String),
    value: { probability: expect.closeTo(PROBABILITY, 6) },
  },
})

beforeAll(async () => {
  const zip = papersZip({ manifest: { inputs: fitting } })
  before = (await registry.publish({ zip, stage: 'production', openSession: openOnnxSession, ...REASON })).batchId
  warm = startServing()
  expect(await serve(warm)).toEqual(served())
})

/** As somebody would who has the right to write, and no registry. */
async function putCurrent(zip: Uint8Array): Promise<string> {
  const { batchId } = await catalog.store(production, {
    parts: [{ name: 'part-model', body: zip, rows: 1 }],
    ...REASON,
  })
  return batchId
}

const cases = hostileCases(fitting)

describe('whoever publishes', () => {
  test.each(cases.map(each => [each.what, each.code, each] as const))(
    '%s is refused: %s',
    async (_, code, { zip, trial }) => {
      const openSession = trial === undefined ? openOnnxSession : tryThenOpen(openOnnxSession, { limits: trial })
      const writes = () => objects.calls.create + store.calls.create
      const written = writes()
      const refused = await registry
        .publish({ zip, stage: 'production', openSession, ...REASON })
        .catch((error: unknown) => error)
      expect(refused).toMatchObject({ name: 'ModelError', code, next: expect.stringMatching(/./) })
      expect(writes()).toBe(written)
      expect(await serve(warm)).toEqual(served())
    },
  )
})

describe('a function that finds current', () => {
  const found = cases.filter(({ trial }) => trial === undefined)
  test.each(found.map(each => [each.what, each.code, each] as const))(
    '%s (%s) goes on with the version before',
    async (_, code, { zip }) => {
      const batchId = await putCurrent(zip)
      nowMs += REFRESH_MS
      warm.problems.length = 0
      expect(await serve(warm)).toEqual(served())
      expect(warm.problems).toEqual([expect.objectContaining({ name: 'ModelError', code })])
      const cold = startServing()
      expect(await serve(cold)).toEqual(served())
      expect(cold.problems).toEqual([expect.objectContaining({ code })])
      expect((await catalog.current(production))?.batchId).toBe(batchId)
    },
  )
})

afterEach(async () => {
  if ((await catalog.current(production))?.batchId !== before)
    await catalog.rollback(production, { to: before, ...REASON })
})

describe('where keys are listed', () => {
  const entries = papers({ manifest: { inputs: fitting } })
  const manifest = Buffer.from(String(entries[0]?.content))
  const other = newSigningKeys()
  const signed = (content: Uint8Array): Uint8Array =>
    rawZip({ entries: [...entries, { name: 'signature.json', content }] })
  const ours = Buffer.from(signManifest(manifest, keys.privatePem)).toString()

  test.each([
    ['none', 'signature-missing', rawZip({ entries })],
    ['one by nobody here', 'signature-untrusted', signed(signManifest(manifest, other.privatePem))],
    ['one of another manifest', 'signature-wrong', signed(signManifest(Buffer.from('{}'), keys.privatePem))],
    [
      'one by somebody else in our name',
      'signature-wrong',
      signed(Buffer.from(ours.replace(/"signature": ".{4}/, '"signature": "AAAA'))),
    ],
  ])('a signature that is %s is refused at both doors: %s', async (_, code, zip) => {
    const published = modelRegistry(catalog, options).publish({ zip, openSession: openOnnxSession, ...REASON })
    await expect(published).rejects.toMatchObject({ name: 'ModelError', code })
    const good = await putCurrent(signed(Buffer.from(ours)))
    await putCurrent(zip)
    const cold = startServing(options)
    await cold.predictor.pinned()
    expect(cold.problems).toEqual([expect.objectContaining({ code })])
    expect(await cold.predictor.production()).toEqual({ churn: good })
  })
})

test('there are enough of them, and many reasons', () => {
  expect(cases.length).toBeGreaterThanOrEqual(25)
  expect(new Set(cases.map(({ code }) => code)).size).toBeGreaterThanOrEqual(25)
})
