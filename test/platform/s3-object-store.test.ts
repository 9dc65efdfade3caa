import { S3Client } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { ObjectStoreError } from '../../src/platform/errors.ts'
import { sha256Hex } from '../../src/platform/hash.ts'
import type { ObjectStore } from '../../src/platform/object-store.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { s3ObjectStore } from '../../src/platform/s3-object-store.ts'
import { objectStoreContract } from '../contract/object-store.ts'
import { startFauxqsBucket } from '../fakes/fauxqs-bucket.ts'
import { startLocalAws } from '../fakes/local-aws.ts'

const PAGE_KEYS_MAX = 3

objectStoreContract('the S3 adapter on fauxqs', {
  oneRacerWins: false,
  start: async () => {
    const { client, bucket, stop } = await startFauxqsBucket('objects')
    const store = s3ObjectStore({
      client,
      bucket,
      isConditional: false,
      pageKeysMax: PAGE_KEYS_MAX,
      random: seededRandom(1),
      sleep: async () => undefined,
    })
    return { store, pageKeysMax: PAGE_KEYS_MAX, stop }
  },
})

objectStoreContract('the S3 adapter on the local cloud', {
  oneRacerWins: true,
  start: async () => {
    const aws = await startLocalAws()
    await aws.createBucket('objects')
    const store = s3ObjectStore({
      client: aws.clients.s3,
      bucket: 'objects',
      pageKeysMax: PAGE_KEYS_MAX,
      random: seededRandom(1),
      sleep: async () => undefined,
    })
    return { store, pageKeysMax: PAGE_KEYS_MAX, stop: aws.stop }
  },
})

interface Request {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

interface Answer {
  readonly status: number
  readonly code?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** S3 as far as the wire goes: each request takes the next answer; an Error is a connection that broke. */
function adapterAnswering(answers: readonly (Answer | Error)[]) {
  const requests: Request[] = []
  const waits: number[] = []
  const client = new S3Client({
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    requestHandler: {
      handle: async (request: Request) => {
        const answer = answers[requests.length]
        requests.push(request)
        if (answer === undefined) throw new Error('the test has no answer left')
        if (answer instanceof Error) throw answer
        const body = answer.code === undefined ? (answer.body ?? '') : `<Error><Code>${answer.code}</Code></Error>`
        return {
          response: {
            statusCode: answer.status,
            headers: { 'content-length': String(body.length), ...answer.headers },
            body: new Blob([body]).stream(),
          },
        }
      },
    },
  })
  const store: ObjectStore = s3ObjectStore({
    client,
    bucket: 'objects',
    random: seededRandom(1),
    sleep: async ms => void waits.push(ms),
  })
  return { store, requests, waits }
}

async function failureOf(work: Promise<unknown>): Promise<ObjectStoreError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof ObjectStoreError) return error
  throw new Error('expected an ObjectStoreError', { cause: error })
}

const body = new TextEncoder().encode('twelve bytes')

test('asks S3 to write only where nothing is, with the length', async () => {
  const { store, requests } = adapterAnswering([{ status: 200 }])
  expect(await store.create('a/b', body, { contentType: 'text/plain', contentEncoding: 'gzip' })).toBe('created')
  expect(requests).toHaveLength(1)
  expect(requests[0]?.headers).toMatchObject({
    'if-none-match': '*',
    'content-length': '12',
    'content-type': 'text/plain',
    'content-encoding': 'gzip',
  })
})

test('says exists when S3 refuses because the key is taken', async () => {
  const { store, waits } = adapterAnswering([{ status: 412, code: 'PreconditionFailed' }])
  expect(await store.create('a/b', body)).toBe('exists')
  expect(waits).toEqual([])
})

test('tries again, after a jittered wait, when two conditional writes collided', async () => {
  const conflict = { status: 409, code: 'ConditionalRequestConflict' }
  const { store, requests, waits } = adapterAnswering([conflict, conflict, { status: 412, code: 'PreconditionFailed' }])
  expect(await store.create('a/b', body)).toBe('exists')
  expect(requests).toHaveLength(3)
  expect(waits).toHaveLength(2)
  expect(waits[0]).toBeLessThan(50)
  expect(waits[1]).toBeLessThan(100)
})

