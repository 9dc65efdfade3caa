// From when on a reading needs somebody. Those that differ between teams are options of the command.
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../platform/duration.ts'

export interface StatusLimits {
  /** How old the events are that a consumer of the stream gets. */
  readonly lagMs: number
  /** Failed invocations of one function in the span that is looked at. */
  readonly errors: number
  readonly throttles: number
  readonly deadLetters: number
  readonly snapshotAgeMs: number
}

export const STATUS_LIMITS: StatusLimits = {
  // Batches take a second and the archive's a minute; what is five minutes late is not catching up by itself.
  lagMs: 5 * MINUTE_MS,
  // Bad records are dead letters and no errors: one is a function out of time or memory, or a bug.
  errors: 0,
  // They are repeated and cost only lag, which has its own limit; this many say that the account's concurrency is used up.
  throttles: 100,
  // Each is an event that is in nobody's features.
  deadLetters: 0,
  // One a night, and two hours for the run.
  snapshotAgeMs: DAY_MS + 2 * HOUR_MS,
}

/**
 * The most that `deadLetters` may be: a look reads one letter more than that, and a million are some thousand objects and half a minute
 * of one core.
 */
export const DEAD_LETTERS_LIMIT_MAX = 1_000_000

/** A run of compaction leaves hours where its 15 minutes are up; more than these are not caught up on within the day. */
export const COMPACTION_HOURS_LEFT_MAX = 6

/** Compaction runs every hour at five past; one run may be missed by the look. */
export const COMPACTION_SILENT_MAX_MS = 2 * HOUR_MS + 10 * MINUTE_MS

/** A measured lag is that of now for so long: CloudWatch shows a minute up to two minutes later. */
export const LAG_IS_RECENT_MS = 5 * MINUTE_MS

/**
 * By then every function has the batch in production: it looks at the pointer each half minute (`modelRefreshMs`), loads the artifact,
 * and finishes the predictions that were under way.
 */
export const MODEL_TAKEN_UP_MAX_MS = 5 * MINUTE_MS

/** CloudWatch's resolution of what AWS measures by itself. */
export const METRIC_PERIOD_MS = MINUTE_MS
