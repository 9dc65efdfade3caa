// docs/openapi.json held against the handlers: what they answer is declared to the last header, what is declared they answer,
// and every example is valid.
import { readFileSync } from 'node:fs'
import { gunzipSync, inflateSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { EventStreamError } from '../../src/event/errors.ts'
import type { ApiGatewayResult } from '../../src/serve/api-gateway.ts'
import { ANSWER_BYTES_MAX } from '../../src/serve/api-gateway.ts'
import { INGEST_BODY_BYTES_MAX } from '../../src/serve/ingest-http.ts'
import { CATALOG_PROBLEM_CODES } from '../../src/serve/catalog-problem.ts'
import { PROBLEM_CODES, problem } from '../../src/serve/problem.ts'
import { StoreError } from '../../src/store/errors.ts'
import { encodeItem } from '../../src/store/item-codec.ts'
import { gatewayEvent, type GatewayHandler, type GatewayRequest } from '../fakes/http-gateway.ts'
import { catalogExchanges } from './catalog-exchanges.ts'
import { ingestWorld, orderJson } from './ingest-world.ts'
import { type Schema, schemaProblems } from './json-schema.ts'
import { bodyBytes, FRESH_MS, parts, serveWorld, USER } from './world.ts'

interface Declared {
  readonly headers?: Readonly<Record<string, Schema>>
  readonly content?: Readonly<Record<string, Media>>
}
interface Media {
  readonly schema: Schema
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
}
type Operation = {
  readonly responses: Readonly<Record<string, unknown>>
  readonly requestBody?: { readonly content: Record<string, Media> }
}

const document = JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

function resolve(ref: string): unknown {
  const [, , kind = '', name = ''] = ref.split('/')
  const found = document.components[kind]?.[name]
  if (found === undefined) throw new Error(`${ref} is not there`)
  return found
}

function dereferenced<T>(value: T | { readonly $ref: string }): T {
  return typeof value === 'object' && value !== null && '$ref' in value ? (resolve(value.$ref) as T) : value
}

interface Exchange {
  readonly operation: string
  readonly response: ApiGatewayResult
}

const USER_ROUTES = ['/users/{userId}', '/users/{userId}/features', '/users/{userId}/predictions'] as const

async function exchange(handler: GatewayHandler, request: GatewayRequest): Promise<Exchange> {
  const { method = 'GET', route } = request
  return { operation: `${method.toLowerCase()} ${route}`, response: await handler(gatewayEvent(request)) }
}

async function userExchanges(method: string, route: string): Promise<Exchange[]> {
  const at = { method, route, pathParameters: { userId: USER } }
  const exact = serveWorld()
  const evaluating = serveWorld()
  evaluating.nowMs = FRESH_MS
  const failing = (error: Error) => {
    const world = serveWorld()
    world.users.fault = () => ({ throwBefore: error })
    return world
  }
  const { fresh: _fresh, ...forEver } = parts
  const item = encodeItem(parts)
  // Evaluated, as what is stored has other definitions.
  const tooMuch = serveWorld()
  tooMuch.definitions = 'other'
  tooMuch.predictions = { churn: { status: 'ok', batchId: 'b1', value: { said: 'x'.repeat(ANSWER_BYTES_MAX) } } }
  const torn = serveWorld({ ...item, ft: item.ft.subarray(1), pr: item.pr.subarray(1) })
  const first = await exchange(exact.handler, at)
  return [
    first,
    await exchange(exact.handler, { ...at, headers: { 'accept-encoding': 'gzip' } }),
    await exchange(exact.handler, { ...at, headers: { 'accept-encoding': 'deflate' } }),
    await exchange(exact.handler, { ...at, query: { at: 'stored' } }),
    await exchange(exact.handler, { ...at, headers: { 'if-none-match': String(first.response.headers['etag']) } }),
    await exchange(serveWorld(encodeItem({ ...forEver, models: {} })).handler, { ...at, query: { at: 'stored' } }),
    await exchange(evaluating.handler, at),
    await exchange(exact.handler, { ...at, pathParameters: { userId: 'a/b' } }),
    await exchange(exact.handler, { ...at, query: { at: 'noon' } }),
    await exchange(exact.handler, { ...at, pathParameters: { userId: 'nobody' } }),
    await exchange(exact.handler, { ...at, headers: { 'accept-encoding': '*;q=0' } }),
    await exchange(torn.handler, at),
    ...(route.endsWith('features') ? [] : [await exchange(tooMuch.handler, at)]),
    await exchange(failing(new TypeError('bug')).handler, at),
    await exchange(failing(new StoreError('down', { code: 'store-unavailable', retriable: true })).handler, at),
  ]
}

async function eventExchanges(): Promise<Exchange[]> {
  const at = { method: 'POST', route: '/events', body: orderJson() }
  const down = new EventStreamError('down', { code: 'InternalFailure', retriable: true })
  const { handler } = ingestWorld({
    entryFault: ({ partitionKey }) => (partitionKey === 'bob' ? 'InternalFailure' : undefined),
  })
  return [
    await exchange(handler, at),
    await exchange(handler, { ...at, body: `[${orderJson()},oops,${orderJson({ user: 'bob' })},{}]` }),
    await exchange(handler, { ...at, body: '[' }),
    await exchange(handler, { ...at, query: { a: 'b' } }),
    await exchange(handler, { ...at, body: new Uint8Array(INGEST_BODY_BYTES_MAX + 1) }),
    await exchange(handler, { ...at, body: `[${'1,'.repeat(2000)}1]` }),
    await exchange(handler, { ...at, headers: { 'content-encoding': 'br' } }),
    await exchange(ingestWorld({ callFault: () => new TypeError('bug') }).handler, at),
    await exchange(ingestWorld({ callFault: () => down }).handler, at),
  ]
}

let exchanges: readonly Exchange[]

beforeAll(async () => {
  const all = [eventExchanges(), catalogExchanges()]
  for (const route of USER_ROUTES) all.push(userExchanges('GET', route), userExchanges('HEAD', route))
  exchanges = (await Promise.all(all)).flat()
})

/** What the document does not allow about a response. */
function undeclared({ operation, response }: Exchange): string[] {
  const [method = '', route = ''] = operation.split(' ')
  const declared = document.paths[route]?.[method]?.responses[String(response.statusCode)]
  if (declared === undefined) return [`${operation} ${response.statusCode} is not declared`]
  const { headers = {}, content } = dereferenced(declared as Declared)
  const { 'content-type': contentType, ...sent } = response.headers
  const byName = new Map(Object.entries(headers).map(([name, header]) => [name.toLowerCase(), dereferenced(header)]))
  const problems = Object.entries(sent).flatMap(([name, value]) => {
    const header = byName.get(name)
    return header === undefined
      ? [`${name} is not declared`]
      : schemaProblems(value, header['schema'] as Schema, resolve, name)
  })
  for (const [name, header] of byName) if (header['required'] === true && !(name in sent)) problems.push(`no ${name}`)
  const media = contentType === undefined ? undefined : content?.[contentType]
  if (media === undefined) return response.body === '' ? problems : [...problems, `${contentType} is not declared`]
  return [...problems, ...schemaProblems(JSON.parse(plainBody(response)), media.schema, resolve)]
}

function plainBody(response: ApiGatewayResult): string {
  const bytes = bodyBytes(response)
  const coding = response.headers['content-encoding']
  return String(coding === 'gzip' ? gunzipSync(bytes) : coding === 'deflate' ? inflateSync(bytes) : bytes)
}

describe('docs/openapi.json', () => {
  it('declares every status, header and body that the handlers answer', () => {
    const wrong = exchanges.flatMap(one =>
      undeclared(one).map(text => `${one.operation} ${one.response.statusCode}: ${text}`),
    )
    expect(wrong).toEqual([])
  })

  it('declares no status that the handlers do not answer', () => {
    const answered = new Set(exchanges.map(({ operation, response }) => `${operation} ${response.statusCode}`))
    const declared = Object.entries(document.paths).flatMap(([route, operations]) =>
      Object.entries(operations).flatMap(([method, { responses }]) =>
        Object.keys(responses).map(status => `${method} ${route} ${status}`),
      ),
    )
    expect(declared.sort()).toEqual([...answered].sort())
  })

  it('has a next step of the catalogue where an answer of the catalogue is too big', () => {
    const steps = exchanges
      .filter(({ operation, response }) => operation.includes('/catalog') && response.statusCode === 507)
      .map(({ response }) => JSON.parse(String(response.body)) as { readonly code: string; readonly next: string })
    expect(steps).toHaveLength(5)
    for (const { code, next } of steps) {
      expect(code).toBe('answer-too-big')
      expect(next).toContain('firstPart')
      expect(next).not.toContain('/features')
    }
  })

  it('lists exactly the problem codes that there are', () => {
    const schema = resolve('#/components/schemas/Problem') as { properties: { code: { enum: string[] } } }
    expect(schema.properties.code.enum.toSorted()).toEqual(PROBLEM_CODES.toSorted())
    const ofCatalog = resolve('#/components/schemas/CatalogProblem') as typeof schema
    expect(ofCatalog.properties.code.enum.toSorted()).toEqual(CATALOG_PROBLEM_CODES.toSorted())
  })

  it('has valid examples, and of problems the very bodies', () => {
    const invalid = mediaOf().flatMap(({ schema, examples = {} }) =>
      Object.values(examples).flatMap(({ value }) => schemaProblems(value, schema, resolve)),
    )
    expect(invalid).toEqual([])
    for (const { examples = {} } of mediaOf()) {
      for (const { value } of Object.values(examples)) {
        const code = PROBLEM_CODES.find(known => known === (value as { code?: string }).code)
        if (code !== undefined) expect(value).toMatchObject(JSON.parse(String(problem(code).body)))
      }
    }
    for (const kind of ['headers', 'parameters']) {
      for (const [name, described] of Object.entries(document.components[kind] ?? {})) {
        const { schema, example } = described as { schema: Schema; example: unknown }
        expect(schemaProblems(example, schema, resolve, name)).toEqual([])
      }
    }
  })

  it('is held by a checker that finds what is wrong', () => {
    const [first] = exchanges.filter(({ response }) => response.statusCode === 202)
    if (first === undefined) throw new Error('no 202')
    const changed = (response: Partial<ApiGatewayResult>) =>
      undeclared({ ...first, response: { ...first.response, ...response } })
    expect(changed({})).toEqual([])
    expect(changed({ statusCode: 418 })).not.toEqual([])
    expect(changed({ headers: { ...first.response.headers, 'x-new': '1' } })).not.toEqual([])
    expect(changed({ headers: { 'content-type': 'application/json' } })).not.toEqual([])
    expect(changed({ body: '{"accepted":"1"}' })).not.toEqual([])
  })
})

function mediaOf(): readonly Media[] {
  const operations = Object.values(document.paths).flatMap(path => Object.values(path))
  const responses = operations.flatMap(({ responses: all }) =>
    Object.values(all).map(one => dereferenced(one as Declared)),
  )
  const contents = [
    ...responses.map(({ content }) => content),
    ...operations.map(({ requestBody }) => requestBody?.content),
  ]
  return contents.flatMap(content => Object.values(content ?? {}))
}
