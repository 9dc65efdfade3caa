// Users and their history side by side: both in the order of user ids, so that one user is in memory at a time, whatever the table
// or the archive hold.
import type { History } from '../archive/history.ts'
import { userBucket } from '../platform/hash.ts'
import { sortLines } from '../platform/sort-lines.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { SetAside } from './verify-counted.ts'
import { type PastEvent, pastEvent, pastEventLine, readPastEventLine, recordName } from './verify-history.ts'
import { byUserId, type ChosenItems } from './verify-items.ts'
import type { UserCase } from './verify-user.ts'

export interface BucketSources {
  readonly history: History
  readonly chosen: ChosenItems
  readonly compiled: Pick<CompiledPipeline, 'contracts' | 'latenessMs'>
  readonly aside: SetAside
  readonly spoolDir: string
  /** Told of each record of a chosen user that is no event today and has no dead letter. */
  readonly onRefused: () => void
}

/** Every chosen user of the bucket that has an item, or an event in history, or both. */
export async function* usersOfBucket(bucket: number, sources: BucketSources): AsyncGenerator<UserCase> {
  const { chosen, spoolDir } = sources
  const order = { read: readPastEventLine, compare: byUser, folder: spoolDir, name: 'sorted-events' }
  const events = sortLines(eventLines(bucket, sources), order)
  const items = chosen.items(bucket)
  try {
    let [event, item] = [await nextOf(events), await nextOf(items)]
    while (event !== undefined || item !== undefined) {
      const userId = lowerOf(event?.item.event.userId, item?.userId)
      const past: PastEvent[] = []
      for (; event?.item.event.userId === userId; event = await nextOf(events)) past.push(event.item)
      if (item?.userId === userId) {
        yield { userId, item, past }
        item = await nextOf(items)
      } else yield { userId, item: undefined, past }
    }
  } finally {
    await events.return(undefined)
    await items.return(undefined)
  }
}

async function* eventLines(bucket: number, sources: BucketSources): AsyncGenerator<Uint8Array> {
  const { history, chosen, compiled, aside, onRefused } = sources
  const options = chosen.userIds === undefined ? {} : { userIds: chosen.userIds }
  for await (const record of history.bucket(bucket, options)) {
    if (record.kind === 'stream' && !chosen.isChosen(record.record.partitionKey)) continue
    const past = pastEvent(record, compiled)
    if (past === undefined) {
      if (record.kind === 'stream' && !aside.letters.has(recordName(record.record))) onRefused()
      continue
    }
    // A line that no contract took when it was imported is in every bucket.
    const { userId } = past.event
    if (userBucket(userId) === bucket && chosen.isChosen(userId)) yield pastEventLine(past)
  }
}

function byUser({ event: a }: PastEvent, { event: b }: PastEvent): number {
  return byUserId(a, b)
}

function lowerOf(a: string | undefined, b: string | undefined): string {
  if (a === undefined || b === undefined) return a ?? b ?? ''
  return a < b ? a : b
}

async function nextOf<T>(items: AsyncIterator<T, unknown>): Promise<T | undefined> {
  const next = await items.next()
  return next.done === true ? undefined : next.value
}
