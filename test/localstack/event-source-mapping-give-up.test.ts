// What a mapping does about batches that fail again and again: halves, retries, age, and the object that Lambda leaves in S3.
import { describe, expect, it } from 'vitest'
import { readGivenUp } from '../../src/archive/given-up.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import {
  dataOf,
  delivered,
  failed,
  failFrom,
  type Harness,
  MAPPING,
  OTHER,
  putAll,
  SHARD,
  start,
  throttled,
} from './mapping-harness.ts'

const discarded = ({ mapping }: Harness): number =>
  mapping.counters().reduce((sum, counters) => sum + counters.discarded, 0)

describe('bisecting', () => {
  const bisect = { bisectsBatchOnFunctionError: true, batchSize: 8, maximumRetryAttempts: 2 }
  const eight = putAll('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')

  it('halves a batch at a function error, in order, until the bad record is alone: only that uses up retries', async () => {
    const harness = await start({
      plan: bisect,
      before: eight,
      handler: ({ data }) => (data.includes('f') ? failed('Error') : null),
    })
    await harness.time.runUntil(() => delivered(harness) === 7)
    expect(dataOf(harness)).toEqual(['abcdefgh', 'abcd', 'efgh', 'ef', 'e', 'f', 'f', 'f', 'gh'])
    expect(harness.mapping.counters()[0]).toMatchObject({ discarded: 1, discardedAfterRetries: 1 })
    expect(JSON.parse(harness.givenUp[0]?.body ?? '')).toMatchObject({
      requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 6 },
      KinesisBatchInfo: { batchSize: 1 },
    })
  })

  it('splits where no retry is allowed at all', async () => {
    const harness = await start({
      plan: { ...bisect, maximumRetryAttempts: 0 },
      before: putAll('a', 'b'),
      handler: ({ data }) => (data.includes('b') ? failed('Error') : null),
    })
    await harness.time.runUntil(() => delivered(harness) + discarded(harness) === 2)
    expect(dataOf(harness)).toEqual(['ab', 'a', 'b'])
  })

  it('cuts at the returned sequence, which uses up no retry, and delivers only the rest again', async () => {
    const harness = await start({
      plan: { ...bisect, maximumRetryAttempts: 0 },
      before: eight,
      handler: ({ sequences, data }, attempt) => (attempt <= 3 ? failFrom(sequences[data.length > 6 ? 1 : 2]) : null),
    })
    await harness.time.runUntil(() => delivered(harness) === 8)
    expect(dataOf(harness)).toEqual(['abcdefgh', 'bcdefgh', 'cdefgh', 'efgh'])
    expect(discarded(harness)).toBe(0)
  })

  it('uses up a retry where the first record is the one that is returned', async () => {
    const harness = await start({
      plan: bisect,
      before: putAll('a', 'b', 'c'),
      handler: ({ sequences, data }) => (data.includes('a') ? failFrom(sequences[0]) : null),
    })
    await harness.time.runUntil(() => discarded(harness) === 3)
    expect(dataOf(harness)).toEqual(['abc', 'abc', 'abc'])
  })

  it('does nothing where it is off: the whole batch is given up', async () => {
    const harness = await start({
      plan: { maximumRetryAttempts: 1 },
      before: putAll('a', 'b', 'c', 'd'),
      handler: ({ data }) => (data.includes('b') ? failed('Error') : null),
    })
    await harness.time.runUntil(() => delivered(harness) === 1)
    expect(dataOf(harness)).toEqual(['abc', 'abc', 'd'])
  })
})

