// How a mapping follows splits and merges: children after their parents, each shard once, across restarts.
import { describe, expect, it } from 'vitest'
import { waitUntilDrained } from '../../localstack/drain.ts'
import {
  dataOf,
  delivered,
  failed,
  type Harness,
  OTHER,
  putAll,
  SHARD,
  start,
  startHarness,
  stop,
  throttled,
} from './mapping-harness.ts'

const DISCOVERY_MS = 10_000

const statesOf = ({ mapping }: Harness): string[] => mapping.counters().map(({ state }) => state)
const shardsOf = ({ deliveries }: Harness): string[] => [...new Set(deliveries.map(({ shard }) => shard))]

describe('a split', () => {
  it('is followed: the children are read when all of the parent is settled, and not before', async () => {
    let isBroken = true
    const harness = await start({
      before: putAll('a', 'b', 'c', 'd'),
      handler: ({ shard, data }) => (shard === SHARD && data.includes('d') && isBroken ? failed('Error') : null),
    })
    const [low, high] = harness.stream.split(SHARD)
    harness.stream.put(low, 'e')
    harness.stream.put(high, 'f')
    await harness.time.runUntil(() => harness.deliveries.length >= 8)
    expect(shardsOf(harness)).toEqual([SHARD])
    expect(harness.mapping.counters()).toMatchObject([{ state: 'closed', pending: 1 }])
    isBroken = false
    await harness.time.runUntil(() => delivered(harness) === 6)
    expect(shardsOf(harness)).toEqual([SHARD, low, high])
    expect(statesOf(harness)).toEqual(['finished', 'open', 'open'])
  })

  it('waits as well for a batch of the parent that is in flight, and for one that is given up', async () => {
    const harness = await start({
      plan: { maximumRetryAttempts: 1 },
      before: putAll('a'),
      handler: async ({ shard }, _attempt, { time }) => {
        if (shard !== SHARD) return null
        await time.sleep(60_000)
        return failed('Error')
      },
    })
    const [low] = harness.stream.split(SHARD)
    harness.stream.put(low, 'b')
    await harness.time.runUntil(() => delivered(harness) === 1)
    expect(dataOf(harness)).toEqual(['a', 'a', 'b'])
    expect(harness.mapping.counters()[0]).toMatchObject({ discarded: 1, state: 'finished' })
  })

  it('that comes later is found when the parent is closed, and one whose parent has left, before long', async () => {
    const harness = await start({ before: putAll('a') })
    await harness.time.runUntil(() => delivered(harness) === 1)
    const splitMs = harness.time.clock()
    const [low] = harness.stream.split(SHARD)
    harness.stream.put(low, 'b')
    await harness.time.runUntil(() => delivered(harness) === 2)
    expect(harness.time.clock() - splitMs).toBeLessThan(1000)
    harness.stream.put(harness.stream.split(low)[1], 'c')
    harness.stream.trim(Infinity)
    harness.stream.put(harness.stream.openShards()[1] ?? '', 'd')
    const trimMs = harness.time.clock()
    await harness.time.runUntil(() => dataOf(harness).includes('d'))
    expect(harness.time.clock() - trimMs).toBeLessThanOrEqual(DISCOVERY_MS)
  })

  it('of a shard read from LATEST loses nothing: what was put into a child first is delivered', async () => {
    const harness = await start({ plan: { startingPosition: { type: 'LATEST' } }, before: putAll('old') })
    const [low, high] = harness.stream.split(SHARD)
    harness.stream.put(low, 'b')
    const [lowest] = harness.stream.split(low)
    harness.stream.put(lowest, 'c')
    harness.stream.put(high, 'd')
    await harness.time.runUntil(() => delivered(harness) === 3)
    expect(dataOf(harness).toSorted()).toEqual(['b', 'c', 'd'])
    expect(dataOf(harness).indexOf('b')).toBeLessThan(dataOf(harness).indexOf('c'))
  })

  it('before a start from LATEST: children that wait for their parent miss nothing that is put meanwhile', async () => {
    const arrivalMs = 1_800_000_000_000
    const harness = await start({
      plan: { startingPosition: { type: 'LATEST' } },
      before: stream => {
        const [low] = stream.split(SHARD)
        stream.put(low, 'old')
      },
    })
    harness.stream.put(harness.stream.openShards()[0] ?? '', 'new', { arrivalMs })
    await harness.time.runUntil(() => delivered(harness) === 1)
    expect(dataOf(harness)).toEqual(['new'])
  })

  it('may be read before its parent where a test wants it so', async () => {
    const harness = await start({
      before: stream => {
        stream.put(SHARD, 'a')
        stream.put(stream.split(SHARD)[0], 'b')
      },
      handler: ({ shard }) => (shard === SHARD ? throttled : null),
      options: { isChildBeforeParentAllowed: shard => shard.endsWith('1') },
    })
    await harness.time.runUntil(() => delivered(harness) === 1)
    expect(dataOf(harness)).toContain('b')
    expect(statesOf(harness)).toEqual(['closed', 'open', 'waiting'])
  })
})

