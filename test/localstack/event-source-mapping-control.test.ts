// A mapping that is paused, stopped or killed, a stream that cannot be read, and what is counted.
import { describe, expect, it } from 'vitest'
import { dataOf, delivered, failed, type Harness, putAll, SHARD, start, startHarness, stop } from './mapping-harness.ts'

const later = async ({ time }: Harness, ms: number): Promise<void> => {
  let isLater = false
  void time.sleep(ms).then(() => {
    isLater = true
  })
  await time.runUntil(() => isLater)
}

describe('a mapping that is disabled', () => {
  it('ends the invocation in flight, begins no other, keeps its position, and goes on from there', async () => {
    let inFlight = 0
    const harness = await start({
      before: putAll('a', 'b', 'c', 'd', 'e'),
      handler: async (_delivery, _attempt, { time }) => {
        inFlight++
        await time.sleep(1000)
        inFlight--
        return null
      },
    })
    await harness.time.runUntil(() => inFlight === 1)
    let isDisabled = false
    const disabling = harness.mapping.setEnabled(false).then(() => {
      isDisabled = true
      expect(inFlight).toBe(0)
    })
    harness.stream.put(SHARD, 'f')
    await harness.time.runUntil(() => isDisabled)
    await disabling
    await later(harness, 60_000)
    expect(dataOf(harness)).toEqual(['abc'])
    expect(harness.mapping.isEnabled()).toBe(false)
    expect(harness.saved.get(SHARD)).toMatchObject({ sequence: harness.stream.sequences(SHARD)[2] })
    await harness.mapping.setEnabled(true)
    await harness.time.runUntil(() => delivered(harness) === 6)
    expect(dataOf(harness).join('')).toBe('abcdef')
  })

  it('does not deliver a failed batch again until it is enabled, and then goes on with the retries it had', async () => {
    const harness = await start({ plan: { maximumRetryAttempts: 2 }, before: putAll('a'), handler: () => failed('E') })
    await harness.time.runUntil(() => harness.deliveries.length === 2)
    await harness.mapping.setEnabled(false)
    await later(harness, 60_000)
    expect(harness.deliveries).toHaveLength(2)
    await harness.mapping.setEnabled(true)
    await later(harness, 60_000)
    expect(harness.deliveries).toHaveLength(3)
    expect(harness.mapping.counters()[0]).toMatchObject({ discarded: 1, retries: 2 })
  })

  it('from the start delivers nothing, then everything from its starting position', async () => {
    const harness = await start({
      plan: { isEnabled: false, startingPosition: { type: 'LATEST' } },
      before: putAll('a'),
    })
    harness.stream.put(SHARD, 'b')
    await later(harness, 60_000)
    expect(dataOf(harness)).toEqual([])
    await harness.mapping.setEnabled(true)
    await harness.time.runUntil(() => delivered(harness) === 1)
    expect(dataOf(harness)).toEqual(['b'])
  })

  it('can be stopped', async () => {
    const harness = await startHarness({ plan: { isEnabled: false }, before: putAll('a') })
    await stop(harness)
    expect(dataOf(harness)).toEqual([])
  })
})

describe('a mapping that ends', () => {
  const slow = {
    before: putAll('a', 'b', 'c', 'd'),
    handler: async (_delivery: unknown, _attempt: number, { time }: Pick<Harness, 'time'>) => {
      await time.sleep(1000)
      return null
    },
  }

  it('in order waits for the batch in flight and remembers it', async () => {
    const first = await startHarness(slow)
    await first.time.runUntil(() => first.deliveries.length === 1)
    await stop(first)
    const second = await start({ after: first })
    await second.time.runUntil(() => delivered(second) === 1)
    expect([...dataOf(first), ...dataOf(second)]).toEqual(['abc', 'd'])
  })

  it('at once leaves checkpoints as they are, and whatever is answered has no effect', async () => {
    const first = await startHarness(slow)
    await first.time.runUntil(() => first.deliveries.length === 1)
    first.mapping.kill()
    const before = structuredClone(first.mapping.counters())
    await later(first, 60_000)
    expect(first.mapping.counters()).toEqual(before)
    expect(first.saved.get(SHARD)).toEqual({ type: 'TRIM_HORIZON' })
    const second = await start({ after: first })
    await second.time.runUntil(() => delivered(second) === 4)
    expect([...dataOf(first), ...dataOf(second)]).toEqual(['abc', 'abc', 'd'])
  })

  it('takes a function that is ended with it for no failure: its batch is not given up', async () => {
    const first = await startHarness({
      plan: { maximumRetryAttempts: 0 },
      before: putAll('a'),
      handler: async (_delivery, _attempt, { time }) => {
        await time.sleep(1000)
        return failed('Runtime.ExitError')
      },
    })
    await first.time.runUntil(() => first.deliveries.length === 1)
    await stop(first)
    expect(first.givenUp).toEqual([])
    expect(first.mapping.counters()[0]).toMatchObject({ discarded: 0, functionErrors: 0, pending: 1 })
  })
})

describe('a stream that cannot be read', () => {
  it('is read again until it can be, and its shards are looked for again as well', async () => {
    const harness = await start({ before: putAll('a') })
    await harness.time.runUntil(() => delivered(harness) === 1)
    const broken = harness.brokenStream
    broken.isBroken = true
    const [low] = harness.stream.split(SHARD)
    harness.stream.put(low, 'b')
    await later(harness, 30_000)
    expect(harness.mapping.counters()[0]?.readErrors).toBeGreaterThan(5)
    expect(harness.log.some(line => line.includes('shards are not listed'))).toBe(true)
    expect(() => harness.mapping.assertRunning()).not.toThrow()
    broken.isBroken = false
    await harness.time.runUntil(() => delivered(harness) === 2)
    expect(dataOf(harness)).toEqual(['a', 'b'])
  })

  it('is no reason to start at all', async () => {
    await expect(startHarness({ isBrokenAtStart: true })).rejects.toThrow('ServiceUnavailable')
  })
})

it('counts what is behind, how old it is, and what was tried again', async () => {
  const harness = await start({
    before: stream => {
      for (const ageMs of [5000, 4000, 3000, 2000]) {
        stream.put(SHARD, String(ageMs), { arrivalMs: 1_700_000_000_000 - ageMs })
      }
    },
    handler: (_delivery, attempt) => (attempt === 1 ? null : failed('Error')),
  })
  await harness.time.runUntil(() => harness.deliveries.length === 4)
  const [counters] = harness.mapping.counters()
  expect(counters).toMatchObject({
    state: 'open',
    delivered: 3,
    invocations: 4,
    retries: 2,
    functionErrors: 3,
    pending: 1,
    oldestPendingMs: 1_700_000_000_000 - 2000,
  })
  expect(counters?.iteratorAgeMs).toBeGreaterThanOrEqual(2000)
  expect(counters?.iteratorAgeMs).toBeLessThan(3000)
})

it('says what has ended a consumer before its time', async () => {
  const harness = await start({
    before: putAll('a'),
    handler: () => {
      throw new Error('the code cannot be unpacked')
    },
  })
  await harness.time.runUntil(() => harness.log.length > 0)
  expect(() => harness.mapping.assertRunning()).toThrow('the code cannot be unpacked')
})
