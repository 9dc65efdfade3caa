import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/platform/random.ts'
import { waitUntilDrained } from '../../localstack/drain.ts'
import type { LocalCloudError } from '../../localstack/errors.ts'
import {
  delivered,
  type Delivery,
  failed,
  failFrom,
  type Harness,
  type HarnessOptions,
  startHarness,
} from './mapping-harness.ts'

const SHARD = 'shardId-000000000000'
const OTHER = 'shardId-000000000001'

let running: Harness | undefined

async function start(options: HarnessOptions): Promise<Harness> {
  running = await startHarness(options)
  return running
}

/** A consumer that is asleep only hears of the stop when virtual time goes on. */
async function stop(harness: Harness): Promise<void> {
  let isStopped = false
  const stopping = harness.mapping.stop().then(() => {
    isStopped = true
  })
  await harness.time.runUntil(() => isStopped)
  await stopping
}

afterEach(async () => {
  if (running !== undefined) await stop(running)
  running = undefined
})

const putAll =
  (...data: string[]): NonNullable<HarnessOptions['before']> =>
  stream => {
    for (const text of data) stream.put(SHARD, text)
  }

const dataOf = ({ deliveries }: Harness): string[] => deliveries.map(({ data }) => data.join(''))

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
    let checkpoint = ''
    const harness = await start({
      before: stream => {
        checkpoint = stream.put(SHARD, 'a')
        stream.put(SHARD, 'b')
      },
      checkpoint: () => checkpoint,
    })
    await harness.time.runUntil(() => delivered(harness) === 1)
    expect(dataOf(harness)).toEqual(['b'])
  })
})

