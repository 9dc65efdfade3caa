// Batches that the event source mapping gave up on after its last retry: Lambda writes them to the archive bucket by itself, whole, as
// `aws/lambda/<mapping>/<shard>/<year>/<month>/<day>/<time>-<id>`. They do not say the stream's epoch; the archive, which has every
// record, does.
import { LambdaEventError, lambdaRecords, UNKNOWN_EPOCH } from '../event/lambda-records.ts'
import type { StreamRecord } from '../event/stream-record.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { EpochFinder } from './given-up-epoch.ts'

/** Where Lambda writes them (AWS Lambda developer guide, "Retain discarded records for a Kinesis event source"). */
export const GIVEN_UP_PREFIX = 'aws/lambda/'

/** Stands where a dead letter has its reason. */
export const GIVEN_UP = 'given-up'

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

export interface GivenUpBatch {
  readonly key: string
  /**
   * With the epoch of the archive's names, where one of them has the record; else their stream is `…@unknown`. Undefined where the
   * object is not what Lambda writes.
   */
  readonly records: readonly StreamRecord[] | undefined
}

/** One batch after the other, but those whose keys are known. Throws ObjectStoreError, ArchiveError. */
export async function* readGivenUp(
  objects: ObjectStore,
  isKnown: (key: string) => boolean = () => false,
): AsyncGenerator<GivenUpBatch> {
  const epochs = new EpochFinder(objects)
  for await (const { key } of objects.list(GIVEN_UP_PREFIX)) {
    if (isKnown(key)) continue
    const body = await objects.get(key)
    if (body === undefined) continue
    const read = givenUpRecords(body)
    const records: StreamRecord[] = []
    for (const record of read ?? []) records.push(await epochs.place(record))
    yield { key, records: read === undefined ? undefined : records }
  }
}

/**
 * Lambda's invocation record, whose `payload` is the event that the function was given: as JSON in a text, or as it is. Without
 * epochs; undefined: it is none.
 */
export function givenUpRecords(body: Uint8Array): readonly StreamRecord[] | undefined {
  try {
    const parsed = JSON.parse(Buffer.from(body).toString('utf8')) as { readonly payload?: unknown } | null
    const payload = parsed?.payload
    return lambdaRecords(typeof payload === 'string' ? JSON.parse(payload) : payload, { streamEpoch: UNKNOWN_EPOCH })
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof LambdaEventError) return undefined
    throw error
  }
}
