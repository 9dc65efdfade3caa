import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { localDynamoDbClient } from '../../localstack/dynamodb-tables.ts'
import { type LocalCloud, startLocalCloud } from '../../localstack/local-cloud.ts'
import { localS3Client } from '../../localstack/s3-buckets.ts'
import { BUCKET, eventsOf, put, totals } from './cloud-events.ts'
import { writeFixtureBuild } from './fixture-functions.ts'

let folder = ''
let cloud: LocalCloud
const log: string[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-test-'))
  const build = await writeFixtureBuild(join(folder, 'build'))
  cloud = await startLocalCloud({ build, port: 0, pollMs: 20, log: (source, line) => log.push(`${source}: ${line}`) })
  await cloud.startAll()
})

afterAll(async () => {
  await cloud.stop()
  await rm(folder, { recursive: true })
})

async function logged(text: string): Promise<void> {
  await expect.poll(() => log.some(line => line.includes(text)), { timeout: 10_000 }).toBe(true)
}

describe('a stream', () => {
  it('is delivered to its function, which reads and writes at the same endpoint', async () => {
    const events = Array.from({ length: 1000 }, (_, index) => ({ user: `user-${index % 50}` }))
    await put(cloud, events)
    await cloud.waitUntilDrained()
    expect(totals(cloud).delivered).toBe(1000)
    expect(await eventsOf(cloud, 'user-7')).toBe(20)
    expect(cloud.status().mappings[0]?.shards.every(({ delivered }) => delivered > 0)).toBe(true)
  })

  it('is delivered again from the sequence at which the function failed, what was before it once', async () => {
    const before = totals(cloud)
    await put(cloud, [{ user: 'fails' }, { user: 'fails' }, { user: 'fails', act: 'fail' }, { user: 'fails' }])
    await cloud.waitUntilDrained()
    expect(await eventsOf(cloud, 'fails')).toBe(4)
    expect(totals(cloud).partialFailures - before.partialFailures).toBe(1)
  })

  it('is delivered again when the process of the function is killed in the middle of a batch', async () => {
    const before = totals(cloud)
    await put(cloud, [{ user: 'hangs', act: 'hang' }])
    // Begun first, because it ends the batching window.
    const drained = cloud.waitUntilDrained()
    await logged('hanging')
    for (const pid of cloud.status().functions.find(({ key }) => key === 'recompute')?.pids ?? [])
      process.kill(pid, 'SIGKILL')
    await drained
    expect(await eventsOf(cloud, 'hangs')).toBe(1)
    // Two, where the next attempt meets the other process before its end is known.
    expect(totals(cloud).functionErrors - before.functionErrors).toBeGreaterThanOrEqual(1)
    expect(log.some(line => line.includes('Runtime.ExitError'))).toBe(true)
  })

  it('gives functions the time that they have left', async () => {
    const client = localDynamoDbClient(cloud.endpoint)
    const { Item } = await client.send(
      new GetItemCommand({ TableName: 'millrace-local-UsersTable', Key: { userId: { S: 'user-7' } } }),
    )
    client.destroy()
    const remainingMs = Number(Item?.['remaining']?.N)
    expect(remainingMs).toBeGreaterThan(0)
    expect(remainingMs).toBeLessThanOrEqual(10_000)
  })
})

describe('the HTTP API', () => {
  const get = (path: string, init?: RequestInit): Promise<Response> => fetch(cloud.endpoint + path, init)

  it('answers with the bytes that the function returns as base64', async () => {
    const response = await get('/users/user-7/features')
    expect(response.status).toBe(200)
    expect(response.headers.get('content-encoding')).toBe('deflate')
    expect(response.headers.get('etag')).toBe('"1"')
    expect(await response.json()).toEqual({ userId: 'user-7', events: 20 })
  })

  it('decodes a user id in the path', async () => {
    await put(cloud, [{ user: 'ö b?c%' }])
    await cloud.waitUntilDrained()
    expect(await (await get(`/users/${encodeURIComponent('ö b?c%')}/features`)).json()).toEqual({
      userId: 'ö b?c%',
      events: 1,
    })
  })

  it('gives a text body as text and any other as bytes', async () => {
    const post = async (body: string | Uint8Array<ArrayBuffer>, type: string): Promise<Buffer> => {
      const response = await get('/events', { method: 'POST', body, headers: { 'content-type': type } })
      expect(response.status).toBe(202)
      return Buffer.from(await response.arrayBuffer())
    }
    expect((await post('{"a":"ü"}', 'application/json')).toString()).toBe('text:{"a":"ü"}')
    const bytes = Buffer.from([0, 1, 254, 255])
    expect(await post(bytes, 'application/octet-stream')).toEqual(bytes)
  })

  it.each([
    ['no route', '/nowhere', 404, { message: 'Not Found' }],
    ['a function that throws', '/users/broken/features', 500, { message: 'Internal Server Error' }],
    ['a function whose process ends', '/users/exit/features', 500, { message: 'Internal Server Error' }],
    ['a function that is too slow', '/users/slow/features', 500, { message: 'Internal Server Error' }],
  ])('answers for %s as API Gateway does, and goes on', async (_name, path, status, body) => {
    const response = await get(path)
    expect([response.status, await response.json()]).toEqual([status, body])
    expect((await get('/users/user-7/features')).status).toBe(200)
  })

  it('has said why in the log', async () => {
    await get('/users/broken/features')
    await logged('TypeError: broken on purpose')
  })
})

