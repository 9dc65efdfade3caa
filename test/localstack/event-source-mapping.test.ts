import { describe, expect, it } from 'vitest'
import { waitUntilDrained } from '../../localstack/drain.ts'
import type { Checkpoint } from '../../localstack/mapped-stream.ts'
import type { LocalCloudError } from '../../localstack/errors.ts'
import { dataOf, delivered, failed, type Harness, OTHER, putAll, SHARD, start } from './mapping-harness.ts'

describe('batches', () => {
  it('are of the batch size at most and in stream order', async () => {
    const harness = await start({ before: putAll('a', 'b', 'c', 'd', 'e', 'f', 'g') })
    await harness.time.runUntil(() => delivered(harness) === 7)
    expect(dataOf(harness)).toEqual(['abc', 'def', 'g'])
  })

  it('wait for a full batch until the window ends, counted from the first record', async () => {
    const harness = await start({ plan: { batchingWindowMs: 5000 } })
    const startMs = harness.time.clock()
    await harness.time.runUntil(() => harness.time.clock() >= startMs + 1000)
    harness.stream.put(SHARD, 'a')
    await harness.time.runUntil(() => harness.time.clock() >= startMs + 3000)
    harness.stream.put(SHARD, 'b')
    await harness.time.runUntil(() => delivered(harness) === 2)
    expect(dataOf(harness)).toEqual(['ab'])
    const waitedMs = (harness.deliveries[0]?.atMs ?? 0) - startMs
    expect(waitedMs).toBeGreaterThanOrEqual(6000)
    expect(waitedMs).toBeLessThanOrEqual(6200)
  })

  it('each have a window of their own', async () => {
    const harness = await start({ plan: { batchingWindowMs: 5000 }, before: putAll('a') })
    await harness.time.runUntil(() => delivered(harness) === 1)
    const putMs = harness.time.clock()
    harness.stream.put(SHARD, 'b')
    await harness.time.runUntil(() => delivered(harness) === 2)
    expect((harness.deliveries[1]?.atMs ?? 0) - putMs).toBeGreaterThanOrEqual(5000)
  })

  it('do not wait for the window when they are full', async () => {
    const harness = await start({ plan: { batchingWindowMs: 300_000 }, before: putAll('a', 'b', 'c', 'd') })
    const startMs = harness.time.clock()
    await harness.time.runUntil(() => delivered(harness) === 3)
    expect(harness.time.clock() - startMs).toBeLessThan(1000)
    expect(dataOf(harness)).toEqual(['abc'])
  })

  it('are cut at 6 MB of serialized event, base64 and envelope included', async () => {
    const record = 'x'.repeat(1024 * 1024)
    const harness = await start({
      plan: { batchSize: 100 },
      before: putAll(...Array.from({ length: 9 }, () => record)),
    })
    await harness.time.runUntil(() => delivered(harness) === 9)
    expect(harness.deliveries.map(({ data }) => data.length)).toEqual([4, 4, 1])
    const limit = 6 * 1024 * 1024
    for (const { bytes } of harness.deliveries) expect(bytes).toBeLessThanOrEqual(limit)
    expect((harness.deliveries[0]?.bytes ?? 0) * 1.25).toBeGreaterThan(limit)
  })

  it('have records in the shape that Lambda gives them', async () => {
    const harness = await start({
      before: stream => void stream.put(SHARD, '{"a":1}', { partitionKey: 'user-1', arrivalMs: 1_545_084_650_987 }),
    })
    await harness.time.runUntil(() => delivered(harness) === 1)
    const sequence = harness.stream.sequences(SHARD)[0]
    expect(JSON.parse(harness.events[0] ?? '')).toEqual({
      Records: [
        {
          kinesis: {
            kinesisSchemaVersion: '1.0',
            partitionKey: 'user-1',
            sequenceNumber: sequence,
            data: 'eyJhIjoxfQ==',
            approximateArrivalTimestamp: 1545084650.987,
          },
          eventSource: 'aws:kinesis',
          eventVersion: '1.0',
          eventID: `${SHARD}:${sequence}`,
          eventName: 'aws:kinesis:record',
          invokeIdentityArn: 'arn:aws:iam::000000000000:role/recompute',
          awsRegion: 'us-east-1',
          eventSourceARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/events',
        },
      ],
    })
  })
})

