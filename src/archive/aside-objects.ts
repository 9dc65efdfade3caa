// What an invocation sets aside, as lines about records: one object per shard, written before the batch is acknowledged. Dead
// letters and doubt share it.
import { compareSequences } from '../event/stream-record.ts'
import { groupBy } from '../platform/group-by.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { LINE_FILE_OPTIONS, type Line, type LineReader, packLines, plainLines } from './line-file.ts'
import { listObjects, listShards, loadLines } from './list-objects.ts'
import { mergeBySequence, type Sequenced } from './merge-by-sequence.ts'
import { asideObjectKey, type ObjectKind, sequenceRange, type Shard, shardPrefix } from './object-name.ts'

type AsideLine = Line & Shard & Sequenced

/** Creates the objects or finds them there from an earlier attempt. Throws ObjectStoreError. */
export async function writeAside(objects: ObjectStore, kind: ObjectKind, lines: readonly AsideLine[]): Promise<void> {
  for (const group of groupBy(lines, ({ stream, shard }) => shardPrefix(kind, { stream, shard })).values()) {
    const sorted = group.toSorted((a, b) => compareSequences(a.sequence, b.sequence))
    const [first, last] = [sorted[0], sorted.at(-1)]
    if (first === undefined || last === undefined) continue
    const plain = plainLines(sorted)
    const key = asideObjectKey(kind, first, { range: sequenceRange(first.sequence, last.sequence), plain })
    await objects.create(key, packLines(plain), LINE_FILE_OPTIONS)
  }
}

/** Each (stream, shard, sequence) once, as it was first recorded; shard by shard, ascending. Throws ObjectStoreError, ArchiveError. */
export async function* readAside<Entry extends Sequenced>(
  objects: ObjectStore,
  kind: ObjectKind,
  read: (line: LineReader) => Entry,
): AsyncGenerator<Entry> {
  for await (const shard of listShards(objects, kind)) {
    const named = listObjects(objects, kind, { shard })
    yield* mergeBySequence(named, async object => (await loadLines(objects, object)).map(read))
  }
}