describe('a merge', () => {
  it('waits for both parents', async () => {
    let isBroken = true
    const harness = await start({
      shards: [SHARD, OTHER],
      before: stream => {
        stream.put(SHARD, 'a')
        stream.put(OTHER, 'b')
      },
      handler: ({ shard }) => (shard === OTHER && isBroken ? failed('Error') : null),
    })
    harness.stream.put(harness.stream.merge(SHARD, OTHER), 'c')
    const closedMs = harness.time.clock()
    await harness.time.runUntil(() => harness.time.clock() > closedMs + 3 * DISCOVERY_MS)
    expect(statesOf(harness)).toEqual(['finished', 'closed', 'waiting'])
    isBroken = false
    await harness.time.runUntil(() => delivered(harness) === 3)
    expect(dataOf(harness).at(-1)).toBe('c')
  })
})

describe('a restart', () => {
  it('does not read a finished shard again, and goes on in its children where they were', async () => {
    const first = await startHarness({ before: putAll('a') })
    const [low, high] = first.stream.split(SHARD)
    first.stream.put(low, 'b')
    await first.time.runUntil(() => delivered(first) === 2)
    await stop(first)
    expect(first.saved.get(SHARD)).toEqual({ type: 'SHARD_END' })
    first.stream.put(low, 'c')
    first.stream.put(high, 'd')
    const second = await start({ after: first })
    await second.time.runUntil(() => delivered(second) === 2)
    expect(dataOf(second).toSorted()).toEqual(['c', 'd'])
    expect(statesOf(second)).toEqual(['finished', 'open', 'open'])
  })

  it('from LATEST misses nothing that came meanwhile, in shards that had no record yet as well', async () => {
    const first = await startHarness({ shards: [SHARD, OTHER], plan: { startingPosition: { type: 'LATEST' } } })
    await stop(first)
    const arrivalMs = first.time.clock() + 1
    first.stream.put(SHARD, 'a', { arrivalMs })
    const [low] = first.stream.split(OTHER)
    first.stream.put(low, 'b', { arrivalMs })
    const second = await start({ after: first, plan: { startingPosition: { type: 'LATEST' } } })
    await second.time.runUntil(() => delivered(second) === 2)
    expect(dataOf(second).toSorted()).toEqual(['a', 'b'])
  })

  it('goes on after records that have left the stream', async () => {
    const first = await startHarness({
      before: stream => {
        for (const arrivalMs of [1, 2, 3]) stream.put(SHARD, String(arrivalMs), { arrivalMs })
      },
      plan: { batchSize: 1 },
      handler: ({ data }) => (data.includes('2') ? failed('Error') : null),
    })
    await first.time.runUntil(() => delivered(first) === 1 && first.deliveries.length > 2)
    await stop(first)
    first.stream.trim(3)
    const second = await start({ after: first })
    await second.time.runUntil(() => delivered(second) === 1)
    expect(dataOf(second)).toEqual(['3'])
  })
})

describe('draining', () => {
  it('goes through splits and merges that nobody has seen yet', async () => {
    const harness = await start({ plan: { batchingWindowMs: 300_000 }, before: putAll('a') })
    await harness.time.runUntil(() => delivered(harness) === 0)
    const [low, high] = harness.stream.split(SHARD)
    harness.stream.put(low, 'b')
    harness.stream.put(harness.stream.merge(low, high), 'c')
    let isOver = false
    const { clock, sleep } = harness.time
    const drained = waitUntilDrained([harness.mapping], { timeoutMs: 60_000, clock, sleep }).finally(() => {
      isOver = true
    })
    await harness.time.runUntil(() => isOver)
    await drained
    expect(dataOf(harness)).toEqual(['a', 'b', 'c'])
  })

  it('waits for nothing in a mapping that is disabled', async () => {
    const harness = await start({ plan: { isEnabled: false }, before: putAll('a') })
    const { clock, sleep } = harness.time
    await waitUntilDrained([harness.mapping], { timeoutMs: 1000, clock, sleep })
    expect(dataOf(harness)).toEqual([])
  })
})
