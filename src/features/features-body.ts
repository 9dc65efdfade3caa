// What `ft` holds once inflated, and what a GET of a user's features answers.
import type { Json } from '../platform/canonical-json.ts'

/** A scalar of most features; a list or an object of those that hold several values. */
export type FeatureValue = Exclude<Json, undefined>

/** A number as JSON has it: null where it is none or infinite, and no −0. */
export function jsonNumber(value: number): number | null {
  return Number.isFinite(value) ? value + 0 : null
}

export interface FeaturesBody {
  /** Instant from which these values hold, ms. */
  readonly asOf: number
  /** Instant until which (exclusive) they hold if no event comes; absent: for ever. */
  readonly freshUntil?: number
  readonly values: Readonly<Record<string, FeatureValue>>
  /** Feature → why it is null for now: `backfilling`. */
  readonly pending?: Readonly<Record<string, string>>
}
