import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { conditionalCreate } from '../../localstack/conditional-create.ts'

/** A store whose writes take a while, so that without turns every writer would find the object absent. */
const WRITE_MS = 20

async function withStore(work: (url: string, writes: () => number) => Promise<void>): Promise<void> {
  const objects = new Set<string>()
  let writes = 0
  const handle = conditionalCreate({
    hasObject: async path => objects.has(path),
    s3: (request, response) => {
      request.resume()
      setTimeout(() => {
        writes++
        objects.add((request.url ?? '').split('?')[0] ?? '')
        response.end()
      }, WRITE_MS)
    },
  })
  const server = createServer((request, response) => void handle(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, () => writes)
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

const put = async (url: string, headers: Record<string, string>): Promise<number> =>
  (await fetch(url, { method: 'PUT', body: 'body', headers })).status

it('lets one of many writers of a key create it, whatever else their address says', () =>
  withStore(async (url, writes) => {
    const statuses = await Promise.all(
      [1, 2, 3, 4].map(index => put(`${url}/bucket/key?x=${index}`, { 'if-none-match': '*' })),
    )
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 412, 412, 412])
    expect(writes()).toBe(1)
  }))

it('lets writers of different keys, and those that ask for nothing, write at once', () =>
  withStore(async (url, writes) => {
    const statuses = await Promise.all([
      put(`${url}/bucket/a`, { 'if-none-match': '*' }),
      put(`${url}/bucket/b`, { 'if-none-match': '*' }),
      put(`${url}/bucket/c`, {}),
    ])
    expect([...statuses, await put(`${url}/bucket/c`, {})]).toEqual([200, 200, 200, 200])
    expect(writes()).toBe(4)
  }))
