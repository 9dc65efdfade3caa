// Which records are in nobody's item because they were set aside: those with an open dead letter, and those of batches that Lambda
// gave up on, which Lambda itself wrote down. They are sorted into files by the bucket of their users: a contract may have refused
// more than fits into memory. Beside them those that were closed with a permission to be ahead of their arrival.
import type { DeadLetter } from '../archive/dead-letters.ts'
import { listLetters } from '../archive/letters.ts'
import { USER_BUCKETS, userBucket } from '../platform/hash.ts'
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
  /** It was asked for by its name. */
  readonly isChosen?: boolean
  /** It is judged by this instant, ms, and not by its arrival. */
  readonly acceptedMs?: number | undefined
}

/** `recordKey` → the instant, ms, by which the record was judged when it was closed. */
export type AcceptedRecords = ReadonlyMap<string, number>

/** With what was given up. Throws ObjectStoreError, ArchiveError. */
export async function spoolOpenLetters(archive: ObjectStore, spool: LineSpool): Promise<void> {
  for await (const letter of listLetters(archive, { isAll: true, isWithoutGivenUpData: true })) {
    if (letter.closedBy === undefined) spoolLetter(spool, letter)
    else if (letter.acceptedMs !== undefined) spoolAccepted(spool, letter, letter.acceptedMs)
  }
}

export function spoolLetter(
  spool: LineSpool,
  { stream, shard, sequence, partitionKey, reason }: DeadLetter,
): OpenLetter {
  const letter: OpenLetter = { stream, shard, sequence, partitionKey, reason }
  spool.add(userBucket(partitionKey), Buffer.from(JSON.stringify(letter)))
  return letter
}

function spoolAccepted(spool: LineSpool, letter: DeadLetter, acceptedMs: number): void {
  const line = JSON.stringify([recordKey(letter), acceptedMs])
  spool.add(acceptedSlot(userBucket(letter.partitionKey)), Buffer.from(line))
}

/** Behind the slots of open letters. */
function acceptedSlot(bucket: number): number {
  return USER_BUCKETS + bucket
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

/** Of one bucket: closed letters whose records count although their events are ahead of their arrival. */
export async function spooledAccepted(spool: LineSpool, bucket: number): Promise<AcceptedRecords> {
  const accepted = new Map<string, number>()
  for await (const line of spool.lines(acceptedSlot(bucket))) {
    const [key, acceptedMs] = JSON.parse(Buffer.from(line).toString('utf8')) as readonly [string, number]
    accepted.set(key, acceptedMs)
  }
  return accepted
}
