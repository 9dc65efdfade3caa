// The archive in one function: every record of the batch is in an object before the batch is acknowledged. Nothing is decoded
// here, so nothing can be refused.
import { compareSequences, type StreamRecord } from '../event/stream-record.ts'
import { mapWithLimit } from '../platform/concurrency.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { LINE_FILE_OPTIONS } from './line-file.ts'
import { type RawObject, rawObjects } from './raw-object.ts'

export interface ArchiveResult {
  /** The batch is archived up to here, exclusive; undefined: all of it. */
  readonly failedSequence: string | undefined
  /** In objects that exist now, whoever made them. */
  readonly recordsArchived: number
  readonly errors: readonly unknown[]
}

/** A batch has one shard and an hour or two. */
const PUTS_IN_FLIGHT_MAX = 4

export async function archiveBatch(records: readonly StreamRecord[], objects: ObjectStore): Promise<ArchiveResult> {
  const failed: RawObject[] = []
  const errors: unknown[] = []
  let recordsArchived = 0
  await mapWithLimit(rawObjects(records), PUTS_IN_FLIGHT_MAX, async object => {
    try {
      await objects.create(object.key, object.body, LINE_FILE_OPTIONS)
      recordsArchived += object.records
    } catch (error) {
      failed.push(object)
      errors.push(error)
    }
  })
  const failedSequence = failed.map(object => object.firstSequence).sort(compareSequences)[0]
  return { failedSequence, recordsArchived, errors }
}
