import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lagOf } from '../../src/status/lag.ts'
import { MINUTE_MS, NOW_MS, point } from './readings-factory.ts'

const running = { nowMs: NOW_MS, pausedMs: undefined }
const paused = (minutesAgo: number) => ({ nowMs: NOW_MS, pausedMs: NOW_MS - minutesAgo * MINUTE_MS })

describe('lagOf', () => {
  it('is that of the newest deliveries', () => {
    const ages = [point(5, 90_000), point(2, 400)]
    expect(lagOf({ ...running, ages, incoming: [point(5, 1), point(2, 1)] })).toEqual({ ms: 400, kind: 'delivered' })
  })

  it('is that of a shard that is stuck, although another one delivers since', () => {
    const stuckMs = 30 * MINUTE_MS
    const incoming = [point(2, 9), point(1, 9), point(0, 1)]
    for (const ages of [
      [point(1, stuckMs), point(0, 800)],
      [point(2, stuckMs), point(1, 700), point(0, 800)],
    ]) {
      expect(lagOf({ ...running, ages, incoming })).toEqual({ ms: stuckMs, kind: 'delivered' })
      const pausedNow = { nowMs: NOW_MS, pausedMs: NOW_MS - MINUTE_MS }
      expect(lagOf({ ...pausedNow, ages, incoming: [] })).toEqual({ ms: stuckMs + MINUTE_MS, kind: 'waiting' })
    }
  })

  it('has fallen three minutes after the last delivery that was behind', () => {
    const lagAfter = (minutes: number) => {
      const since = Array.from({ length: minutes }, (_, index) => point(minutes - 1 - index, 300))
      return lagOf({ ...running, ages: [point(minutes, 30 * MINUTE_MS), ...since], incoming: since }).ms
    }
    expect([1, 2, 3, 4].map(lagAfter)).toEqual([30 * MINUTE_MS, 30 * MINUTE_MS, 300, 300])
  })

  it('holds no delivery that is long ago against a consumer with few events', () => {
    const ages = [point(6, 30 * MINUTE_MS), point(4, 300)]
    expect(lagOf({ ...running, ages, incoming: [point(4, 1)] })).toEqual({ ms: 300, kind: 'delivered' })
  })

  it('grows where records came in after the newest delivery', () => {
    const incoming = [point(20, 5), point(8, 5), point(2, 5)]
    expect(lagOf({ ...running, ages: [point(20, 400)], incoming })).toEqual({ ms: 8 * MINUTE_MS, kind: 'waiting' })
    expect(lagOf({ ...running, ages: [], incoming })).toEqual({ ms: 20 * MINUTE_MS, kind: 'waiting' })
  })

  it('is nothing where nothing came in, however long ago the newest delivery was', () => {
    expect(lagOf({ ...running, ages: [point(30, 999_000)], incoming: [point(30, 5)] })).toEqual({ ms: 0, kind: 'idle' })
    expect(lagOf({ ...running, ages: [], incoming: [point(3, 0)] })).toEqual({ ms: 0, kind: 'idle' })
  })

  it('of a paused consumer is since the first record after the pause', () => {
    const ages = [point(30, 400)]
    expect(lagOf({ ...paused(20), ages, incoming: [point(25, 5), point(12, 5)] })).toEqual({
      ms: 12 * MINUTE_MS,
      kind: 'waiting',
    })
    expect(lagOf({ ...paused(20), ages, incoming: [point(25, 5)] })).toEqual({ ms: 0, kind: 'idle' })
  })

  it('of a consumer that was behind when it was paused is all of it', () => {
    const found = lagOf({ ...paused(10), ages: [point(11, 2 * 60 * MINUTE_MS)], incoming: [] })
    expect(found).toEqual({ ms: 130 * MINUTE_MS, kind: 'waiting' })
  })

  it('never shrinks while a consumer is paused and time goes on', () => {
    const minutes = fc.uniqueArray(fc.nat(120), { maxLength: 20 })
    fc.assert(
      fc.property(
        minutes,
        minutes,
        fc.nat(90),
        fc.integer({ min: 1, max: 600_000 }),
        (at, agesAt, minutesAgo, laterMs) => {
          const sorted = (values: readonly number[]) => values.toSorted((a, b) => b - a)
          const input = {
            ...paused(minutesAgo),
            ages: sorted(agesAt).map(minute => point(minute + minutesAgo, 90_000)),
            incoming: sorted(at).map(minute => point(minute, 1)),
          }
          const [now, later] = [lagOf(input), lagOf({ ...input, nowMs: NOW_MS + laterMs })]
          expect(now.ms).toBeGreaterThanOrEqual(0)
          if (now.kind === 'waiting') expect(later.ms).toBe(now.ms + laterMs)
          else expect(later.ms).toBe(0)
        },
      ),
    )
  })
})
