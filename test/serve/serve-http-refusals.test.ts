// GET of one user through the whole handler: what is refused, by which code, and that no answer names a user.
import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { StoreError } from '../../src/store/errors.ts'
import { encodeItem } from '../../src/store/item-codec.ts'
import { BOTH, FEATURES, parts, serveWorld, USER } from './world.ts'

describe('refusals', () => {
  const codeOf = ({ body }: { body: string }): string => JSON.parse(body).code

  it.each([
    ['empty', ''],
    ['over 256 bytes', 'ü'.repeat(129)],
    ['a control character', 'a\u0000b'],
    ['a slash', 'a/b'],
    ['a hash', 'a#b'],
    ['a lone surrogate', 'a\ud800'],
  ])('refuses a user id with %s before it reads anything', async (_name, userId) => {
    const world = serveWorld()
    const response = await world.get({ pathParameters: { userId } })
    expect(response.statusCode).toBe(400)
    expect(response.headers['content-type']).toBe('application/problem+json')
    expect(codeOf(response)).toBe('user-id-invalid')
    expect(world.users.counters.loadCalls).toBe(0)
  })

  it('gives all unknown users the same bytes, in which no user is named', async () => {
    const world = serveWorld()
    const answers = await Promise.all(
      ['mallory', 'customer-000043', '%2e%2e', 'ü'.repeat(128)].map(userId =>
        world.get({ pathParameters: { userId } }),
      ),
    )
    for (const answer of answers) expect(answer).toEqual(answers[0])
    expect(answers[0]?.statusCode).toBe(404)
    expect(codeOf({ body: String(answers[0]?.body) })).toBe('user-not-found')
  })

  it.each([{ at: 'now' }, { at: '' }, { at: 'stored,stored' }, { At: 'stored' }, { asOf: '1' }])(
    'refuses the query %j',
    async query => {
      expect(codeOf(await serveWorld().get({ query: query as unknown as Record<string, string> }))).toBe(
        'query-invalid',
      )
    },
  )

  it('leaves a signature in the query to the authorizer', async () => {
    expect((await serveWorld().get({ query: { 'X-Amz-Signature': 'abc' } })).statusCode).toBe(200)
  })

  it('refuses other methods, unknown routes and clients that rule out every coding', async () => {
    const world = serveWorld()
    const post = await world.get({ method: 'POST' })
    expect([post.statusCode, post.headers['allow']]).toEqual([405, 'GET, HEAD'])
    expect(codeOf(await world.get({ route: '/users/{userId}/secrets' }))).toBe('route-unknown')
    expect(codeOf(await world.get({ headers: { 'accept-encoding': '*;q=0' } }))).toBe('coding-not-acceptable')
  })

  it('does not serve torn, grown, changed or exchanged bytes in any coding', async () => {
    const item = encodeItem(parts)
    const flipped = Uint8Array.from(item.ft)
    flipped[20] = (flipped[20] ?? 0) ^ 1
    const other = deflateSync(String(parts.features).replace('"values"', '"walues"'))
    const broken = {
      torn: item.ft.subarray(0, -1),
      empty: new Uint8Array(),
      grown: Buffer.concat([item.ft, Buffer.from('x')]),
      flipped,
      exchanged: other,
    }
    for (const [name, ft] of Object.entries(broken)) {
      for (const acceptEncoding of ['deflate', 'gzip', 'identity']) {
        for (const route of [FEATURES, BOTH]) {
          const world = serveWorld({ ...item, ft })
          const response = await world.get({ route, headers: { 'accept-encoding': acceptEncoding } })
          expect([name, response.statusCode, codeOf(response)]).toEqual([name, 500, 'item-corrupt'])
          expect(world.reported).toHaveLength(1)
          expect(JSON.stringify(response) + String(world.reported[0])).not.toContain(USER)
        }
      }
    }
  })

  it('reports an item of another layout as corrupt and leaves it as it is', async () => {
    const world = serveWorld(undefined)
    world.users.plant({ userId: { S: USER }, v: { S: 'one' } })
    expect(codeOf(await world.get())).toBe('item-corrupt')
    expect(world.users.raw(USER)).toEqual({ userId: { S: USER }, v: { S: 'one' } })
  })

  it('says 503 and when to come back where the store may recover, 500 where it is a bug', async () => {
    const world = serveWorld()
    world.users.fault = () => ({
      throwBefore: new StoreError('no answer', { code: 'store-unavailable', retriable: true }),
    })
    const unavailable = await world.get()
    expect([unavailable.statusCode, unavailable.headers['retry-after'], codeOf(unavailable)]).toEqual([
      503,
      '2',
      'store-unavailable',
    ])
    world.users.fault = () => ({ throwBefore: new TypeError(`bug about ${USER}`) })
    const bug = await world.get()
    expect([bug.statusCode, codeOf(bug)]).toEqual([500, 'internal'])
    expect(JSON.stringify(bug)).not.toContain(USER)
    expect(world.reported).toHaveLength(2)
  })
})
