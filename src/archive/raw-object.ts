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

/**
 * The records of each shard in the order of its stream, cut where the arrival hour changes. Runs and not groups: around the turn
 * of an hour arrival times need not follow sequences, and an object must never stand for records before it that no object has.
 */
export function rawObjects(records: readonly StreamRecord[]): RawObject[] {
  const shards = groupBy(records, record => shardPrefix('raw', record))
  return [...shards.values()].flatMap(shard =>
    runsOfOneHour(shard.toSorted((a, b) => compareSequences(a.sequence, b.sequence))).map(rawObject),
  )
}

function runsOfOneHour(records: readonly StreamRecord[]): StreamRecord[][] {
  const runs: StreamRecord[][] = []
  let hour: string | undefined
  for (const record of records) {
    const hourOfRecord = hourOf(record.arrivalMs)
    if (hourOfRecord === hour) runs.at(-1)?.push(record)
    else runs.push([record])
    hour = hourOfRecord
  }
  return runs
}

function rawObject(run: readonly StreamRecord[]): RawObject {
  const [first, last] = [run[0], run.at(-1)]
  if (first === undefined || last === undefined) throw new Error('a run has a record')
  return {
    key: rawObjectKey(first, hourOf(first.arrivalMs), sequenceRange(first.sequence, last.sequence)),
    body: packLines(plainLines(run.map(recordLine))),
    records: run.length,
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

/**
 * What is left of a record whose user was forgotten, where the name of an object begins or ends with it: its place in the stream. No record
 * of a stream is without a partition key.
 */
export function forgottenLine({
  stream,
  shard,
  sequence,
  arrivalMs,
}: Omit<RecordLine, 'partitionKey' | 'data'>): RecordLine {
  return { stream, shard, sequence, arrivalMs, partitionKey: '', data: '' } as RecordLine
}

export function isForgottenRecord({ partitionKey }: Pick<StreamRecord, 'partitionKey'>): boolean {
  return partitionKey === ''
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