describe('a function that cannot be invoked', () => {
  it('uses up no retry, however long it takes, and nothing is split', async () => {
    const harness = await start({
      plan: { maximumRetryAttempts: 0, bisectsBatchOnFunctionError: true },
      before: putAll('a', 'b'),
      handler: (_delivery, attempt) => (attempt <= 20 ? throttled : null),
    })
    await harness.time.runUntil(() => delivered(harness) === 2)
    expect(new Set(dataOf(harness))).toEqual(new Set(['ab']))
    expect(harness.mapping.counters()[0]).toMatchObject({ notInvoked: 20, invocations: 1, retries: 0, discarded: 0 })
  })

  it('still ends at the age of the records', async () => {
    const harness = await start({
      plan: { maximumRecordAgeMs: 60_000, batchSize: 10 },
      before: stream => {
        for (const age of [59_000, 40_000]) stream.put(SHARD, `${age}`, { arrivalMs: 1_700_000_000_000 - age })
      },
      handler: () => throttled,
    })
    await harness.time.runUntil(() => discarded(harness) === 2)
    const conditions = harness.givenUp.map(({ body }) => JSON.parse(body) as { requestContext: object })
    expect(conditions.map(({ requestContext }) => requestContext)).toMatchObject([
      { condition: 'RecordAgeExceeded', approximateInvokeCount: 0 },
      { condition: 'RecordAgeExceeded', approximateInvokeCount: 0 },
    ])
    expect(conditions[0]).not.toHaveProperty('responseContext')
  })
})

describe('records that are too old', () => {
  const NOW_MS = 1_700_000_000_000

  it('are given up before the first invocation, and younger ones of the batch are delivered', async () => {
    const harness = await start({
      plan: { maximumRecordAgeMs: 60_000 },
      before: stream => {
        for (const ageMs of [61_000, 60_001, 60_000]) stream.put(SHARD, String(ageMs), { arrivalMs: NOW_MS - ageMs })
      },
    })
    await harness.time.runUntil(() => delivered(harness) === 1)
    expect(dataOf(harness)).toEqual(['60000'])
    expect(harness.mapping.counters()[0]).toMatchObject({ discarded: 2, discardedByAge: 2, discardedAfterRetries: 0 })
    expect(harness.givenUp).toHaveLength(1)
  })

  it('are given up between retries, which are without end otherwise', async () => {
    const harness = await start({
      plan: { maximumRecordAgeMs: 60_000 },
      before: stream => void stream.put(SHARD, 'a', { arrivalMs: NOW_MS }),
      handler: ({ data }) => (data.includes('a') ? failed('Error') : null),
    })
    await harness.time.runUntil(() => discarded(harness) === 1)
    expect(harness.time.clock() - NOW_MS).toBeGreaterThan(60_000)
    expect(harness.time.clock() - NOW_MS).toBeLessThan(63_000)
    expect(JSON.parse(harness.givenUp[0]?.body ?? '')).toMatchObject({
      requestContext: { condition: 'RecordAgeExceeded', approximateInvokeCount: harness.deliveries.length },
      responseContext: { functionError: 'Unhandled' },
    })
  })

  it('are those that have left the stream where the mapping has no limit', async () => {
    const harness = await start({
      options: { pollMs: 60_000, retentionMs: 86_400_000, retryBaseMs: 3_600_000, retryCapMs: 3_600_000 },
      before: stream => void stream.put(SHARD, 'a', { arrivalMs: NOW_MS }),
      handler: () => failed('Error'),
    })
    await harness.time.runUntil(() => discarded(harness) === 1)
    expect(harness.time.clock() - NOW_MS).toBeGreaterThan(86_400_000)
  })
})

