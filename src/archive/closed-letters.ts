// How a dead letter or a doubt ends: nothing is deleted, an object beside it names the records that are done with, and by what.
// Letters are `closed/`, doubt is `cleared/`. A record that was closed once stays so: it has one outcome.
import { compareSequences } from '../event/stream-record.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { writeAside } from './aside-objects.ts'
import type { LineReader } from './line-file.ts'
import { listObjects, loadLines } from './list-objects.ts'
import { mergeBySequence, type Sequenced } from './merge-by-sequence.ts'
import { type NamedObject, type Shard, shardKey } from './object-name.ts'

/** What stands beside `deadletters/` and what beside `doubt/`. */
export type ClosingKind = 'closed' | 'cleared'

export type NamedRecord = Shard & Sequenced

export interface Closing {
  /** The command that did it. */
  readonly by: string
  /** The record counts although its event is ahead of its arrival: it was judged by this instant, ms. */
  readonly acceptedMs?: number | undefined
}

/** A record that is to be closed. */
export interface ClosableRecord extends NamedRecord {
  readonly acceptedMs?: number | undefined
}

export interface ClosingLine extends NamedRecord, Closing {}

/** Lines of about 200 bytes: an object stays small enough to be read whole. */
const RECORDS_PER_OBJECT_MAX = 50_000

/** They are closed when it returns; closing twice changes nothing. Throws ObjectStoreError. */
export async function closeRecords(
  objects: ObjectStore,
  kind: ClosingKind,
  { records, by }: { readonly records: readonly ClosableRecord[]; readonly by: string },
): Promise<void> {
  // Each once: an object with a record twice could not be read.
  const lines = new Map(
    records.map(({ stream, shard, sequence, acceptedMs }) => [
      `${shardKey({ stream, shard })}/${sequence}`,
      { stream, shard, sequence, by, ...(acceptedMs === undefined ? {} : { acceptedMs }) },
    ]),
  )
  const inOrder = [...lines.values()].sort((a, b) => compareSequences(a.sequence, b.sequence))
  for (let from = 0; from < inOrder.length; from += RECORDS_PER_OBJECT_MAX) {
    await writeAside(objects, kind, inOrder.slice(from, from + RECORDS_PER_OBJECT_MAX))
  }
}

/**
 * Each entry with what closed it; undefined: it is open. `entries` come shard by shard, in the order of the stream, as aside
 * objects are read, so that nothing is held but the objects at that place. Throws ObjectStoreError, ArchiveError.
 */
export async function* withClosing<Entry extends NamedRecord>(
  entries: AsyncIterable<Entry>,
  objects: ObjectStore,
  kind: ClosingKind,
): AsyncGenerator<readonly [Entry, Closing | undefined]> {
  let shard: string | undefined
  let closings: AsyncGenerator<ClosingLine> | undefined
  let next: IteratorResult<ClosingLine> | undefined
  try {
    for await (const entry of entries) {
      if (shard !== shardKey(entry)) {
        await closings?.return(undefined)
        shard = shardKey(entry)
        closings = closingsOf(objects, kind, entry)
        next = await closings.next()
      }
      while (next?.done === false && compareSequences(next.value.sequence, entry.sequence) < 0) {
        next = await closings?.next()
      }
      const isClosed = next?.done === false && next.value.sequence === entry.sequence
      yield [entry, isClosed ? next?.value : undefined]
    }
  } finally {
    await closings?.return(undefined)
  }
}

/** Those of one object. Throws ObjectStoreError, ArchiveError. */
export async function loadClosings(objects: ObjectStore, object: NamedObject): Promise<readonly ClosingLine[]> {
  return (await loadLines(objects, object)).map(readClosing)
}

function closingsOf(objects: ObjectStore, kind: ClosingKind, { stream, shard }: Shard): AsyncGenerator<ClosingLine> {
  const named = listObjects(objects, kind, { shard: { stream, shard } })
  return mergeBySequence(named, object => loadClosings(objects, object))
}

function readClosing(line: LineReader): ClosingLine {
  return {
    stream: line.text('stream'),
    shard: line.text('shard'),
    sequence: line.text('sequence'),
    by: line.text('by'),
    acceptedMs: line.optionalNumber('acceptedMs'),
  }
}
