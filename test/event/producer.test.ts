// Delivering through a stream that throttles, fails and refuses: what arrives, in which order, and what is reported.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventStreamError } from '../../src/event/errors.ts'
import { ENTRY_BYTES_MAX, type StreamEntry } from '../../src/event/event-stream-writer.ts'
import { deliver, type ProducerOptions, PUT_ATTEMPTS_MAX } from '../../src/event/producer.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { memoryEventStream, type PutFault } from '../fakes/memory-event-stream.ts'

const THROTTLED = 'ProvisionedThroughputExceededException'

function entry(user: string, text: string): StreamEntry {
  return { partitionKey: user, data: Buffer.from(text) }
}

/** Options with a clock that only sleeping moves. */
function producer(writer: ProducerOptions['writer'], more: Partial<ProducerOptions> = {}) {
  let nowMs = 0
  const sleeps: number[] = []
  const options: ProducerOptions = {
    writer,
    random: seededRandom(7),
    clock: () => nowMs,
    sleep: ms => {
      sleeps.push(ms)
      nowMs += ms
      return Promise.resolve()
    },
    ...more,
  }
  return { options, sleeps }
}

function texts(entries: readonly StreamEntry[]): string[] {
  return entries.map(({ data }) => Buffer.from(data).toString())
}

