// Which records have an open dead letter, and so are in nobody's item: all of them at once, or sorted into files by the bucket of
// their users, where a contract may have refused more than fits into memory.
import { listDeadLetters } from '../archive/dead-letters.ts'
import { userBucket } from '../platform/hash.ts'
import type { LineSpool } from '../platform/line-spool.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { recordKey } from './counted-events.ts'

export interface OpenLetter {
  readonly stream: string
  readonly shard: string
  readonly sequence: string
  /** Of the record: the user's id, unless that is why it was refused. */
  readonly partitionKey: string
  readonly reason: string
}

/** `recordKey` of each. Throws ObjectStoreError, ArchiveError. */
export async function openLetters(archive: ObjectStore): Promise<ReadonlySet<string>> {
  const keys = new Set<string>()
  for await (const letter of listDeadLetters(archive)) keys.add(recordKey(letter))
  return keys
}

/** Throws ObjectStoreError, ArchiveError. */
export async function spoolOpenLetters(archive: ObjectStore, spool: LineSpool): Promise<void> {
  for await (const { stream, shard, sequence, partitionKey, reason } of listDeadLetters(archive)) {
    const letter: OpenLetter = { stream, shard, sequence, partitionKey, reason }
    spool.add(userBucket(partitionKey), Buffer.from(JSON.stringify(letter)))
  }
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