describe('the object of a batch that was given up', () => {
  it("has Lambda's name and form", async () => {
    const harness = await start({
      plan: { maximumRetryAttempts: 1, batchSize: 2 },
      before: stream => {
        stream.put(SHARD, '{"a":"ü"}', { arrivalMs: 1_699_999_999_001, partitionKey: 'ana' })
        stream.put(SHARD, 'not JSON', { arrivalMs: 1_699_999_999_002, partitionKey: 'ben' })
      },
      handler: ({ sequences }) => failFrom(sequences[0]),
    })
    await harness.time.runUntil(() => discarded(harness) === 2)
    const [object] = harness.givenUp
    const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'
    expect(object?.key).toMatch(
      new RegExp(`^aws/lambda/${MAPPING.uuid}/${SHARD}/2023/11/14/2023-11-14T22\\.13\\.2\\d-${uuid}$`),
    )
    const [first, last] = harness.stream.sequences(SHARD)
    expect(JSON.parse(object?.body ?? '')).toEqual({
      requestContext: {
        requestId: expect.stringMatching(uuid),
        functionArn: MAPPING.functionArn,
        condition: 'RetryAttemptsExhausted',
        approximateInvokeCount: 2,
      },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: null },
      version: '1.0',
      timestamp: expect.stringMatching(/^2023-11-14T22:13:2\d\.\d{3}Z$/),
      KinesisBatchInfo: {
        shardId: SHARD,
        startSequenceNumber: first,
        endSequenceNumber: last,
        approximateArrivalOfFirstRecord: '2023-11-14T22:13:19.001Z',
        approximateArrivalOfLastRecord: '2023-11-14T22:13:19.002Z',
        batchSize: 2,
        streamArn: MAPPING.streamArn,
      },
      payload: harness.events[0],
    })
  })

  it('is written until the destination takes it, and the shard waits for that, no other does', async () => {
    let refusals = 5
    const harness = await start({
      shards: [SHARD, OTHER],
      plan: { maximumRetryAttempts: 0, batchSize: 1 },
      before: stream => {
        stream.put(SHARD, 'bad')
        stream.put(SHARD, 'good')
        stream.put(OTHER, 'other')
      },
      handler: ({ data }) => (data.includes('bad') ? failed('Error') : null),
      onFailure: async () => {
        if (refusals-- > 0) throw new Error('503 Slow Down')
      },
    })
    await harness.time.runUntil(() => delivered(harness) === 2)
    expect(dataOf(harness)).toEqual(['bad', 'other', 'good'])
    expect(harness.mapping.counters()[0]).toMatchObject({ destinationErrors: 5, discarded: 1 })
    expect(harness.givenUp).toHaveLength(1)
  })

  it('is never settled while it is not written: a restart delivers the batch again', async () => {
    const harness = await start({
      plan: { maximumRetryAttempts: 0 },
      before: putAll('bad'),
      handler: () => failed('Error'),
      onFailure: () => Promise.reject(new Error('503 Slow Down')),
    })
    await harness.time.runUntil(() => (harness.mapping.counters()[0]?.destinationErrors ?? 0) > 3)
    expect(harness.checkpoints.get(SHARD)).toBeUndefined()
    expect(harness.mapping.counters()[0]).toMatchObject({ pending: 1, discarded: 0 })
  })

  it('is what `readGivenUp` reads, record for record', async () => {
    const harness = await start({
      plan: { maximumRetryAttempts: 0, batchSize: 2 },
      before: stream => {
        for (const [index, text] of ['{"a":"ü"}', 'b', 'c'].entries())
          stream.put(SHARD, text, { arrivalMs: 1_699_999_999_001 + index, partitionKey: `user-${index}` })
      },
      handler: () => failed('Error'),
    })
    await harness.time.runUntil(() => discarded(harness) === 3)
    const archive = memoryObjectStore()
    for (const { key, body } of harness.givenUp) await archive.create(key, Buffer.from(body))
    const read = []
    for await (const { records } of readGivenUp(archive)) read.push(...(records ?? []))
    const sequences = harness.stream.sequences(SHARD)
    expect(read).toHaveLength(3)
    for (const [index, record] of read.toSorted((one, other) => one.arrivalMs - other.arrivalMs).entries()) {
      expect(record).toMatchObject({
        shard: SHARD,
        sequence: sequences[index],
        partitionKey: `user-${index}`,
        arrivalMs: 1_699_999_999_001 + index,
        dataBase64: Buffer.from(['{"a":"ü"}', 'b', 'c'][index] ?? '').toString('base64'),
      })
    }
  })
})
