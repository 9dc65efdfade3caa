// The size and shape of one seed's run: how much of what, on how many shards, under which mapping. Small ones are frequent, as most
// bugs need few events and many schedules.
import type { Duration } from '../../src/platform/duration.ts'
import type { Random } from '../../src/platform/random.ts'
import { LATENESSES } from './definitions.ts'

export interface Settings {
  readonly users: number
  readonly events: number
  /** Share of the events that are of one user. */
  readonly hotShare: number
  readonly lateness: Duration
  readonly shards: number
  readonly parallelizationFactor: number
  readonly batchSize: number
  readonly batchingWindowMs: number
  readonly bisects: boolean
  /** −1: until the record leaves the stream. */
  readonly maximumRetryAttempts: number
  readonly timeoutMs: number
  /** Between two events: up to this, mostly far less. */
  readonly gapMaxMs: number
  readonly duplicateShare: number
  readonly poisonShare: number
  readonly lateShare: number
}

export function drawSettings(random: Random): Settings {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
  return {
    users: pick([1, 2, 3, 5, 8, 13, 20]),
    events: pick([4, 6, 8, 10, 12, 15, 20, 25, 40, 90]),
    hotShare: pick([0, 0, 0.3, 0.8]),
    lateness: pick(LATENESSES),
    shards: pick([1, 1, 2, 3]),
    parallelizationFactor: pick([1, 1, 2, 3, 10]),
    batchSize: pick([1, 2, 5, 20, 100]),
    batchingWindowMs: pick([0, 0, 300, 2_000]),
    bisects: pick([true, false]),
    maximumRetryAttempts: pick([-1, -1, 20, 5, 2]),
    timeoutMs: pick([60_000, 60_000, 15_000]),
    gapMaxMs: pick([500, 5_000, 60_000, 600_000]),
    duplicateShare: pick([0, 0.05, 0.25]),
    poisonShare: pick([0, 0.05, 0.2]),
    lateShare: pick([0, 0.1, 0.4]),
  }
}