describe('deliver', () => {
  it('sends 1,200 entries in three calls without waiting', async () => {
    const stream = memoryEventStream({ shards: 4 })
    const entries = Array.from({ length: 1200 }, (_, index) => entry(`u${index % 700}`, String(index)))
    const { options, sleeps } = producer(stream)
    const deliveries = await deliver(entries, options)
    expect(stream.calls.map(call => call.length)).toEqual([500, 500, 200])
    expect(texts(stream.taken)).toEqual(texts(entries))
    expect(deliveries.every(({ outcome }) => outcome === 'delivered')).toBe(true)
    expect(sleeps).toEqual([])
  })

  it('sends only what failed again, and holds back what comes after it of the same user', async () => {
    const failsOnce: PutFault = ({ data }, { call }) => (call === 1 && String(data) === 'a1' ? THROTTLED : undefined)
    const others = Array.from({ length: 499 }, (_, index) => entry(`other${index}`, `other${index}`))
    const entries = [entry('a', 'a1'), ...others, entry('a', 'a2'), entry('b', 'b1'), entry('a', 'a3')]
    const stream = memoryEventStream({ entryFault: failsOnce })
    const deliveries = await deliver(entries, producer(stream).options)
    expect(stream.calls.map(call => texts(call))).toEqual([texts(entries.slice(0, 500)), ['b1'], ['a1', 'a2', 'a3']])
    expect(deliveries.every(({ outcome }) => outcome === 'delivered')).toBe(true)
  })

  it('keeps strict order with one entry per user and call, even where the stream fails inside a call', async () => {
    const random = seededRandom(3)
    const stream = memoryEventStream({ entryFault: () => (random() < 0.3 ? THROTTLED : undefined) })
    const entries = Array.from({ length: 60 }, (_, index) => entry(`u${index % 5}`, String(index)))
    const { options } = producer(stream, { oneEntryPerUser: true, attemptsMax: 100 })
    await deliver(entries, options)
    for (let user = 0; user < 5; user++) {
      const ofUser = (list: readonly StreamEntry[]) => texts(list.filter(e => e.partitionKey === `u${user}`))
      expect(ofUser(stream.taken)).toEqual(ofUser(entries))
    }
    expect(stream.calls.every(call => new Set(call.map(e => e.partitionKey)).size === call.length)).toBe(true)
  })

  it('gives up after the last attempt, names the code, and does not let the user continue past it', async () => {
    const stream = memoryEventStream({ entryFault: ({ data }) => (String(data) === 'a1' ? THROTTLED : undefined) })
    const filler = Array.from({ length: 499 }, (_, index) => entry(`f${index}`, 'f'))
    const { options, sleeps } = producer(stream)
    const deliveries = await deliver([entry('a', 'a1'), ...filler, entry('a', 'a2'), entry('b', 'b1')], options)
    expect(deliveries[0]).toEqual({ outcome: 'undelivered', reason: 'attempts-exhausted', code: THROTTLED })
    expect(deliveries[501]?.outcome).toBe('delivered')
    expect(stream.calls.filter(call => texts(call).includes('a1'))).toHaveLength(PUT_ATTEMPTS_MAX)
    expect(sleeps).toHaveLength(PUT_ATTEMPTS_MAX - 1)
    for (const [retry, ms] of sleeps.entries()) expect(ms).toBeLessThan(Math.min(1000, 50 * 2 ** retry))
    // a2 went along in the second call of the stream, together with a1: PutRecords took one and refused the other.
    expect(deliveries[500]?.outcome).toBe('delivered')
  })

  it('reports what waits behind an undelivered one instead of sending it', async () => {
    const stream = memoryEventStream({
      entryFault: ({ data }) => (String(data) === 'a1' ? 'InternalFailure' : undefined),
    })
    const { options } = producer(stream, { oneEntryPerUser: true })
    const deliveries = await deliver([entry('a', 'a1'), entry('a', 'a2'), entry('b', 'b1')], options)
    expect(deliveries).toMatchObject([
      { reason: 'attempts-exhausted', code: 'InternalFailure' },
      { reason: 'behind-undelivered' },
      { outcome: 'delivered' },
    ])
    expect(texts(stream.taken)).toEqual(['b1'])
  })

  it('repeats a call that failed as a whole, and stops at once where waiting cannot help', async () => {
    const lost = new EventStreamError('lost', { code: 'TimeoutError', retriable: true })
    const recovering = memoryEventStream({ callFault: call => (call < 3 ? lost : undefined) })
    expect(await deliver([entry('a', 'a1')], producer(recovering).options)).toMatchObject([{ outcome: 'delivered' }])
    expect(recovering.calls).toHaveLength(3)

    const denied = memoryEventStream({ callFault: () => new EventStreamError('no', { code: 'AccessDeniedException' }) })
    expect(await deliver([entry('a', 'a1')], producer(denied).options)).toEqual([
      { outcome: 'undelivered', reason: 'refused', code: 'AccessDeniedException' },
    ])
    expect(denied.calls).toHaveLength(1)
  })

  it('does not hide a bug behind an undelivered event', async () => {
    const broken = memoryEventStream({ callFault: () => new TypeError('bug') })
    await expect(deliver([entry('a', 'a1')], producer(broken).options)).rejects.toThrow('bug')
  })

  it('reports an entry over 1 MiB, key included, without sending it, and delivers the ones beside it', async () => {
    const stream = memoryEventStream()
    const fits = { partitionKey: 'a', data: new Uint8Array(ENTRY_BYTES_MAX - 1) }
    const over = { partitionKey: 'ab', data: new Uint8Array(ENTRY_BYTES_MAX - 1) }
    const deliveries = await deliver([over, fits, entry('ab', 'later')], producer(stream).options)
    expect(deliveries).toMatchObject([{ reason: 'too-big' }, { outcome: 'delivered' }, { outcome: 'delivered' }])
  })

  it('starts no call after the deadline and reports the rest', async () => {
    const stream = memoryEventStream({ entryFault: () => THROTTLED })
    const { options, sleeps } = producer(stream, { deadlineMs: 400, attemptsMax: 1000 })
    const deliveries = await deliver([entry('a', 'a1'), entry('b', 'b1')], options)
    expect(deliveries).toMatchObject([{ reason: 'deadline', code: THROTTLED }, { reason: 'deadline' }])
    expect(sleeps.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(400)
  })

  it('takes a result that is missing for a failure', async () => {
    const writer = { putRecords: () => Promise.resolve([]) }
    const deliveries = await deliver([entry('a', 'a1')], producer(writer, { attemptsMax: 2 }).options)
    expect(deliveries).toEqual([{ outcome: 'undelivered', reason: 'attempts-exhausted', code: 'no-result' }])
  })

  it('under any faults says delivered exactly of what the stream took, once each, and no later call overtakes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.double({ min: 0, max: 0.9, noNaN: true }), async (seed, rate) => {
        const random = seededRandom(seed)
        const stream = memoryEventStream({
          entryFault: () => (random() < rate ? THROTTLED : undefined),
          callFault: () =>
            random() < rate / 3 ? new EventStreamError('x', { code: 'InternalFailure', retriable: true }) : undefined,
        })
        const entries = Array.from({ length: 40 }, (_, index) => entry(`u${index % 6}`, String(index)))
        const oneEntryPerUser = seed % 2 === 0
        const deliveries = await deliver(entries, producer(stream, { oneEntryPerUser, attemptsMax: 4 }).options)
        const delivered = entries.filter((_, index) => deliveries[index]?.outcome === 'delivered')
        expect(texts(stream.taken).sort()).toEqual(texts(delivered).sort())
        if (!oneEntryPerUser) return
        for (let user = 0; user < 6; user++) {
          const ofUser = (list: readonly StreamEntry[]) => texts(list.filter(e => e.partitionKey === `u${user}`))
          const took = ofUser(stream.taken)
          expect(took).toEqual(ofUser(entries).slice(0, took.length))
        }
      }),
      { numRuns: 60 },
    )
  })
})
