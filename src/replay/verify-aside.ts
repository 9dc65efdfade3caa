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
  const spools = { letters: new LineSpool(spoolDir, 'letters'), accepted: new LineSpool(spoolDir, 'accepted') }
  const unreadable: string[] = []
  for await (const letter of listDeadLetters(archive, { isAll: true })) {
    if (isChosen(letter.partitionKey)) addRecord(spools, letter, letter)
  }
  const batches: StreamRecord[] = []
  for await (const { key, records } of readGivenUp(archive)) {
    if (records === undefined) unreadable.push(key)
    // What the archive does not have is in no history, and has no name to be closed by.
    for (const record of records ?? []) {
      if (isChosen(record.partitionKey) && !hasUnknownEpoch(record)) batches.push({ ...record, dataBase64: '' })
    }
  }
  // A rebuild or a replay that counts them closes them, as it closes dead letters.
  for await (const [record, closing] of withClosing(inOrder(batches), archive, 'closed')) {
    addRecord(spools, record, { closedBy: closing?.by, acceptedMs: closing?.acceptedMs })
  }
  return {
    inBucket: async bucket => ({
      letters: new Set(await linesOf(spools.letters, bucket)),
      accepted: new Map((await linesOf(spools.accepted, bucket)).map(line => JSON.parse(line) as [string, number])),
    }),
    unreadable,
    remove: () => {
      spools.letters.remove()
      spools.accepted.remove()
    },
  }
}

interface End {
  readonly closedBy?: string | undefined
  readonly acceptedMs?: number | undefined
}

function addRecord(
  { letters, accepted }: { readonly letters: LineSpool; readonly accepted: LineSpool },
  record: StreamRecord,
  { closedBy, acceptedMs }: End,
): void {
  const [bucket, name] = [userBucket(record.partitionKey), recordName(record)]
  if (closedBy === undefined) letters.add(bucket, Buffer.from(name))
  else if (acceptedMs !== undefined) accepted.add(bucket, Buffer.from(JSON.stringify([name, acceptedMs])))
}

/** Shard by shard, as closings are looked up. */
async function* inOrder(records: readonly StreamRecord[]): AsyncGenerator<StreamRecord> {
  for (const own of groupBy(records, ({ stream, shard }) => `${stream}/${shard}`).values()) {
    yield* own.sort((a, b) => compareSequences(a.sequence, b.sequence))
  }
}

async function linesOf(spool: LineSpool, bucket: number): Promise<readonly string[]> {
  const lines: string[] = []
  for await (const line of spool.lines(bucket)) lines.push(Buffer.from(line).toString('utf8'))
  return lines
}
