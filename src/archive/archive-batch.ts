// The archive in one function: every record of the batch is in an object before the batch is acknowledged. Nothing is decoded
// here, so nothing can be refused. Objects are written one after the other in the order of the stream and the first failure
// ends it, so that an object stands for everything before it: the archive's position can be read off the names.
import { compareSequences, type StreamRecord } from '../event/stream-record.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { LINE_FILE_OPTIONS } from './line-file.ts'
import { rawObjects } from './raw-object.ts'

export interface ArchiveResult {
  /** The batch is archived up to here, exclusive; undefined: all of it. */
  readonly failedSequence: string | undefined
  /** In objects that exist now, whoever made them. */
  readonly recordsArchived: number
  readonly errors: readonly unknown[]
}

export async function archiveBatch(records: readonly StreamRecord[], objects: ObjectStore): Promise<ArchiveResult> {
  const waiting = rawObjects(records)
  let recordsArchived = 0
  for (const [index, object] of waiting.entries()) {
    try {
      await objects.create(object.key, object.body, LINE_FILE_OPTIONS)
      recordsArchived += object.records
    } catch (error) {
      const failed = waiting.slice(index).map(({ firstSequence }) => firstSequence)
      return { failedSequence: failed.sort(compareSequences)[0], recordsArchived, errors: [error] }
    }
  }
  return { failedSequence: undefined, recordsArchived, errors: [] }
}
