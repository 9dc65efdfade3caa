// Functions over real clients and a socket that never answers: what is done is said in time, and what was written stays written.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { archiveEvents } from '../../src/compose/archive-events.ts'
import { type AwsClients, awsClients } from '../../src/compose/clients.ts'
import { recomputeEvents } from '../../src/compose/recompute-events.ts'
import { archiveStore, deployedStores } from '../../src/compose/stores.ts'
import { systemClock, systemSleep } from '../../src/platform/clock.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { serveHttp } from '../../src/serve/serve-http.ts'
import { ANSWER_RESERVE_MS, ASIDE_RESERVE_MS } from '../../src/recompute/limits.ts'
import type { RecomputeDependencies } from '../../src/recompute/recompute-batch.ts'
import { writeDeadLetters } from '../../src/archive/dead-letters.ts'
import { type HttpDynamodb, startHttpDynamodb } from '../fakes/http-dynamodb.ts'
import { type Harness, harness, orderRecord, ordersOf, rawRecord } from '../recompute/harness.ts'
import { lambdaEvent, recordingTelemetry } from './recording.ts'

/** For calls, before the reserve begins; longer where some of them are answered, on a busy machine too. */
const HANG_MS = 300
const WORK_MS = 1500
const environment = { streamEpoch: 1 }
const NAMES = { usersTable: 'users', catalogTable: 'catalog', catalogBucket: 'catalog' }
const world = { clock: systemClock, random: seededRandom(1), sleep: systemSleep }

let dynamodb: HttpDynamodb
let clients: AwsClients
let retries = 0

beforeEach(async () => {
  dynamodb = await startHttpDynamodb()
  retries = 0
  clients = awsClients({ AWS_ENDPOINT_URL: dynamodb.endpoint }, { onRetries: more => void (retries += more) })
})
afterEach(async () => {
  clients.destroy()
  await dynamodb.stop()
})

/** An invocation that has `remainingMs` from now on. */
function invocation(remainingMs: number): { ports: RecomputeDependencies; run: Harness; left: () => number } {
  const endMs = performance.now() + remainingMs
  const left = (): number => endMs - performance.now()
  const { users } = deployedStores(clients, NAMES, world, { timeLeftMs: () => left() - ANSWER_RESERVE_MS })
  const run = harness({ remainingMs: left, sleep: systemSleep, users })
  return { ports: run.dependencies, run, left }
}

describe('recompute', () => {
  it('answers before its end where puts hang, with the lowest of those users; the others are written', async () => {
    const batch = ordersOf(6, 2)
    dynamodb.fault = ({ operation, userIds }) =>
      operation === 'PutItem' && ['user-2', 'user-4'].includes(userIds[0] ?? '') ? 'hang' : undefined
    const { ports, left } = invocation(ANSWER_RESERVE_MS + WORK_MS)
    const telemetry = recordingTelemetry()
    const answer = await recomputeEvents(lambdaEvent(batch), { dependencies: ports, environment, telemetry })
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: '3' }] })
    expect(left()).toBeGreaterThan(ASIDE_RESERVE_MS)
    expect(Object.fromEntries(telemetry.counts)).toMatchObject({
      folded: 8,
      failed: 4,
      usersWritten: 4,
      retriableErrors: 2,
    })
    expect(telemetry.errors).toMatchObject([{ code: 'deadline-near' }, { code: 'deadline-near' }])

    dynamodb.fault = undefined
    const again = invocation(60_000)
    const { counts } = await again.run.deliver(batch.slice(2))
    expect(counts).toMatchObject({ folded: 4, duplicate: 6, usersWritten: 2, failed: 0 })
  })

  it('folds nothing twice where a put that was cut off had been applied', async () => {
    dynamodb.fault = ({ operation }) => (operation === 'PutItem' ? 'apply-and-hang' : undefined)
    const cutOff = await invocation(ANSWER_RESERVE_MS + WORK_MS).run.deliver([orderRecord(1, 1)])
    expect(cutOff).toMatchObject({ failedSequence: '1', counts: { failed: 1, folded: 0 } })
    dynamodb.fault = undefined
    const again = await invocation(60_000).run.deliver([orderRecord(1, 1)])
    expect(again.counts).toMatchObject({ duplicate: 1, folded: 0, usersWritten: 0 })
  })

  it('names the first record where nothing can be read', async () => {
    dynamodb.fault = () => 'hang'
    const { run, left } = invocation(ANSWER_RESERVE_MS + HANG_MS)
    expect((await run.deliver(ordersOf(3))).failedSequence).toBe('1')
    expect(left()).toBeGreaterThan(ASIDE_RESERVE_MS)
    expect(dynamodb.calls.map(({ operation }) => operation)).toEqual(['BatchGetItem'])
  })

  it('asks no more for keys that are left out when the time is up', async () => {
    dynamodb.fault = () => 'leave-all'
    const { run, left } = invocation(ANSWER_RESERVE_MS + 60)
    const { failedSequence, errors } = await run.deliver([orderRecord(1, 7)])
    expect(failedSequence).toBe('7')
    expect(errors).toMatchObject([{ code: 'deadline-near', retriable: true }])
    expect(left()).toBeGreaterThan(ASIDE_RESERVE_MS)
  })

  it('begins no wait for keys that are left out which would outlast the time', async () => {
    dynamodb.fault = () => 'leave-all'
    const waits: number[] = []
    const longest = { clock: systemClock, random: () => 0.99, sleep: async (ms: number) => void waits.push(ms) }
    let asked = 0
    const { users } = deployedStores(clients, NAMES, longest, { timeLeftMs: () => (asked++ === 0 ? 60_000 : 10) })
    await expect(users.loadMany(['ana'])).rejects.toMatchObject({ code: 'deadline-near' })
    expect(waits).toEqual([])
    expect(dynamodb.calls).toHaveLength(1)
  })

  it('answers where dead letters cannot be written, and fails their records alone', async () => {
    const { ports, left } = invocation(ASIDE_RESERVE_MS + HANG_MS)
    const archive = archiveStore(clients.s3, 'archive', world, { timeLeftMs: () => left() - ASIDE_RESERVE_MS })
    const { users } = harness()
    const aside = { ...ports.aside, writeDeadLetters: writeDeadLetters.bind(undefined, archive) }
    const run = harness({ users, aside, remainingMs: () => 60_000 })
    const { failedSequence, counts } = await run.deliver([orderRecord(1, 1), rawRecord('{', 2), orderRecord(2, 3)])
    expect(failedSequence).toBe('2')
    expect(counts).toMatchObject({ folded: 2, failed: 1, deadLetters: {} })
    expect(left()).toBeGreaterThan(0)
  })

  it('counts what the SDK had to ask again', async () => {
    dynamodb.fault = ({ number }) => (number === 1 ? 'throttle' : undefined)
    const { counts } = await invocation(60_000).run.deliver([orderRecord(1, 1)])
    expect(counts).toMatchObject({ folded: 1, failed: 0 })
    expect(retries).toBe(1)
  })
})