describe('functions', () => {
  it('are invoked by short name, and fail with the type of their error', async () => {
    await expect(cloud.invoke('serve', { routeKey: 'x', pathParameters: { userId: 'none' } })).resolves.toEqual({
      statusCode: 404,
    })
    await expect(cloud.invoke('serve', { routeKey: 'x', pathParameters: { userId: 'broken' } })).rejects.toMatchObject({
      code: 'function-error',
      errorType: 'TypeError',
    })
    await expect(cloud.invoke('nobody', {})).rejects.toMatchObject({ code: 'function-not-found' })
  })

  it("are invoked through Lambda's own API", async () => {
    const invoke = (name: string, body: object): Promise<Response> =>
      fetch(`${cloud.endpoint}/2015-03-31/functions/${name}/invocations`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: {
          authorization:
            'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0',
        },
      })
    const answered = await invoke('shop-dev-serve', { pathParameters: { userId: 'none' } })
    expect([answered.status, await answered.json()]).toEqual([200, { statusCode: 404 }])
    const threw = await invoke('shop-dev-serve', { pathParameters: { userId: 'broken' } })
    expect(threw.headers.get('x-amz-function-error')).toBe('Unhandled')
    expect(await threw.json()).toMatchObject({ errorType: 'TypeError', errorMessage: 'broken on purpose' })
    expect((await invoke('nobody', {})).status).toBe(404)
  })

  it('are started by a schedule when it is fired, here or from another process', async () => {
    const result = { fired: 'arn:aws:events:us-east-1:000000000000:rule/millrace-local-NightlyRule', epoch: '1' }
    expect(await cloud.fireSchedule('NightlyRule')).toEqual(result)
    const response = await fetch(`${cloud.endpoint}/_local/schedules/NightlyRule/fire`, { method: 'POST' })
    expect(await response.json()).toEqual({ result })
    await expect(cloud.fireSchedule('Other')).rejects.toMatchObject({ code: 'schedule-not-found' })
  })

  it('have the environment that the template gives them, which the status tells', async () => {
    expect(cloud.environmentOf('recompute')).toMatchObject({
      TABLE: 'millrace-local-UsersTable',
      BUCKET,
      AWS_ENDPOINT_URL: cloud.endpoint,
    })
    const status = (await (await fetch(`${cloud.endpoint}/_local/status`)).json()) as ReturnType<LocalCloud['status']>
    expect(status.outputs).toEqual({ UsersTableName: 'millrace-local-UsersTable', HttpApiUrl: cloud.endpoint })
    expect(status.functions.map(({ key }) => key)).toEqual(['recompute', 'serve'])
  })
})

describe('objects', () => {
  it('are created once of all that would create them at the same time, and are not overwritten', async () => {
    const client = localS3Client(cloud.endpoint)
    const create = async (body: string): Promise<string> => {
      try {
        await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'a/b c.json', Body: body, IfNoneMatch: '*' }))
        return body
      } catch (error) {
        expect(error).toMatchObject({ name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } })
        return ''
      }
    }
    const winners = (await Promise.all(Array.from({ length: 8 }, (_, index) => create(`body-${index}`)))).filter(
      Boolean,
    )
    expect(winners).toHaveLength(1)
    const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'a/b c.json' }))
    expect(await Body?.transformToString()).toBe(winners[0])
    client.destroy()
  })

  it('of several megabytes come back as they were', async () => {
    const client = localS3Client(cloud.endpoint)
    const bytes = Buffer.alloc(8 * 1024 * 1024, 'millrace')
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'large', Body: bytes }))
    const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'large' }))
    expect(bytes.equals((await Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(true)
    client.destroy()
  })
})

it('outlives a caller that goes away in the middle of a request', async () => {
  const socket = connect(cloud.port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(
    'POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: DynamoDB_20120810.PutItem\r\ncontent-length: 1000\r\n\r\n{"half":',
  )
  await new Promise(resolve => setTimeout(resolve, 50))
  socket.destroy()
  expect(await eventsOf(cloud, 'user-7')).toBe(20)
})

it('names a service that it does not have', async () => {
  const response = await fetch(cloud.endpoint, {
    method: 'POST',
    headers: { 'x-amz-target': 'AWSGlue.GetTable' },
    body: '{}',
  })
  expect([response.status, await response.json()]).toEqual([
    501,
    { message: 'The local cloud has no AWSGlue.GetTable' },
  ])
})
