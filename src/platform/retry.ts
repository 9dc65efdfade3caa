// One way to try again: capped exponential backoff with full jitter (AWS Architecture Blog, "Exponential Backoff And
// Jitter", 2015), bounded by attempts and by the time that is left.
import type { Sleep } from './clock.ts'
import type { TimeLeft } from './deadline.ts'
import type { Random } from './random.ts'

export interface RetryOptions {
  readonly attemptsMax: number
  readonly baseMs: number
  readonly capMs: number
  readonly random: Random
  readonly sleep: Sleep
  /** No wait begins that would end when there is none left. */
  readonly timeLeftMs?: TimeLeft | undefined
  readonly isRetriable: (error: unknown) => boolean
}

export async function retry<T>(operation: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation(attempt)
    } catch (error) {
      if (attempt >= options.attemptsMax || !options.isRetriable(error)) throw error
      const waitMs = fullJitterMs(attempt, options)
      if (options.timeLeftMs !== undefined && waitMs >= options.timeLeftMs()) throw error
      await options.sleep(waitMs)
    }
  }
}

/** Wait before attempt + 1: uniform in [0, min(cap, base × 2^(attempt − 1))). */
export function fullJitterMs(attempt: number, options: Pick<RetryOptions, 'baseMs' | 'capMs' | 'random'>): number {
  return options.random() * Math.min(options.capMs, options.baseMs * 2 ** (attempt - 1))
}
