// From events to GET across a deploy, on in-memory ports: what the old definitions stored, the new ones evaluate until the user's
// next event; nothing is served short, and nothing is written by reading.
import { describe, expect, it } from 'vitest'
import { model } from '../../src/model/define.ts'
import { count, sum } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { DAY_MS } from '../../src/platform/duration.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { modelPredictor } from '../../src/predictions/model-predictor.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { type Predictor, predictOne } from '../../src/predictions/predictor.ts'
import { featuresAt } from '../../src/serve/evaluate-user.ts'
import { serveHttp } from '../../src/serve/serve-http.ts'
import { isCorrupt } from '../../src/store/user-item.ts'
import { gatewayEvent } from '../fakes/http-gateway.ts'
import { order, START, visit } from '../features/factories.ts'
import { countingPredictor, type Harness, harness, orderRecord } from '../recompute/harness.ts'
import { bodyBytes } from './world.ts'

const old = { orders7d: count(order, { within: '7d' }), spend7d: sum(order, 'amount', { within: '7d' }) }
const before = compiledShop(features(old))
/** One feature more over a state that there is, one over a state that there is not. */
const after = compiledShop(features({ ...old, orders30d: count(order, { within: '30d' }), visitsEver: count(visit) }))

function compiledShop(set: Parameters<typeof pipeline>[0]['features']) {
  return compilePipeline(pipeline({ name: 'shop', events: [order, visit], features: set, models: [] }))
}

/** Ana orders at seconds 1 and 3, Bob at second 2, before the deploy. */
async function shopBeforeDeploy(): Promise<Harness> {
  const shop = harness({ compiled: before })
  await shop.deliver([orderRecord(1, 1), orderRecord(2, 2, { user: 'bob' }), orderRecord(3, 3)])
  return shop
}

function deploy(shop: Harness, compiled: typeof before): void {
  shop.dependencies = { ...shop.dependencies, compiled }
}

function serving(shop: Harness, predictor: Predictor, nowMs: number): ReturnType<typeof serveHttp> {
  const { compiled } = shop.dependencies
  return serveHttp({
    load: id => shop.users.load(id),
    featuresAt: (item, atMs) => featuresAt(compiled, item, atMs),
    predict: body => predictOne(predictor, body),
    productionBatches: () => predictor.production(),
    definitions: compiled.definitions,
    clock: () => nowMs,
    report: error => expect.fail(String(error)),
  })
}

async function getUser(shop: Harness, userId: string, nowMs: number) {
  const predictor = countingPredictor([])
  const handler = serving(shop, predictor, nowMs)
  const response = await handler(gatewayEvent({ route: '/users/{userId}', pathParameters: { userId } }))
  const { features: body, predictions } = JSON.parse(bodyBytes(response).toString())
  return {
    source: response.headers['millrace-source'],
    values: body.values,
    pending: body.pending,
    predicted: predictions.models.churn.value.orders,
  }
}

function definitionsStored(shop: Harness): Record<string, string> {
  const items = shop.users.items()
  return Object.fromEntries(items.map(item => [item.userId, isCorrupt(item) ? item.corrupt : item.definitions]))
}

const NOW = START + 10_000

