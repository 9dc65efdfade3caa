// What an invocation archives: every record as it came, refused ones included, since a rebuild may read them with better code.
import { compareSequences, type StreamRecord } from '../event/stream-record.ts'
import { groupBy } from '../platform/group-by.ts'
import { type LineReader, packLines, plainLines } from './line-file.ts'
import { hourOf, rawObjectKey, sequenceRange, shardPrefix } from './object-name.ts'

export interface RawObject {
  readonly key: string
  readonly body: Uint8Array
  readonly records: number
  /** Its lowest: where Lambda must deliver again if it is not written. */
  readonly firstSequence: string
}

/** One object per stream, shard and hour of arrival. */
export function rawObjects(records: readonly StreamRecord[]): RawObject[] {
  const groups = groupBy(records, record => shardPrefix('raw', record) + hourOf(record.arrivalMs))
  return [...groups.values()].map(rawObject)
}

function rawObject(group: readonly StreamRecord[]): RawObject {
  const records = group.toSorted((a, b) => compareSequences(a.sequence, b.sequence))
  const [first, last] = [records[0], records.at(-1)]
  if (first === undefined || last === undefined) throw new Error('a group has a record')
  return {
    key: rawObjectKey(first, hourOf(first.arrivalMs), sequenceRange(first.sequence, last.sequence)),
    body: packLines(plainLines(records.map(recordLine))),
    records: records.length,
    firstSequence: first.sequence,
  }
}

export interface RecordLine extends Readonly<Record<string, string | number>> {
  readonly stream: string
  readonly shard: string
  readonly sequence: string
  readonly arrivalMs: number
  readonly partitionKey: string
  /** Base64. */
  readonly data: string
}

export function recordLine(record: StreamRecord): RecordLine {
  const { stream, shard, sequence, arrivalMs, partitionKey, dataBase64 } = record
  return { stream, shard, sequence, arrivalMs, partitionKey, data: dataBase64 }
}

/** Throws ArchiveError. */
export function readRecordLine(line: LineReader): StreamRecord {
  return {
    stream: line.text('stream'),
    shard: line.text('shard'),
    sequence: line.text('sequence'),
    arrivalMs: line.number('arrivalMs'),
    partitionKey: line.text('partitionKey'),
    dataBase64: line.text('data'),
  }
}