test('gives up after a bounded number of tries and says that trying later may help', async () => {
  const { store, requests } = adapterAnswering(Array.from({ length: 9 }, () => ({ status: 503, code: 'SlowDown' })))
  const failure = await failureOf(store.create('a/b', body))
  expect(requests).toHaveLength(5)
  expect(failure).toMatchObject({ code: 'object-store-failed', retriable: true, key: 'a/b' })
})

test('does not repeat what will fail again', async () => {
  const denied = adapterAnswering([{ status: 403, code: 'AccessDenied' }])
  expect(await failureOf(denied.store.get('a'))).toMatchObject({ code: 'object-store-denied', retriable: false })
  const noBucket = adapterAnswering([{ status: 404, code: 'NoSuchBucket' }])
  expect(await failureOf(noBucket.store.get('a'))).toMatchObject({ code: 'bucket-missing', retriable: false })
  expect(denied.requests.length + noBucket.requests.length).toBe(2)
})

test('says undefined for a missing object', async () => {
  const { store } = adapterAnswering([{ status: 404, code: 'NoSuchKey' }])
  expect(await store.get('a')).toBeUndefined()
})

test('reads again when fewer bytes came than were announced', async () => {
  const { store } = adapterAnswering([
    { status: 200, body: 'half', headers: { 'content-length': '8' } },
    { status: 200, body: 'half half' },
  ])
  expect(Buffer.from((await store.get('a')) ?? []).toString()).toBe('half half')
})

test('tries again when the connection broke, and names it unreachable in the end', async () => {
  const reset = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
  const recovering = adapterAnswering([reset, { status: 200, body: 'there' }])
  expect(Buffer.from((await recovering.store.get('a')) ?? []).toString()).toBe('there')
  const gone = adapterAnswering(Array.from({ length: 5 }, () => reset))
  expect(await failureOf(gone.store.get('a'))).toMatchObject({ code: 'object-store-unreachable', retriable: true })
})

test('has S3 check the SHA-256 of what is written, and no second checksum beside it', async () => {
  const { store, requests } = adapterAnswering([{ status: 200 }])
  const sha256 = sha256Hex(body)
  await store.create('a/b', body, { sha256, metadata: { rows: '7' } })
  const headers = requests[0]?.headers ?? {}
  expect(headers['x-amz-checksum-sha256']).toBe(Buffer.from(sha256, 'hex').toString('base64'))
  expect(headers['x-amz-meta-rows']).toBe('7')
  expect(Object.keys(headers).filter(name => name.startsWith('x-amz-checksum-'))).toEqual(['x-amz-checksum-sha256'])
  const refusing = adapterAnswering([{ status: 400, code: 'BadDigest' }])
  const failure = await failureOf(refusing.store.create('a/b', body, { sha256 }))
  expect(failure).toMatchObject({ code: 'object-store-failed', retriable: false })
})

test('looks at an object by HEAD, and takes no checksum of checksums for that of the whole', async () => {
  const sha256 = sha256Hex(body)
  const base64 = Buffer.from(sha256, 'hex').toString('base64')
  const whole = { 'content-length': '12', 'x-amz-checksum-sha256': base64, 'x-amz-meta-rows': '7' }
  const { store, requests } = adapterAnswering([
    { status: 200, headers: whole },
    { status: 200, headers: { ...whole, 'x-amz-checksum-sha256': `${base64}-3` } },
    { status: 404 },
  ])
  expect(await store.stat('a')).toEqual({ bytes: 12, sha256, metadata: { rows: '7' } })
  expect(await store.stat('a')).toEqual({ bytes: 12, sha256: undefined, metadata: { rows: '7' } })
  expect(await store.stat('a')).toBeUndefined()
  expect(requests.map(({ method }) => method)).toEqual(['HEAD', 'HEAD', 'HEAD'])
  expect(requests[0]?.headers['x-amz-checksum-mode']).toBe('ENABLED')
  const denied = adapterAnswering([{ status: 403 }])
  expect(await failureOf(denied.store.stat('a'))).toMatchObject({ code: 'object-store-denied', key: 'a' })
})