describe('after a deploy that adds features', () => {
  it('GET shows them at once, null and backfilling, and the old ones as they were', async () => {
    const shop = await shopBeforeDeploy()
    const values = { orders7d: 2, spend7d: 20 }
    expect(await getUser(shop, 'ana', NOW)).toMatchObject({ source: 'stored', values, pending: undefined })
    deploy(shop, after)
    const { puts } = shop.users.counters
    expect(await getUser(shop, 'ana', NOW)).toEqual({
      source: 'evaluated',
      values: { ...values, orders30d: null, visitsEver: null },
      pending: { orders30d: 'backfilling', visitsEver: 'backfilling' },
      predicted: 0,
    })
    expect(shop.users.counters.puts).toBe(puts)
    deploy(shop, before)
    expect((await getUser(shop, 'ana', NOW)).source).toBe('stored')
  })

  it('the next event of a user stores them, of that user alone, and a duplicate does not', async () => {
    const shop = await shopBeforeDeploy()
    deploy(shop, after)
    await shop.deliver([orderRecord(2, 4, { user: 'bob', ts: START + 2000 })])
    expect(definitionsStored(shop)).toEqual({ ana: before.definitions, bob: before.definitions })
    await shop.deliver([orderRecord(4, 5)])
    expect(definitionsStored(shop)).toEqual({ ana: after.definitions, bob: before.definitions })
    expect(await getUser(shop, 'ana', NOW)).toMatchObject({
      source: 'stored',
      values: { orders7d: 3, spend7d: 30, orders30d: null, visitsEver: null },
      pending: { orders30d: 'backfilling', visitsEver: 'backfilling' },
    })
    expect((await getUser(shop, 'bob', NOW)).source).toBe('evaluated')
    deploy(shop, before)
    expect(await getUser(shop, 'ana', NOW)).toMatchObject({
      source: 'evaluated',
      values: { orders7d: 3, spend7d: 30 },
      pending: undefined,
    })
  })

  it('a window is complete once it has passed over what was before: 0 after 31 days of silence, event or not', async () => {
    const shop = await shopBeforeDeploy()
    deploy(shop, after)
    await shop.deliver([orderRecord(4, 5)])
    for (const userId of ['ana', 'bob']) {
      expect(await getUser(shop, userId, NOW + 31 * DAY_MS)).toMatchObject({
        source: 'evaluated',
        values: { orders7d: 0, spend7d: 0, orders30d: 0, visitsEver: null },
        pending: { visitsEver: 'backfilling' },
      })
    }
  })

  it('a user who comes after it has everything from the start', async () => {
    const shop = await shopBeforeDeploy()
    deploy(shop, after)
    await shop.deliver([orderRecord(4, 5, { user: 'eve' })])
    const values = { orders7d: 1, spend7d: 10, orders30d: 1, visitsEver: 0 }
    expect(await getUser(shop, 'eve', NOW)).toEqual({ source: 'stored', values, pending: undefined, predicted: 1 })
  })
})

describe('the order in which features and models are written', () => {
  /** `reorder` takes features and models as written. */
  async function answers(reorder: <T>(written: readonly T[]) => T[]) {
    const written = Object.entries({ ...old, orders30d: count(order, { within: '30d' }), visitsEver: count(visit) })
    const set = features(Object.fromEntries(reorder(written)))
    const inputs = ['orders7d']
    const models = reorder(['churn', 'upsell', 'alike']).map(name => model(name, { from: set, inputs, owner: 'ana' }))
    const compiled = compilePipeline(pipeline({ name: 'shop', events: [order, visit], features: set, models }))
    const noModel = async () => undefined
    const predictor = modelPredictor(compiled, name => ({ name, session: noModel, batchId: noModel }))
    const shop = harness({ compiled, predictor })
    await shop.deliver([orderRecord(1, 1), orderRecord(2, 2)])
    const found: unknown[] = [compiled.definitions]
    for (const nowMs of [NOW, NOW + 31 * DAY_MS]) {
      for (const route of ['/users/{userId}', '/users/{userId}/features', '/users/{userId}/predictions']) {
        const request = gatewayEvent({ route, pathParameters: { userId: 'ana' } })
        const { headers, body } = await serving(shop, predictor, nowMs)(request)
        found.push([headers['millrace-source'], headers['etag'], body])
      }
    }
    return found
  }

  it('changes no byte of an answer, stored or evaluated', async () => {
    const asWritten = await answers(written => [...written])
    expect(await answers(written => written.toReversed())).toEqual(asWritten)
    expect(JSON.stringify(asWritten)).toMatch(/stored.*evaluated/)
  })
})

describe('with no deploy', () => {
  it('a 30-day count of a user silent for 31 days is 0, with no parameter', async () => {
    const shop = harness()
    await shop.deliver([orderRecord(1, 1), orderRecord(2, 2)])
    const read = async (nowMs: number) => {
      const { source, values, predicted } = await getUser(shop, 'ana', nowMs)
      return [source, values.orders30d, predicted]
    }
    expect(await read(START + 2000)).toEqual(['stored', 2, 2])
    expect(await read(START + 29 * DAY_MS)).toEqual(['evaluated', 2, 2])
    expect(await read(START + 31 * DAY_MS + 2000)).toEqual(['evaluated', 0, 0])
  })
})
