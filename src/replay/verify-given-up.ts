// Records of the batches that Lambda gave up on, out of its own failure objects: no item need contain them, until somebody sends
// them again.
import { GIVEN_UP_PREFIX } from '../archive/given-up.ts'
import { LambdaEventError, lambdaRecords } from '../event/lambda-records.ts'
import type { StreamRecord } from '../event/stream-record.ts'
import type { ObjectStore } from '../platform/object-store.ts'

/** The objects do not say the stream's epoch; nobody looks at this one. */
const NO_EPOCH = 0

export interface GivenUpBatch {
  readonly key: string
  /** Undefined where the object is not what Lambda writes. */
  readonly records: readonly StreamRecord[] | undefined
}

/** One batch after the other: there are none unless something is wrong. Throws ObjectStoreError. */
export async function* readGivenUp(objects: ObjectStore): AsyncGenerator<GivenUpBatch> {
  for await (const { key } of objects.list(GIVEN_UP_PREFIX)) {
    const body = await objects.get(key)
    if (body !== undefined) yield { key, records: recordsIn(body) }
  }
}

/** Lambda's invocation record, whose `payload` is the event that the function was given: as JSON in a text, or as it is. */
function recordsIn(body: Uint8Array): readonly StreamRecord[] | undefined {
  try {
    const parsed = JSON.parse(Buffer.from(body).toString('utf8')) as { readonly payload?: unknown } | null
    const payload = parsed?.payload
    return lambdaRecords(typeof payload === 'string' ? JSON.parse(payload) : payload, { streamEpoch: NO_EPOCH })
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof LambdaEventError) return undefined
    throw error
  }
}
