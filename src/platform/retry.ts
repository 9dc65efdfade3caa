// One way to try again: capped exponential backoff with full jitter (AWS Architecture Blog, "Exponential Backoff And
// Jitter", 2015), bounded by attempts and by a deadline.
import type { Clock, Sleep } from './clock.ts'
import type { Random } from './random.ts'

export interface RetryOptions {
  readonly attemptsMax: number
  readonly baseMs: number
  readonly capMs: number
  readonly random: Random
  readonly sleep: Sleep
  /** No attempt starts after this instant. */
  readonly deadlineMs?: number
  readonly clock?: Clock
  readonly isRetriable: (error: unknown) => boolean
}

export async function retry<T>(operation: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation(attempt)
    } catch (error) {
      if (attempt >= options.attemptsMax || !options.isRetriable(error)) throw error
      const waitMs = fullJitterMs(attempt, options)
      const isTooLate =
        options.deadlineMs !== undefined &&
        options.clock !== undefined &&
        options.clock() + waitMs >= options.deadlineMs
      if (isTooLate) throw error
      await options.sleep(waitMs)
    }
  }
}

/** Wait before attempt + 1: uniform in [0, min(cap, base × 2^(attempt − 1))). */
export function fullJitterMs(attempt: number, options: Pick<RetryOptions, 'baseMs' | 'capMs' | 'random'>): number {
  return options.random() * Math.min(options.capMs, options.baseMs * 2 ** (attempt - 1))
}
