// Requests to the catalogue over HTTP that bring about every answer that docs/openapi.json declares of it.
import { createHash } from 'node:crypto'
import { CatalogError } from '../../src/catalog/errors.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { catalogHttp } from '../../src/serve/catalog-http.ts'
import { type CatalogWorld, catalogWorld, PLAIN, REASON, START_MS, textParts } from '../catalog/factories.ts'
import { gatewayEvent, type GatewayRequest } from '../fakes/http-gateway.ts'
import { ANSWER_BYTES_MAX, type ApiGatewayResult } from '../../src/serve/api-gateway.ts'

export interface CatalogExchange {
  readonly operation: string
  readonly response: ApiGatewayResult
}

const TABLE = '/catalog/tables/{table}'
const PARTITION = 'day=2026-06-30'
const SCORES = { db: 'team', table: 'scores', partition: PARTITION }
const BODY = new TextEncoder().encode('a')
const PART = { bytes: BODY.byteLength, rows: 1, sha256: createHash('sha256').update(BODY).digest('hex') }
const NEVER = '20260102030405-7h3k9c2m'

function handlerOf({ catalog }: Pick<CatalogWorld, 'catalog'>, { host = 'bucket.example' } = {}) {
  return catalogHttp({
    catalog,
    urls: {
      get: async key => `https://${host}/${key}`,
      create: async key => ({ url: `https://${host}/${key}`, headers: { 'if-none-match': '*' } }),
    },
    reserved: new Set(['models']),
    clock: () => START_MS,
    random: seededRandom(3),
    report: () => undefined,
  })
}

export async function catalogExchanges(): Promise<CatalogExchange[]> {
  const world = catalogWorld()
  const { catalog, objects } = world
  await catalog.createTable(SCORES, PLAIN)
  const first = await catalog.store(SCORES, { parts: textParts('a', 'b'), ...REASON })
  const purged = await catalog.store(SCORES, { parts: textParts('c'), ...REASON })
  await catalog.store(SCORES, { parts: textParts('d'), ...REASON })
  markBatch(world, first.batchId, { state: 'cold' })
  markBatch(world, purged.batchId, { state: 'purged', purged: { at: START_MS, ...REASON } })
  const ask = asker(handlerOf(world))
  const plan = await ask('POST', `${TABLE}/uploads`, { body: { partitions: [PARTITION], parts: [PART] } })
  const { batchId, parts } = JSON.parse(plan.response.body) as {
    readonly batchId: string
    readonly parts: readonly { readonly name: string }[]
  }
  const named = [{ ...PART, name: parts[0]?.name ?? '' }]
  const commit = { partition: PARTITION, batchId, parts: named, ...REASON }
  const early = await ask('POST', `${TABLE}/commits`, { body: commit })
  await objects.create(`team/scores/${PARTITION}/${batchId}/${named[0]?.name}`, BODY)
  const rollback = (to: string) => ask('POST', `${TABLE}/rollbacks`, { body: { partition: PARTITION, to, ...REASON } })
  const reserved = { pathParameters: { table: 'models.churn' } }
  const missing = { pathParameters: { table: 'team.never' } }
  const bad = { pathParameters: { table: 'Team' } }
  const definition = { columns: [], format: 'ndjson.gz', owner: 'ana' }
  return [
    plan,
    early,
    await ask('POST', `${TABLE}/commits`, { body: commit }),
    await ask('POST', `${TABLE}/commits`, { body: {} }),
    await ask('POST', `${TABLE}/commits`, { body: commit, ...reserved }),
    await ask('POST', `${TABLE}/commits`, { body: commit, ...missing }),
    await ask('POST', `${TABLE}/uploads`, { body: {} }),
    await ask('POST', `${TABLE}/uploads`, { body: { partitions: ['x'], parts: [] }, ...reserved }),
    await ask('POST', `${TABLE}/uploads`, { body: { partitions: ['x'], parts: [] }, ...missing }),
    await rollback(purged.batchId),
    await rollback(batchId),
    await rollback(NEVER),
    await rollback('x'),
    await ask('POST', `${TABLE}/rollbacks`, { body: { partition: 'x', to: NEVER, ...REASON }, ...reserved }),
    await ask('GET', '/catalog/tables'),
    await ask('GET', TABLE),
    await ask('GET', TABLE, bad),
    await ask('GET', TABLE, missing),
    await ask('PUT', TABLE, { body: definition }),
    await ask('PUT', TABLE, { body: {} }),
    await ask('PUT', TABLE, { body: definition, ...reserved }),
    await ask('PUT', TABLE, { body: { ...definition, partitionKeys: ['day'] } }),
    await ask('GET', `${TABLE}/history`),
    await ask('GET', `${TABLE}/history`, bad),
    await ask('GET', `${TABLE}/history`, missing),
    await ask('GET', `${TABLE}/batch`),
    await ask('GET', `${TABLE}/batch`, { query: { asOf: 'noon' } }),
    await ask('GET', `${TABLE}/batch`, missing),
    await ask('GET', `${TABLE}/batch`, { query: { batchId: first.batchId } }),
    await ask('GET', `${TABLE}/batch`, { query: { batchId: purged.batchId } }),
    ...(await failures(commit, definition)),
    ...(await tooBig(world)),
  ].concat(await rolledBack(world, ask))
}

