// What no item need contain, by user bucket: records with an open dead letter, and those of batches that Lambda gave up on.
import { withClosing } from '../archive/closed-letters.ts'
import { listDeadLetters } from '../archive/dead-letters.ts'
import { readGivenUp } from '../archive/given-up.ts'
import { hasUnknownEpoch } from '../archive/given-up-epoch.ts'
import { compareSequences, type StreamRecord } from '../event/stream-record.ts'
import { groupBy } from '../platform/group-by.ts'
import { userBucket } from '../platform/hash.ts'
import { LineSpool } from '../platform/line-spool.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import type { SetAside } from './verify-counted.ts'
import { recordName } from './verify-history.ts'

export interface AsideByBucket {
  inBucket(bucket: number): Promise<SetAside>
  /** Keys of objects below aws/lambda/ that are not what Lambda writes. */
  readonly unreadable: readonly string[]
  /** Removes the files. */
  remove(): void
}

/** Of the chosen users only. Throws ObjectStoreError, ArchiveError. */
export async function asideByBucket(
  archive: ObjectStore,
  isChosen: (userId: string) => boolean,
  spoolDir: string,
): Promise<AsideByBucket> {
  const letters = new LineSpool(spoolDir, 'letters')
  const unreadable: string[] = []
  const add = (record: StreamRecord): void => {
    const { partitionKey } = record
    if (isChosen(partitionKey)) letters.add(userBucket(partitionKey), Buffer.from(recordName(record)))
  }
  for await (const letter of listDeadLetters(archive)) add(letter)
  const batches: StreamRecord[] = []
  for await (const { key, records } of readGivenUp(archive)) {
    if (records === undefined) unreadable.push(key)
    // What the archive does not have is in no history, and has no name to be closed by.
    for (const record of records ?? []) if (!hasUnknownEpoch(record)) batches.push({ ...record, dataBase64: '' })
  }
  // A rebuild that counts them closes them, as it closes dead letters.
  for await (const [record, closedBy] of withClosing(inOrder(batches), archive, 'closed')) {
    if (closedBy === undefined) add(record)
  }
  return {
    inBucket: async bucket => ({ letters: await linesOf(letters, bucket) }),
    unreadable,
    remove: () => letters.remove(),
  }
}

/** Shard by shard, as closings are looked up. */
async function* inOrder(records: readonly StreamRecord[]): AsyncGenerator<StreamRecord> {
  for (const own of groupBy(records, ({ stream, shard }) => `${stream}/${shard}`).values()) {
    yield* own.sort((a, b) => compareSequences(a.sequence, b.sequence))
  }
}

async function linesOf(spool: LineSpool, bucket: number): Promise<ReadonlySet<string>> {
  const lines = new Set<string>()
  for await (const line of spool.lines(bucket)) lines.add(Buffer.from(line).toString('utf8'))
  return lines
}
