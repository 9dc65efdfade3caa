// What `ft` holds once inflated, and what a GET of a user's features answers.

export type FeatureValue = number | string | boolean | null

export interface FeaturesBody {
  /** Instant from which these values hold, ms. */
  readonly asOf: number
  /** Instant until which (exclusive) they hold if no event comes; absent: for ever. */
  readonly freshUntil?: number
  readonly values: Readonly<Record<string, FeatureValue>>
  /** Feature → why it is null for now: `backfilling`. */
  readonly pending?: Readonly<Record<string, string>>
}
