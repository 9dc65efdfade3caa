// What a mapping takes from each answer of its function: what it delivers again, from where, and what it gives up.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/platform/random.ts'
import {
  dataOf,
  delivered,
  type Delivery,
  failed,
  failFrom,
  putAll,
  SHARD,
  start,
  startHarness,
  stop,
} from './mapping-harness.ts'

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
    expect(harness.log.at(-1)).toContain('RetryAttemptsExhausted')
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
