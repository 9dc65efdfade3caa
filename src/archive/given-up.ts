// Batches that the event source mapping gave up on after its last retry: Lambda writes them to the archive bucket by itself, whole, as
// `aws/lambda/<mapping>/<shard>/<year>/<month>/<day>/<time>-<id>`. They are counted here, and neither read nor applied.
import type { ObjectStore } from '../platform/object-store.ts'

/** Where Lambda writes them (AWS Lambda developer guide, "Retain discarded records for a Kinesis event source"). */
export const GIVEN_UP_PREFIX = 'aws/lambda/'

export interface GivenUp {
  /** Objects, each of one batch. */
  readonly count: number
  /** When the newest was written, ms. */
  readonly newestMs: number | undefined
}

/** By listing all of them: there are none unless something is wrong. Throws ObjectStoreError. */
export async function countGivenUp(objects: ObjectStore): Promise<GivenUp> {
  let count = 0
  let newestMs: number | undefined
  for await (const { createdMs } of objects.list(GIVEN_UP_PREFIX)) {
    count++
    newestMs = Math.max(newestMs ?? createdMs, createdMs)
  }
  return { count, newestMs }
}