describe('clients', () => {
  it('fail a request that is out of time and ask again, where the SDK would only warn', async () => {
    dynamodb.fault = ({ number }) => (number < 3 ? 'hang' : undefined)
    const hasty = awsClients({ AWS_ENDPOINT_URL: dynamodb.endpoint }, { requestTimeoutMs: 100 })
    const { users } = deployedStores(hasty, NAMES, world)
    expect(await users.load('ana')).toBeUndefined()
    dynamodb.fault = () => 'hang'
    await expect(users.load('ana')).rejects.toMatchObject({ code: 'store-unavailable', retriable: true })
    expect(dynamodb.calls).toHaveLength(6)
    hasty.destroy()
  })
})

describe('the other functions', () => {
  it('archive answers with its first record where S3 hangs', async () => {
    const endMs = performance.now() + HANG_MS
    const archive = archiveStore(clients.s3, 'archive', world, { timeLeftMs: () => endMs - performance.now() })
    const telemetry = recordingTelemetry()
    const answer = await archiveEvents(lambdaEvent(ordersOf(2)), { archive, environment, telemetry })
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: '1' }] })
    expect(Object.fromEntries(telemetry.counts)).toMatchObject({ recordsArchived: 0, recordsNotArchived: 10 })
    expect(telemetry.errors).toMatchObject([{ code: 'deadline-near' }])
  })

  it('serve answers 503 where the store hangs', async () => {
    dynamodb.fault = () => 'hang'
    const endMs = performance.now() + HANG_MS
    const { users } = deployedStores(clients, NAMES, world, { timeLeftMs: () => endMs - performance.now() })
    const handle = serveHttp({
      load: userId => users.load(userId),
      featuresAt: () => ({ asOf: 0, values: {} }),
      predict: async () => ({ predictions: { asOf: 0, models: {} }, models: {} }),
      productionBatches: async () => ({}),
      definitions: '',
      clock: systemClock,
      report: () => undefined,
    })
    const { statusCode, headers } = await handle({
      version: '2.0',
      routeKey: 'GET /users/{userId}',
      rawPath: '/users/ana',
      rawQueryString: '',
      headers: {},
      pathParameters: { userId: 'ana' },
      requestContext: { http: { method: 'GET' } },
      isBase64Encoded: false,
    } as never)
    expect(statusCode).toBe(503)
    expect(headers).toHaveProperty('retry-after')
  })
})
