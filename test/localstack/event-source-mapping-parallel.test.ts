// Batches of one shard in parallel: order per key, the checkpoint before whatever is not settled, and one stuck key.
import { describe, expect, it } from 'vitest'
import { delivered, failed, failFrom, type Harness, SHARD, start, startHarness } from './mapping-harness.ts'

const KEYS = Array.from({ length: 40 }, (_, index) => `user-${index}`)

const putEach = (rounds: number) => (stream: Harness['stream']) => {
  for (let round = 0; round < rounds; round++) {
    for (const partitionKey of KEYS) stream.put(SHARD, `${partitionKey}:${round}`, { partitionKey })
  }
}

describe.each([1, 2, 10])('with a parallelization factor of %i', parallelizationFactor => {
  it('as many batches of a shard are in flight, each of other keys, and the records of a key are in order', async () => {
    let inFlight = 0
    let inFlightMost = 0
    const keysInFlight = new Set<string>()
    const seen = new Map<string, string[]>()
    const harness = await start({
      plan: { parallelizationFactor, batchSize: 5 },
      before: putEach(8),
      handler: async ({ partitionKeys, data }, attempt, { time }) => {
        inFlightMost = Math.max(inFlightMost, ++inFlight)
        const keys = [...new Set(partitionKeys)]
        expect(keys.filter(key => keysInFlight.has(key))).toEqual([])
        for (const key of keys) keysInFlight.add(key)
        await time.sleep(attempt % 7)
        for (const key of keys) keysInFlight.delete(key)
        inFlight--
        for (const [index, key] of partitionKeys.entries()) seen.set(key, [...(seen.get(key) ?? []), data[index] ?? ''])
        return null
      },
    })
    await harness.time.runUntil(() => delivered(harness) === 320)
    expect(inFlightMost).toBe(parallelizationFactor)
    for (const key of KEYS) expect(seen.get(key)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map(round => `${key}:${round}`))
    expect(harness.saved.get(SHARD)).toEqual({
      type: 'AFTER_SEQUENCE',
      sequence: harness.stream.sequences(SHARD).at(-1),
    })
  })

  it('the batching window and the batch size are those of a sub-queue', async () => {
    const harness = await start({
      plan: { parallelizationFactor, batchSize: 100, batchingWindowMs: 5000 },
      before: putEach(1),
    })
    const startMs = harness.time.clock()
    await harness.time.runUntil(() => delivered(harness) === 40)
    expect(harness.deliveries).toHaveLength(parallelizationFactor)
    for (const { atMs } of harness.deliveries) expect(atMs - startMs).toBeGreaterThanOrEqual(5000)
  })
})

describe('a sub-queue that is stuck', () => {
  const stuck = { plan: { parallelizationFactor: 4, batchSize: 5 }, before: putEach(8) }

  it('holds up no other, and the checkpoint stays before it: a restart delivers what came after it again', async () => {
    const first = await startHarness({
      ...stuck,
      handler: ({ partitionKeys, sequences }) => {
        const index = partitionKeys.indexOf('user-7')
        return index === -1 ? null : failFrom(sequences[index])
      },
    })
    await first.time.runUntil(() => delivered(first) > 220)
    first.mapping.kill()
    const sequences = first.stream.sequences(SHARD)
    expect(first.saved.get(SHARD)).toEqual({ type: 'AFTER_SEQUENCE', sequence: sequences[6] })
    expect(first.mapping.counters()[0]).toMatchObject({ lastSequence: sequences[6] })
    const second = await start({ ...stuck, before: () => undefined, after: first })
    await second.time.runUntil(() => delivered(second) === 320 - 7)
    const settled = new Set(first.deliveries.flatMap(({ sequences: delivery }) => delivery))
    const again = second.deliveries.flatMap(delivery => delivery.sequences).filter(sequence => settled.has(sequence))
    expect(again.length).toBeGreaterThan(200)
  })

  it('that is given up lets the checkpoint go on', async () => {
    const harness = await start({
      ...stuck,
      plan: { ...stuck.plan, maximumRetryAttempts: 1 },
      handler: ({ partitionKeys }) => (partitionKeys.includes('user-7') ? failed('Error') : null),
    })
    await harness.time.runUntil(() => harness.mapping.counters()[0]?.pending === 0 && delivered(harness) > 0)
    const [counters] = harness.mapping.counters()
    expect((counters?.delivered ?? 0) + (counters?.discarded ?? 0)).toBe(320)
    expect(harness.saved.get(SHARD)).toMatchObject({ sequence: harness.stream.sequences(SHARD).at(-1) })
  })

  it('stops the reading of the shard when too much has been read ahead, and it goes on afterwards', async () => {
    let isBroken = true
    const harness = await start({
      plan: { parallelizationFactor: 2, batchSize: 5 },
      options: { readAheadBytesMax: 100_000 },
      before: stream => {
        for (let index = 0; index < 1000; index++) stream.put(SHARD, 'mine', { partitionKey: 'a' })
        for (const partitionKey of KEYS) stream.put(SHARD, 'other', { partitionKey })
      },
      handler: async ({ partitionKeys }, _attempt, { time }) => {
        await time.sleep(1000)
        return partitionKeys.includes('a') && isBroken ? failed('Error') : null
      },
    })
    const startMs = harness.time.clock()
    await harness.time.runUntil(() => harness.time.clock() > startMs + 60_000)
    expect(harness.deliveries.flatMap(({ data }) => data)).not.toContain('other')
    const pending = harness.mapping.counters()[0]?.pending ?? 0
    expect(pending).toBeGreaterThan(100)
    expect(pending).toBeLessThan(500)
    isBroken = false
    await harness.time.runUntil(() => delivered(harness) === 1040)
  })
})
