// POST /events through the whole handler: every shape of body, a result for each event, and what a caller must send again.
import { describe, expect, it } from 'vitest'
import { EventStreamError } from '../../src/event/errors.ts'
import { INGEST_BODY_BYTES_MAX, INGEST_EVENTS_MAX } from '../../src/serve/ingest-http.ts'
import { START } from '../features/factories.ts'
import { ingestWorld, orderJson } from './ingest-world.ts'

const NDJSON = { 'content-type': 'application/x-ndjson' }
const THROTTLED = 'ProvisionedThroughputExceededException'

function parsed({ body }: { body: string }) {
  return JSON.parse(body)
}

describe('POST /events', () => {
  const [one, two] = [orderJson({ orderId: 'o-1' }), orderJson({ orderId: 'o-2', user: 'bob' })]

  it.each([
    ['one object', one, {}, [one]],
    ['an array', `[${one}, ${two}]`, {}, [one, two]],
    ['an envelope', `{"events":[${one},${two}]}`, {}, [one, two]],
    ['lines', `${one}\n${two}\n`, NDJSON, [one, two]],
    ['lines without their media type', `${one}\n${two}\n`, {}, [one, two]],
  ])('takes %s and puts the very bytes on the stream, keyed by user', async (_name, body, headers, events) => {
    const world = ingestWorld()
    const response = await world.post(body, { headers })
    expect(response.statusCode).toBe(202)
    expect(world.stream.taken.map(({ data }) => Buffer.from(data).toString())).toEqual(events)
    expect(world.stream.taken.map(({ partitionKey }) => partitionKey)).toEqual(['ana', 'bob'].slice(0, events.length))
    const results = events.map((_, index) => ({ index, id: `o-${index + 1}`, status: 'accepted' }))
    expect(parsed(response)).toEqual({ accepted: events.length, refused: 0, undelivered: 0, results })
  })

  it('refuses bad events one by one with a reason, and delivers the ones beside them', async () => {
    const world = ingestWorld()
    const future = orderJson({ placedAt: new Date(START + 6 * 60_000).toISOString() })
    const { orderId: _orderId, ...withoutId } = JSON.parse(one)
    const bad = [
      'oops',
      '{"a":1,"a":2}',
      '{"type":"nothing.known"}',
      JSON.stringify(withoutId),
      orderJson({ user: 'a/b' }),
      orderJson({ placedAt: '2024-02-25' }),
      future,
      '{"__proto__":{}}',
      `${'['.repeat(100)}${']'.repeat(100)}`,
    ]
    const response = parsed(await world.post(`[${[...bad, one].join(',')}]`))
    expect(response.results.map((result: { reason?: string }) => result.reason)).toEqual([
      'not-json',
      'duplicate-key',
      'unknown-type',
      'contract',
      'user-id-invalid',
      'time-invalid',
      'future',
      'forbidden-key',
      'too-deep',
      undefined,
    ])
    for (const result of response.results.slice(0, -1)) expect(result.detail).toBeTypeOf('string')
    expect(response).toMatchObject({ accepted: 1, refused: 9, undelivered: 0 })
    expect(world.stream.taken).toHaveLength(1)
    expect(world.reported).toEqual([])
  })

  it('takes an id twice in one call: it is folded once by whoever reads it', async () => {
    const world = ingestWorld()
    expect(parsed(await world.post(`[${one},${one}]`))).toMatchObject({ accepted: 2 })
    expect(world.stream.taken).toHaveLength(2)
  })

  it('says which events to send again where the stream takes only some', async () => {
    const world = ingestWorld({ entryFault: entry => (entry.partitionKey === 'bob' ? THROTTLED : undefined) })
    const response = await world.post(`[${one},${two},oops]`)
    expect(response.statusCode).toBe(202)
    expect(parsed(response)).toMatchObject({
      accepted: 1,
      refused: 1,
      undelivered: 1,
      results: [
        { index: 0, id: 'o-1', status: 'accepted' },
        { index: 1, id: 'o-2', status: 'undelivered', reason: 'attempts-exhausted' },
        { index: 2, status: 'refused', reason: 'not-json' },
      ],
    })
    expect(world.reported).toMatchObject([{ code: 'events-undelivered' }])
    expect(response.body + String(world.reported[0])).not.toContain('bob')
  })

  it('answers 503 with Retry-After and the results where nothing could be delivered', async () => {
    const world = ingestWorld({
      callFault: () => new EventStreamError('down', { code: 'InternalFailure', retriable: true }),
    })
    const response = await world.post(`[${one},oops]`)
    expect(response).toMatchObject({ statusCode: 503, headers: { 'retry-after': '2' } })
    expect(response.headers['content-type']).toBe('application/problem+json')
    expect(parsed(response)).toMatchObject({
      code: 'stream-unavailable',
      accepted: 0,
      undelivered: 1,
      results: [{ status: 'undelivered' }, { status: 'refused' }],
    })
  })

  it('does not keep a caller waiting past its own deadline', async () => {
    const world = ingestWorld({ entryFault: () => THROTTLED }, { deadlineMs: () => START + 100 })
    expect(parsed(await world.post(one))).toMatchObject({ results: [{ status: 'undelivered', reason: 'deadline' }] })
  })

  it('refuses an event that fits a record but not together with its key', async () => {
    const short = Buffer.byteLength(orderJson({ user: 'u'.repeat(200), note: '' }))
    const body = orderJson({ user: 'u'.repeat(200), note: 'x'.repeat(1024 * 1024 - short) })
    const world = ingestWorld()
    expect(parsed(await world.post(body))).toMatchObject({ results: [{ status: 'refused', reason: 'too-big' }] })
    expect(world.stream.calls).toEqual([])
  })

  it('takes the most events of one call in as many calls as PutRecords needs, and not one more', async () => {
    const events = Array.from({ length: INGEST_EVENTS_MAX }, (_, index) => orderJson({ orderId: `o-${index}` }))
    const world = ingestWorld()
    expect(parsed(await world.post(events.join('\n'), { headers: NDJSON }))).toMatchObject({
      accepted: INGEST_EVENTS_MAX,
    })
    expect(world.stream.calls.map(call => call.length)).toEqual([500, 500])
    const response = await world.post([...events, one].join('\n'), { headers: NDJSON })
    expect([response.statusCode, parsed(response).code]).toEqual([413, 'too-many-events'])
  })

  it.each([
    ['nothing', '', {}, 400, 'body-unreadable'],
    ['half an array', '[{"a":1}', {}, 400, 'body-unreadable'],
    ['no JSON', 'order=1', {}, 400, 'body-unreadable'],
    ['half an object', '{"type":', {}, 400, 'body-unreadable'],
    ['more bytes than a call takes', new Uint8Array(INGEST_BODY_BYTES_MAX + 1), {}, 413, 'body-too-big'],
    ['a compressed body', one, { 'content-encoding': 'gzip' }, 415, 'content-coding-unsupported'],
  ])('refuses %s as a whole', async (_name, body, headers, status, code) => {
    const world = ingestWorld()
    const response = await world.post(body, { headers })
    expect([response.statusCode, parsed(response).code]).toEqual([status, code])
    expect(world.stream.calls).toEqual([])
  })

  it('refuses other methods, routes and queries', async () => {
    const world = ingestWorld()
    const get = await world.post(one, { method: 'GET' })
    expect([get.statusCode, get.headers['allow']]).toEqual([405, 'POST'])
    expect((await world.post(one, { route: '/event' })).statusCode).toBe(404)
    expect((await world.post(one, { query: { dry: 'run' } })).statusCode).toBe(400)
  })

  it('answers 500 and reports where it meets a bug', async () => {
    const world = ingestWorld({ callFault: () => new TypeError('bug') })
    const response = await world.post(one)
    expect([response.statusCode, parsed(response).code]).toEqual([500, 'internal'])
    expect(world.reported).toHaveLength(1)
  })
})
