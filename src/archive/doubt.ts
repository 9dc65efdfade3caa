// Doubt: events of which an item cannot tell whether it folded or skipped them. Their users are listed here and rebuilt from the
// archive, which clears them; the object names carry no user, the lines do.
import type { DecodedEvent } from '../event/decoded-event.ts'
import type { StreamRecord } from '../event/stream-record.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { readAside, writeAside } from './aside-objects.ts'
import { withClosing } from './closed-letters.ts'
import type { LineReader } from './line-file.ts'

export interface DoubtEntry {
  readonly userId: string
  readonly type: string
  readonly idHash: string
  readonly ts: number
  readonly stream: string
  readonly shard: string
  readonly sequence: string
}

/** All of one invocation; they are durable when it returns. Throws ObjectStoreError. */
export async function writeDoubt(
  objects: ObjectStore,
  records: readonly { readonly record: StreamRecord; readonly event: DecodedEvent }[],
): Promise<void> {
  const lines = records.map(({ record: { stream, shard, sequence }, event: { userId, type, idHash, ts } }) => ({
    userId,
    type,
    idHash,
    ts,
    stream,
    shard,
    sequence,
  }))
  await writeAside(objects, 'doubt', lines)
}

/** What is not cleared yet, each record once; shard by shard, in the order of the stream. Throws ObjectStoreError, ArchiveError. */
export async function* listDoubt(objects: ObjectStore): AsyncGenerator<DoubtEntry> {
  const entries = readAside(objects, 'doubt', readEntry)
  for await (const [entry, cleared] of withClosing(entries, objects, 'cleared')) {
    if (cleared === undefined) yield entry
  }
}

function readEntry(line: LineReader): DoubtEntry {
  return {
    userId: line.text('userId'),
    type: line.text('type'),
    idHash: line.text('idHash'),
    ts: line.number('ts'),
    stream: line.text('stream'),
    shard: line.text('shard'),
    sequence: line.text('sequence'),
  }
}
