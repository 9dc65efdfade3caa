// Dead letters: records that could not be applied, whole and with the reason, so that they can be sent again once the reason is
// gone. `deadletters/<stream>/<shard>/<first>-<last>-<hash>.ndjson.gz`, named by the letters and not by the batch.
import type { Refusal } from '../event/decoded-event.ts'
import type { StreamRecord } from '../event/stream-record.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { readAside, writeAside } from './aside-objects.ts'
import { type Closing, withClosing } from './closed-letters.ts'
import type { LineReader } from './line-file.ts'
import { loadLines } from './list-objects.ts'
import type { NamedObject } from './object-name.ts'
import { readRecordLine, recordLine } from './raw-object.ts'

export interface DeadLetter extends StreamRecord {
  /** A RefusalReason of the code that wrote it, or `given-up`. */
  readonly reason: string
  readonly detail: string
  /** The command that closed it; absent: it is open. */
  readonly closedBy?: string
  /** See Closing. */
  readonly acceptedMs?: number
}

/** All of one invocation; they are durable when it returns. Throws ObjectStoreError. */
export async function writeDeadLetters(
  objects: ObjectStore,
  letters: readonly { readonly record: StreamRecord; readonly refusal: Refusal }[],
): Promise<void> {
  const lines = letters.map(({ record, refusal: { reason, detail } }) => letterLine({ ...record, reason, detail }))
  await writeAside(objects, 'deadletters', lines)
}

/** A letter as it is written, and as the CLI prints it. */
export function letterLine(letter: DeadLetter) {
  const { reason, detail, closedBy, acceptedMs } = letter
  return {
    ...recordLine(letter),
    reason,
    detail,
    ...(closedBy === undefined ? {} : { closedBy }),
    ...(acceptedMs === undefined ? {} : { acceptedMs }),
  }
}

export interface DeadLetterFilter {
  readonly reason?: string | undefined
  /** Arrival, ms, inclusive. */
  readonly fromMs?: number | undefined
  /** Arrival, ms, exclusive. */
  readonly toMs?: number | undefined
  /** Closed ones too. */
  readonly isAll?: boolean
}

/**
 * Each record once, as first recorded, without what Lambda gave up on; shard by shard, in the order of the stream; open ones unless
 * all are wanted. Throws ObjectStoreError, ArchiveError.
 */
export async function* listDeadLetters(
  objects: ObjectStore,
  filter: DeadLetterFilter = {},
): AsyncGenerator<DeadLetter> {
  yield* wantedLetters(withClosing(readDeadLetters(objects), objects, 'closed'), filter)
}

/** Open and closed ones alike. */
export function readDeadLetters(objects: ObjectStore): AsyncGenerator<DeadLetter> {
  return readAside(objects, 'deadletters', readLetter)
}

export async function* wantedLetters(
  letters: AsyncIterable<readonly [DeadLetter, Closing | undefined]>,
  { reason, fromMs = 0, toMs = Number.POSITIVE_INFINITY, isAll = false }: DeadLetterFilter,
): AsyncGenerator<DeadLetter> {
  for await (const [letter, closing] of letters) {
    const isWanted = (reason === undefined || letter.reason === reason) && (isAll || closing === undefined)
    if (!isWanted || letter.arrivalMs < fromMs || letter.arrivalMs >= toMs) continue
    if (closing === undefined) yield letter
    else {
      const { by: closedBy, acceptedMs } = closing
      yield { ...letter, closedBy, ...(acceptedMs === undefined ? {} : { acceptedMs }) }
    }
  }
}

/** Those of one object, closed or not. Throws ObjectStoreError, ArchiveError. */
export async function loadDeadLetters(objects: ObjectStore, object: NamedObject): Promise<readonly DeadLetter[]> {
  return (await loadLines(objects, object)).map(readLetter)
}

function readLetter(line: LineReader): DeadLetter {
  return { ...readRecordLine(line), reason: line.text('reason'), detail: line.text('detail') }
}
