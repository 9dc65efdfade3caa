// Dead letters: records that could not be applied, whole and with the reason, so that they can be sent again once the reason is
// gone. `deadletters/<stream>/<shard>/<first>-<last>-<hash>.ndjson.gz`, named by the letters and not by the batch.
import type { Refusal } from '../event/decoded-event.ts'
import type { StreamRecord } from '../event/stream-record.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { readAside, writeAside } from './aside-objects.ts'
import type { LineReader } from './line-file.ts'
import { readRecordLine, recordLine } from './raw-object.ts'

export interface DeadLetter extends StreamRecord {
  /** A RefusalReason of the code that wrote it. */
  readonly reason: string
  readonly detail: string
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
  return { ...recordLine(letter), reason: letter.reason, detail: letter.detail }
}

export interface DeadLetterFilter {
  readonly reason?: string | undefined
  /** Arrival, ms, inclusive. */
  readonly fromMs?: number | undefined
  /** Arrival, ms, exclusive. */
  readonly toMs?: number | undefined
}

/** Each record once, as first recorded; shard by shard, in the order of the stream. Throws ObjectStoreError, ArchiveError. */
export async function* listDeadLetters(
  objects: ObjectStore,
  { reason, fromMs = 0, toMs = Number.POSITIVE_INFINITY }: DeadLetterFilter = {},
): AsyncGenerator<DeadLetter> {
  for await (const letter of readAside(objects, 'deadletters', readLetter)) {
    const isWanted = reason === undefined || letter.reason === reason
    if (isWanted && letter.arrivalMs >= fromMs && letter.arrivalMs < toMs) yield letter
  }
}

function readLetter(line: LineReader): DeadLetter {
  return { ...readRecordLine(line), reason: line.text('reason'), detail: line.text('detail') }
}
