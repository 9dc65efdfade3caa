// Which records are in nobody's item because they were set aside: those with an open dead letter, and those of batches that Lambda
// gave up on, which Lambda itself wrote down. They are sorted into files by the bucket of their users: a contract may have refused
// more than fits into memory.
import { withClosing } from '../archive/closed-letters.ts'
import { listDeadLetters } from '../archive/dead-letters.ts'
import { GIVEN_UP, readGivenUp } from '../archive/given-up.ts'
import { hasUnknownEpoch } from '../archive/given-up-epoch.ts'
import { shardKey } from '../archive/object-name.ts'
import { compareSequences, type StreamRecord } from '../event/stream-record.ts'
import { byCodePoint } from '../platform/canonical-json.ts'
import { userBucket } from '../platform/hash.ts'
import type { LineSpool } from '../platform/line-spool.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { recordKey } from './counted-events.ts'

export interface OpenLetter {
  /** `…@unknown` of what was given up and is not in the archive. */
  readonly stream: string
  readonly shard: string
  readonly sequence: string
  /** Of the record: the user's id, unless that is why it was refused. */
  readonly partitionKey: string
  readonly reason: string
}

/** With what was given up. Throws ObjectStoreError, ArchiveError. */
export async function spoolOpenLetters(archive: ObjectStore, spool: LineSpool): Promise<void> {
  for await (const letter of listDeadLetters(archive)) spoolLetter(spool, letter, letter.reason)
  for await (const record of openGivenUp(archive)) spoolLetter(spool, record, GIVEN_UP)
}

export function spoolLetter(spool: LineSpool, record: StreamRecord, reason: string): OpenLetter {
  const { stream, shard, sequence, partitionKey } = record
  const letter: OpenLetter = { stream, shard, sequence, partitionKey, reason }
  spool.add(userBucket(partitionKey), Buffer.from(JSON.stringify(letter)))
  return letter
}

/** Those of one bucket, by partition key. */
export async function spooledLetters(
  spool: LineSpool,
  bucket: number,
): Promise<ReadonlyMap<string, readonly OpenLetter[]>> {
  const letters = new Map<string, OpenLetter[]>()
  for await (const line of spool.lines(bucket)) {
    const letter = JSON.parse(Buffer.from(line).toString('utf8')) as OpenLetter
    const own = letters.get(letter.partitionKey)
    if (own === undefined) letters.set(letter.partitionKey, [letter])
    else own.push(letter)
  }
  return letters
}

/**
 * Records of batches that Lambda gave up on and that no rebuild has counted since. There are none unless something is wrong: their
 * names are held.
 */
async function* openGivenUp(archive: ObjectStore): AsyncGenerator<StreamRecord> {
  const givenUp = new Map<string, StreamRecord>()
  for await (const { records = [] } of readGivenUp(archive)) {
    for (const record of records) givenUp.set(recordKey(record), { ...record, dataBase64: '' })
  }
  const inOrder = [...givenUp.values()].sort(
    (a, b) => byCodePoint(shardKey(a), shardKey(b)) || compareSequences(a.sequence, b.sequence),
  )
  yield* inOrder.filter(hasUnknownEpoch)
  const placed = inOrder.filter(record => !hasUnknownEpoch(record))
  for await (const [record, closedBy] of withClosing(each(placed), archive, 'closed')) {
    if (closedBy === undefined) yield record
  }
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}
