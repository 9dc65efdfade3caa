// GET of one user through the whole handler: when stored bytes pass through, and when the user is evaluated.
import { gunzipSync, inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { CatalogError } from '../../src/catalog/errors.ts'
import { encodeItem } from '../../src/store/item-codec.ts'
import { BATCH, BOTH, bodyBytes, FEATURES, FRESH_MS, parts, serveWorld } from './world.ts'

const PREDICTIONS = '/users/{userId}/predictions'
const DAY_MS = 86_400_000

function catalogueDown(): never {
  throw new CatalogError('down', { code: 'catalog-unavailable', retriable: true })
}

describe('while the stored result is exact', () => {
  it.each([
    [FEATURES, 'ft', parts.features],
    [PREDICTIONS, 'pr', parts.predictions],
  ] as const)(
    '%s passes the stored bytes through as deflate, without evaluating or writing',
    async (route, name, plain) => {
      const item = encodeItem(parts)
      const world = serveWorld(item)
      const response = await world.get({ route, headers: { 'accept-encoding': 'gzip, deflate' } })
      expect(response.statusCode).toBe(200)
      expect(bodyBytes(response).equals(item[name])).toBe(true)
      expect(inflateSync(bodyBytes(response)).toString()).toBe(plain)
      expect(response.headers).toMatchObject({
        'content-type': 'application/json',
        'content-encoding': 'deflate',
        vary: 'accept-encoding',
        'cache-control': 'private, no-cache',
        'millrace-source': 'stored',
        'millrace-as-of': '2016-01-31T11:55:00.000Z',
        'millrace-fresh-until': '2016-01-31T12:55:00.000Z',
      })
      expect(response.headers['millrace-models']).toBe(route === PREDICTIONS ? `churn=${BATCH}` : undefined)
      expect(world.evaluations).toEqual([])
      expect(world.users.counters).toMatchObject({ loadCalls: 1, loadManyCalls: 0, puts: 0 })
    },
  )

  it('answers gzip and identity with the same plain bytes', async () => {
    const world = serveWorld()
    const gzip = await world.get({ headers: { 'accept-encoding': 'gzip' } })
    expect(gzip.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(bodyBytes(gzip)).toString()).toBe(parts.features)
    const identity = await world.get()
    expect(identity.headers).not.toHaveProperty('content-encoding')
    expect(bodyBytes(identity).toString()).toBe(parts.features)
  })

  it('answers both bodies as one JSON object in any coding', async () => {
    const world = serveWorld()
    const expected = { features: JSON.parse(parts.features), predictions: JSON.parse(parts.predictions) }
    const plain = await world.get({ route: BOTH })
    expect(JSON.parse(bodyBytes(plain).toString())).toEqual(expected)
    const deflate = await world.get({ route: BOTH, headers: { 'accept-encoding': 'deflate' } })
    expect(JSON.parse(inflateSync(bodyBytes(deflate)).toString())).toEqual(expected)
    const gzip = await world.get({ route: BOTH, headers: { 'accept-encoding': 'gzip' } })
    expect(JSON.parse(gunzipSync(bodyBytes(gzip)).toString())).toEqual(expected)
    expect(gzip.headers['millrace-models']).toBe(`churn=${BATCH}`)
  })

  it('lasts for ever without fresh', async () => {
    const { fresh: _fresh, ...forEver } = parts
    const world = serveWorld(encodeItem(forEver))
    world.nowMs = FRESH_MS + 1000 * DAY_MS
    const response = await world.get()
    expect(response.headers['millrace-source']).toBe('stored')
    expect(response.headers).not.toHaveProperty('millrace-fresh-until')
  })
})

describe('once the stored result is not exact', () => {
  it('evaluates from the instant of fresh on, and says so', async () => {
    const world = serveWorld()
    world.nowMs = FRESH_MS - 1
    expect((await world.get()).headers['millrace-source']).toBe('stored')
    world.nowMs = FRESH_MS
    const response = await world.get({ headers: { 'accept-encoding': 'gzip' } })
    expect(response.headers['millrace-source']).toBe('evaluated')
    expect(response.headers['millrace-as-of']).toBe('2016-01-31T12:55:00.000Z')
    expect(JSON.parse(gunzipSync(bodyBytes(response)).toString())).toEqual({
      asOf: FRESH_MS,
      freshUntil: FRESH_MS + 60_000,
      values: { orders30d: 0 },
    })
    expect(world.evaluations).toEqual([FRESH_MS])
    expect(world.users.counters.puts).toBe(0)
  })

  it.each([
    ['another batch', { churn: '20160131000000-zzzzzzzz' }],
    ['one model more', { churn: BATCH, fraud: BATCH }],
    ['no model', {}],
  ])('evaluates predictions where production has %s, and not features', async (_name, production) => {
    const world = serveWorld()
    world.production = production
    expect((await world.get({ route: PREDICTIONS })).headers['millrace-source']).toBe('evaluated')
    expect((await world.get({ route: BOTH })).headers['millrace-source']).toBe('evaluated')
    expect((await world.get({ route: FEATURES })).headers['millrace-source']).toBe('stored')
  })

  it('evaluates features without asking for a model or for what is in production', async () => {
    const world = serveWorld()
    world.nowMs = FRESH_MS
    world.fault = catalogueDown
    const response = await world.get({ route: FEATURES })
    expect([response.statusCode, response.headers['millrace-source']]).toEqual([200, 'evaluated'])
    expect(world.calls).toEqual({ productionBatches: 0, predict: 0 })
    expect((await world.get({ route: PREDICTIONS })).statusCode).toBe(503)
  })

  it('serves what is stored to whoever asks for that, while the catalogue is down too', async () => {
    const world = serveWorld()
    world.nowMs = FRESH_MS + DAY_MS
    world.production = {}
    world.fault = catalogueDown
    for (const route of [FEATURES, PREDICTIONS, BOTH]) {
      const response = await world.get({ route, query: { at: 'stored' } })
      expect(response.headers['millrace-source']).toBe('stored')
      expect(response.headers['millrace-fresh-until']).toBe('2016-01-31T12:55:00.000Z')
    }
    expect(world.evaluations).toEqual([])
    expect(world.calls).toEqual({ productionBatches: 0, predict: 0 })
  })

  it('evaluates what was made by other definitions, features too, and stores nothing', async () => {
    const world = serveWorld()
    world.definitions = 'after a deploy'
    for (const route of [FEATURES, PREDICTIONS, BOTH]) {
      expect((await world.get({ route })).headers['millrace-source']).toBe('evaluated')
      const stored = await world.get({ route, query: { at: 'stored' } })
      expect(stored.headers['millrace-source']).toBe('stored')
    }
    expect(world.users.counters.puts).toBe(0)
  })
})

describe('revalidation', () => {
  it('answers 304 without a body to the tag of the same representation only', async () => {
    const world = serveWorld()
    const first = await world.get({ headers: { 'accept-encoding': 'gzip' } })
    const etag = String(first.headers['etag'])
    const revalidate = (headers: Record<string, string>) =>
      world.get({ headers: { 'if-none-match': etag, ...headers } })
    const second = await revalidate({ 'accept-encoding': 'gzip' })
    expect(second).toMatchObject({ statusCode: 304, body: '' })
    expect(second.headers).toEqual({ etag, vary: 'accept-encoding', 'cache-control': 'private, no-cache' })
    expect((await revalidate({ 'accept-encoding': 'deflate' })).statusCode).toBe(200)
    expect((await revalidate({})).statusCode).toBe(200)
  })

  it('gives all answers of one step one tag, and the next step another', async () => {
    const world = serveWorld()
    const etagAt = async (nowMs: number) => {
      world.nowMs = nowMs
      return (await world.get()).headers['etag']
    }
    const first = await etagAt(FRESH_MS)
    expect(await etagAt(FRESH_MS + 59_999)).toBe(first)
    expect(await etagAt(FRESH_MS + 60_000)).not.toBe(first)
  })

  it('gives another tag where a model fares otherwise with the same versions at the same instant', async () => {
    const world = serveWorld()
    world.nowMs = FRESH_MS
    for (const route of [PREDICTIONS, BOTH]) {
      world.status = 'refused'
      const refused = await world.get({ route })
      world.status = 'ok'
      const headers = { 'if-none-match': String(refused.headers['etag']) }
      const ok = await world.get({ route, headers })
      expect(ok.statusCode).toBe(200)
      expect(ok.body).not.toBe(refused.body)
      world.status = 'refused'
      expect((await world.get({ route, headers })).statusCode).toBe(304)
    }
  })

  it('recognizes an unchanged answer before it looks into the bytes', async () => {
    const item = encodeItem(parts)
    const etag = String((await serveWorld(item).get()).headers['etag'])
    const torn = serveWorld({ ...item, ft: item.ft.subarray(1) })
    expect((await torn.get({ headers: { 'if-none-match': etag } })).statusCode).toBe(304)
  })
})

describe('HEAD', () => {
  it('answers as GET does, without the body', async () => {
    const world = serveWorld()
    const get = await world.get({ headers: { 'accept-encoding': 'gzip' } })
    expect(await world.get({ method: 'HEAD', headers: { 'accept-encoding': 'gzip' } })).toEqual({
      ...get,
      body: '',
      isBase64Encoded: false,
    })
    const unknown = await world.get({ method: 'HEAD', pathParameters: { userId: 'nobody' } })
    expect(unknown).toMatchObject({ statusCode: 404, body: '' })
  })
})
