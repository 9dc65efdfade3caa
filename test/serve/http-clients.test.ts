// Real HTTP clients of Node against the handlers over a socket: each decodes what it asked for to the same JSON. Clients that a
// machine may lack (curl, Python) are tried by clients.py.
import { get } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HttpGateway, httpGateway } from '../fakes/http-gateway.ts'
import { ingestWorld, orderJson } from './ingest-world.ts'
import { parts, serveWorld, USER } from './world.ts'

let gateway: HttpGateway

beforeAll(async () => {
  const { handler } = serveWorld()
  gateway = await httpGateway({
    '/users/{userId}': handler,
    '/users/{userId}/features': handler,
    '/users/{userId}/predictions': handler,
    '/events': ingestWorld().handler,
  })
})

afterAll(() => gateway.close())

describe('fetch', () => {
  it.each([
    ['deflate', 'deflate'],
    ['gzip', 'gzip'],
    ['gzip, deflate', 'deflate'],
    ['identity', null],
  ])('asks for %s, gets %s and decodes it', async (acceptEncoding, contentEncoding) => {
    const headers = { 'accept-encoding': acceptEncoding }
    const response = await fetch(`${gateway.url}/users/${USER}/features`, { headers })
    expect(response.headers.get('content-encoding')).toBe(contentEncoding)
    expect(await response.text()).toBe(parts.features)
  })

  it('revalidates, asks for the head and pushes events', async () => {
    const url = `${gateway.url}/users/${USER}/predictions`
    const first = await fetch(url)
    expect(await first.json()).toEqual(JSON.parse(parts.predictions))
    const again = await fetch(url, { headers: { 'if-none-match': String(first.headers.get('etag')) } })
    expect([again.status, await again.text()]).toEqual([304, ''])
    const head = await fetch(url, { method: 'HEAD' })
    expect([head.status, await head.text(), head.headers.get('etag')]).toEqual([200, '', first.headers.get('etag')])
    const posted = await fetch(`${gateway.url}/events`, { method: 'POST', body: orderJson() })
    expect([posted.status, await posted.json()]).toMatchObject([202, { accepted: 1 }])
  })
})

describe('node:http', () => {
  it('asks for no coding and gets plain JSON', async () => {
    const body = await new Promise<string>((resolve, reject) => {
      get(`${gateway.url}/users/${encodeURIComponent(USER)}/features`, response => {
        expect(response.headers['content-encoding']).toBeUndefined()
        response.setEncoding('utf8')
        let text = ''
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => resolve(text))
      }).on('error', reject)
    })
    expect(body).toBe(parts.features)
  })
})
