// Outcomes of all buckets beside their predictions, bucket by bucket, the predictions got in one of the ways there are.
import { DAY_MS } from '../platform/duration.ts'
import type { JoinCounts, Judged } from './judged.ts'
import { joinStored } from './join-stored.ts'
import type { OutcomeSpool } from './outcomes.ts'
import type { ReplayedPredictions } from './replay-predictions.ts'
import type { SnapshotPredictions } from './snapshot-predictions.ts'

export type PredictionSource =
  | { readonly way: 'snapshots'; readonly snapshots: SnapshotPredictions; readonly horizonMs: number }
  | { readonly way: 'replayed'; readonly replayed: ReplayedPredictions }

export type Way = PredictionSource['way']

export interface JudgeOptions {
  readonly spoolDir: string
  readonly counts: JoinCounts
  readonly runBytesMax?: number | undefined
  /** Of the buckets that have outcomes. */
  readonly onBucket?: (done: number, total: number) => void
}

export async function* judgedOutcomes(
  outcomes: OutcomeSpool,
  source: PredictionSource,
  { onBucket, ...options }: JudgeOptions,
): AsyncGenerator<Judged> {
  const buckets = outcomes.buckets()
  for (const [index, bucket] of buckets.entries()) {
    if (source.way === 'replayed') yield* source.replayed.bucket(bucket, outcomes)
    else {
      const { snapshots, horizonMs } = source
      const days = daysBefore(outcomes.days(bucket), horizonMs)
      const predictions = snapshots.bucket(bucket, days, await outcomes.users(bucket))
      yield* joinStored(outcomes.sorted(bucket), predictions, { ...options, horizonMs })
    }
    onBucket?.(index + 1, buckets.length)
  }
}

/** Those whose snapshots can be within the horizon of an outcome of these days. */
export function daysBefore(days: Iterable<number>, horizonMs: number): ReadonlySet<number> {
  const back = Math.ceil(horizonMs / DAY_MS)
  const wanted = new Set<number>()
  for (const day of days) for (let each = day - back; each <= day; each++) wanted.add(each)
  return wanted
}