type Ask = (method: string, route: string, request?: AskRequest) => Promise<CatalogExchange>
type AskRequest = Omit<GatewayRequest, 'method' | 'route' | 'body'> & { readonly body?: unknown }

function asker(handler: ReturnType<typeof handlerOf>): Ask {
  return async (method, route, { body, ...request } = {}) => ({
    operation: `${method.toLowerCase()} ${route}`,
    response: await handler(
      gatewayEvent({
        method,
        route,
        pathParameters: route === '/catalog/tables' ? {} : { table: 'team.scores' },
        ...request,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    ),
  })
}

async function rolledBack({ catalog }: CatalogWorld, ask: Ask): Promise<CatalogExchange[]> {
  const [, before] = await catalog.history(SCORES)
  const body = { partition: PARTITION, to: before?.batchId ?? '', ...REASON }
  return [await ask('POST', `${TABLE}/rollbacks`, { body })]
}

/** Each route on a store that does not answer, and on one with a bug. */
async function failures(commit: object, definition: object): Promise<CatalogExchange[]> {
  const down = new CatalogError('down', { code: 'catalog-unavailable', retriable: true })
  const asks: readonly (readonly [string, string, unknown?])[] = [
    ['GET', '/catalog/tables'],
    ['GET', TABLE],
    ['PUT', TABLE, definition],
    ['GET', `${TABLE}/history`],
    ['GET', `${TABLE}/batch`],
    ['POST', `${TABLE}/uploads`, { partitions: ['x'], parts: [] }],
    ['POST', `${TABLE}/commits`, commit],
    ['POST', `${TABLE}/rollbacks`, { partition: 'x', to: NEVER, ...REASON }],
  ]
  const exchanges: CatalogExchange[] = []
  for (const error of [down, new TypeError('bug')]) {
    const ask = asker(handlerOf(catalogWorld({ fault: () => fail(error) })))
    for (const [method, route, body] of asks) exchanges.push(await ask(method, route, { body }))
  }
  return exchanges
}

/** Each route whose answer grows with what there is. */
async function tooBig({ catalog }: Pick<CatalogWorld, 'catalog'>): Promise<CatalogExchange[]> {
  const long = 'x'.repeat(ANSWER_BYTES_MAX)
  const huge: CatalogWorld['catalog'] = {
    ...catalog,
    tables: async () => Array.from({ length: ANSWER_BYTES_MAX / 8 }, () => ({ db: 'team', table: 'scores' })),
    schema: async () => ({ ...PLAIN, owner: long }),
    history: async (...asked) => (await catalog.history(...asked)).map(entry => ({ ...entry, why: long })),
  }
  const ask = asker(handlerOf({ catalog: huge }, { host: long }))
  return [
    await ask('GET', '/catalog/tables'),
    await ask('GET', TABLE),
    await ask('GET', `${TABLE}/history`),
    await ask('GET', `${TABLE}/batch`),
    await ask('POST', `${TABLE}/uploads`, { body: { partitions: [PARTITION], parts: [PART] } }),
  ]
}

function fail(error: Error): never {
  throw error
}

function markBatch({ store }: CatalogWorld, batchId: string, marks: Readonly<Record<string, unknown>>): void {
  const key = [...store.items.keys()].find(sk => sk.includes('batch#') && sk.endsWith(batchId)) ?? ''
  const item = store.items.get(key)
  if (item === undefined) throw new Error(`There is no batch ${batchId}`)
  store.items.set(key, { ...item, attributes: { ...item.attributes, ...(marks as typeof item.attributes) } })
}