describe('starting positions', () => {
  it('read the whole stream from TRIM_HORIZON and only what comes from LATEST', async () => {
    const harness = await start({ plan: { startingPosition: { type: 'LATEST' } }, before: putAll('old') })
    harness.stream.put(SHARD, 'new')
    await harness.time.runUntil(() => delivered(harness) === 1)
    expect(dataOf(harness)).toEqual(['new'])
  })

  it('give way to a checkpoint', async () => {
    const saved = new Map<string, Checkpoint>()
    const harness = await start({
      before: stream => {
        saved.set(SHARD, { type: 'AFTER_SEQUENCE', sequence: stream.put(SHARD, 'a') })
        stream.put(SHARD, 'b')
      },
      saved,
    })
    await harness.time.runUntil(() => delivered(harness) === 1)
    expect(dataOf(harness)).toEqual(['b'])
  })
})

describe('shards', () => {
  it('are independent: one that never succeeds holds up no other', async () => {
    const harness = await start({
      shards: [SHARD, OTHER],
      before: stream => {
        for (const text of ['a', 'b']) stream.put(SHARD, text)
        for (let index = 0; index < 9; index++) stream.put(OTHER, String(index))
      },
      handler: ({ shard }) => (shard === SHARD ? failed('Error') : null),
    })
    await harness.time.runUntil(() => delivered(harness) === 9)
    expect(harness.mapping.counters()).toMatchObject([
      { delivered: 0, pending: 2 },
      { delivered: 9, pending: 0 },
    ])
  })

  it('have one batch in flight each, and different ones at the same time', async () => {
    const inFlight = new Map<string, number>()
    let together = 0
    const harness = await start({
      shards: [SHARD, OTHER],
      before: stream => {
        for (let index = 0; index < 12; index++) stream.put(index % 2 === 0 ? SHARD : OTHER, String(index))
      },
      handler: async ({ shard }, _attempt, { time }) => {
        inFlight.set(shard, (inFlight.get(shard) ?? 0) + 1)
        expect(inFlight.get(shard)).toBe(1)
        if ([...inFlight.values()].every(count => count === 1) && inFlight.size === 2) together++
        await time.sleep(500)
        inFlight.set(shard, 0)
        return null
      },
    })
    await harness.time.runUntil(() => delivered(harness) === 12)
    expect(together).toBeGreaterThan(0)
  })
})

describe('draining', () => {
  const drain = async (harness: Harness, timeoutMs = 60_000): Promise<void> => {
    let isOver = false
    const { clock, sleep } = harness.time
    const drained = waitUntilDrained([harness.mapping], { timeoutMs, clock, sleep }).finally(() => {
      isOver = true
    })
    // Looked at below, after time has run; a rejection before that is no surprise.
    drained.catch(() => undefined)
    await harness.time.runUntil(() => isOver)
    await drained
  }

  it('ends windows at once and waits for what handlers put into the stream themselves', async () => {
    const harness = await start({
      plan: { batchingWindowMs: 300_000 },
      before: putAll('3'),
      handler: ({ data }, _attempt, { stream }) => {
        const left = Number(data[0])
        if (left > 0) stream.put(SHARD, String(left - 1))
        return null
      },
    })
    const startMs = harness.time.clock()
    await drain(harness)
    expect(dataOf(harness)).toEqual(['3', '2', '1', '0'])
    expect(harness.time.clock() - startMs).toBeLessThan(300_000)
  })

  it('waits for a shard that was quiet before another shard put into it', async () => {
    const harness = await start({
      shards: [SHARD, OTHER],
      before: putAll('a'),
      handler: async ({ shard }, _attempt, { stream, time }) => {
        await time.sleep(1000)
        if (shard === SHARD) stream.put(OTHER, 'b')
        return null
      },
    })
    await drain(harness)
    expect(delivered(harness)).toBe(2)
  })

  it('says which shard is behind when it takes too long', async () => {
    const harness = await start({ before: putAll('a', 'b'), handler: () => failed('Error') })
    const error = await drain(harness, 5000).catch((thrown: unknown) => thrown as LocalCloudError)
    expect(error).toMatchObject({ code: 'drain-timeout', retriable: true })
    expect((error as LocalCloudError).message).toContain(`Mapping ${SHARD}: 2 records`)
  })
})