describe('failures', () => {
  it('are delivered again from the lowest failed sequence, whatever the order of the list', async () => {
    const harness = await start({
      plan: { batchSize: 5 },
      before: putAll('a', 'b', 'c', 'd', 'e', 'f'),
      handler: ({ sequences }, attempt) => (attempt === 1 ? failFrom(sequences[4], sequences[2], sequences[3]) : null),
    })
    await harness.time.runUntil(() => delivered(harness) === 6)
    expect(dataOf(harness)).toEqual(['abcde', 'cde', 'f'])
    const [, b, , , e, f] = harness.stream.sequences(SHARD)
    expect(harness.checkpoints.get(SHARD)).toEqual([b, e, f])
  })

  it('of the function repeat the whole batch, and nothing after it goes before it', async () => {
    const harness = await start({
      before: putAll('a', 'b', 'c', 'd'),
      handler: (_delivery, attempt) => (attempt <= 2 ? failed('Error') : null),
    })
    await harness.time.runUntil(() => delivered(harness) === 4)
    expect(dataOf(harness)).toEqual(['abc', 'abc', 'abc', 'd'])
    expect(harness.mapping.counters()[0]).toMatchObject({ functionErrors: 2, partialFailures: 0, invocations: 4 })
  })

  it.each([
    ['an empty list', { batchItemFailures: [] }],
    ['a null list', { batchItemFailures: null }],
    ['an empty object', {}],
    ['null', null],
    ['nothing', undefined],
    ['an empty text', ''],
  ])('are none when the answer is %s', async (_name, answer) => {
    const harness = await start({ before: putAll('a', 'b'), handler: () => answer })
    await harness.time.runUntil(() => delivered(harness) === 2)
    expect(dataOf(harness)).toEqual(['ab'])
  })

  it.each([
    ['an unknown identifier', failFrom('123')],
    ['an empty identifier', failFrom('')],
    ['a null identifier', { batchItemFailures: [{ itemIdentifier: null }] }],
    ['a wrong key', { batchItemFailures: [{ sequenceNumber: '1' }] }],
    ['no list', { batchItemFailures: 'all' }],
    ['a text', 'done'],
  ])('are the whole batch when the answer has %s', async (_name, answer) => {
    const harness = await start({
      before: putAll('a', 'b'),
      handler: (_delivery, attempt) => (attempt === 1 ? answer : null),
    })
    await harness.time.runUntil(() => delivered(harness) === 2)
    expect(dataOf(harness)).toEqual(['ab', 'ab'])
  })

  it('count the whole batch when a good identifier stands beside an unknown one', async () => {
    const harness = await start({
      before: putAll('a', 'b'),
      handler: ({ sequences }, attempt) => (attempt === 1 ? failFrom(sequences[1], '123') : null),
    })
    await harness.time.runUntil(() => delivered(harness) === 2)
    expect(dataOf(harness)).toEqual(['ab', 'ab'])
  })

  it('in parts are taken for success without ReportBatchItemFailures', async () => {
    const harness = await start({
      plan: { reportsBatchItemFailures: false },
      before: putAll('a', 'b'),
      handler: ({ sequences }) => failFrom(sequences[0]),
    })
    await harness.time.runUntil(() => delivered(harness) === 2)
    expect(dataOf(harness)).toEqual(['ab'])
  })

  it('end after the maximum of retries: the records are discarded, counted and logged, and the shard goes on', async () => {
    const harness = await start({
      plan: { maximumRetryAttempts: 2 },
      before: putAll('a', 'b', 'c', 'd'),
      handler: ({ data }) => (data.includes('b') ? failed('Error') : null),
    })
    await harness.time.runUntil(() => delivered(harness) === 1)
    expect(dataOf(harness)).toEqual(['abc', 'abc', 'abc', 'd'])
    expect(harness.mapping.counters()[0]).toMatchObject({ discarded: 3, delivered: 1 })
    expect(harness.log.at(-1)).toContain('discarded')
  })

  it('have no retry where the maximum is zero', async () => {
    const harness = await start({
      plan: { maximumRetryAttempts: 0 },
      before: putAll('a', 'b', 'c', 'd'),
      handler: ({ data }) => (data.includes('a') ? failed('Error') : null),
    })
    await harness.time.runUntil(() => delivered(harness) === 1)
    expect(dataOf(harness)).toEqual(['abc', 'd'])
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

  it('that are closed are said to have children that nothing reads', async () => {
    const harness = await start({ before: putAll('a') })
    harness.stream.close(SHARD)
    await harness.time.runUntil(() => harness.log.length > 0)
    expect(dataOf(harness)).toEqual(['a'])
    expect(() => harness.mapping.assertRunning()).toThrow(expect.objectContaining({ code: 'shard-closed' }))
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

/** What a seeded handler answers, and how many records that settles. */
function seededHandler(seed: number): { handler: (delivery: Delivery) => unknown; settled: Map<string, number[]> } {
  const random = seededRandom(seed)
  const settled = new Map<string, number[]>()
  const settle = (shard: string, count: number): void => void settled.set(shard, [...(settled.get(shard) ?? []), count])
  return {
    settled,
    handler: ({ shard, sequences }) => {
      const dice = random()
      if (dice < 0.2) {
        settle(shard, 0)
        return failed('Error')
      }
      if (dice < 0.6) {
        const failures = sequences.filter(() => random() < 0.3)
        settle(shard, failures.length === 0 ? sequences.length : sequences.indexOf(failures[0] ?? ''))
        return failFrom(...failures.toSorted(() => random() - 0.5))
      }
      settle(shard, sequences.length)
      return null
    },
  }
}

it('delivers every record of every shard in order from where the last answer left it, for any answers', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.integer({ min: 1, max: 7 }),
      fc.array(fc.nat({ max: 2 }), { maxLength: 60 }),
      async (seed, batchSize, placement) => {
        const shards = [0, 1, 2].map(index => `shardId-00000000000${index}`)
        const { handler, settled } = seededHandler(seed)
        const harness = await startHarness({
          shards,
          plan: { batchSize },
          handler,
          before: stream => {
            for (const index of placement) stream.put(shards[index] ?? SHARD, 'data')
          },
        })
        await harness.time.runUntil(() => delivered(harness) === placement.length)
        await stop(harness)
        for (const shard of shards) {
          const sequences = harness.stream.sequences(shard)
          let done = 0
          const mine = harness.deliveries.filter(delivery => delivery.shard === shard)
          for (const [index, delivery] of mine.entries()) {
            expect(delivery.sequences.length).toBeLessThanOrEqual(batchSize)
            expect(delivery.sequences).toEqual(sequences.slice(done, done + delivery.sequences.length))
            done += settled.get(shard)?.[index] ?? 0
          }
          expect(done).toBe(sequences.length)
          const saved = harness.checkpoints.get(shard) ?? []
          expect(saved.at(-1)).toBe(sequences.at(-1))
          expect(saved).toEqual(saved.toSorted())
        }
      },
    ),
    { numRuns: 60 },
  )
})
