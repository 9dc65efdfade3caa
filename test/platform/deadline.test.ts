// Calls that end in time: what they get, what they throw, and that nothing is begun or waited for when there is no time.
import { describe, expect, it, vi } from 'vitest'
import { type CallOptions, DeadlineError, endInTime, refuseToWait } from '../../src/platform/deadline.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { retry } from '../../src/platform/retry.ts'

const never = (): Promise<never> => new Promise(() => undefined)

describe('endInTime', () => {
  it('gives what the call gives, and what it throws', async () => {
    const broken = new Error('broken')
    expect(
      await endInTime(
        () => 60_000,
        async () => 'answer',
      ),
    ).toBe('answer')
    await expect(
      endInTime(
        () => 60_000,
        () => Promise.reject(broken),
      ),
    ).rejects.toBe(broken)
  })

  it('leaves no timer behind', async () => {
    vi.useFakeTimers()
    try {
      await endInTime(
        () => 60_000,
        async () => 'answer',
      )
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('ends a call that hangs and does not listen to the signal, which says so to one that does', async () => {
    let signal: AbortSignal | undefined
    const call = ({ abortSignal }: CallOptions): Promise<never> => {
      signal = abortSignal
      return never()
    }
    const error = await endInTime(() => 5, call).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DeadlineError)
    expect(error).toMatchObject({ code: 'deadline-near', retriable: true })
    expect(signal?.aborted).toBe(true)
  })

  it('begins nothing without time', async () => {
    const call = vi.fn(never)
    await expect(endInTime(() => 0, call)).rejects.toBeInstanceOf(DeadlineError)
    await expect(endInTime(() => -5, call)).rejects.toBeInstanceOf(DeadlineError)
    expect(call).not.toHaveBeenCalled()
  })

  it('lets a call last for ever where nobody counts the time', async () => {
    const later = (options: CallOptions): Promise<CallOptions> =>
      new Promise(resolve => setTimeout(() => resolve(options), 5))
    expect(await endInTime(undefined, later)).toEqual({})
    expect(await endInTime(() => Number.POSITIVE_INFINITY, later)).toEqual({})
  })
})

describe('waits', () => {
  it('that would use up the time are refused', () => {
    expect(() => refuseToWait(10, () => 10)).toThrow(DeadlineError)
    expect(() => refuseToWait(10, () => 11)).not.toThrow()
    expect(() => refuseToWait(10, undefined)).not.toThrow()
  })

  it('between tries end with the time, with the error of the last try', async () => {
    let leftMs = 100
    let tries = 0
    const slow = new Error('slow')
    const sleep = async (ms: number): Promise<void> => void (leftMs -= ms)
    const operation = async (): Promise<never> => {
      tries++
      leftMs -= 30
      throw slow
    }
    const options = { attemptsMax: 50, baseMs: 1, capMs: 1, random: seededRandom(1), sleep, isRetriable: () => true }
    await expect(retry(operation, { ...options, timeLeftMs: () => leftMs })).rejects.toBe(slow)
    expect(tries).toBe(4)
    expect(leftMs).toBeGreaterThan(-30)
  })
})
