// Users and their history side by side: both in the order of user ids, so that one user is in memory at a time, whatever the table
// or the archive hold.
import type { History } from '../archive/history.ts'
import { userBucket } from '../platform/hash.ts'
import { sortLines } from '../platform/sort-lines.ts'
import { isAside, type SetAside } from './verify-counted.ts'
import { type PastEvent, pastEventLine, type ReadHistory, readPastEventLine, recordName } from './verify-history.ts'
import { byUserId, type ChosenItems } from './verify-items.ts'
import type { UserCase } from './verify-user.ts'

/** About 700 bytes each. */
const EVENTS_IN_MEMORY_MAX = 100_000

export interface BucketSources {
  readonly history: History
  readonly chosen: ChosenItems
  readonly read: ReadHistory
  readonly aside: SetAside
  readonly spoolDir: string
  /** Events of a bucket that are sorted where they are; more go through local files. */
  readonly eventsInMemoryMax?: number | undefined
  /** Told of each record of a chosen user that is no event today and has no dead letter. */
  readonly onRefused: () => void
}

/** Every chosen user of the bucket that has an item, or an event in history, or both. */
export async function* usersOfBucket(bucket: number, sources: BucketSources): AsyncGenerator<UserCase> {
  const { chosen } = sources
  const events = sortedByUser(eventsOf(bucket, sources), sources)
  const items = chosen.items(bucket)
  try {
    let [event, item] = [await nextOf(events), await nextOf(items)]
    while (event !== undefined || item !== undefined) {
      const userId = lowerOf(event?.event.userId, item?.userId)
      const past: PastEvent[] = []
      for (; event?.event.userId === userId; event = await nextOf(events)) past.push(event)
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

async function* eventsOf(bucket: number, sources: BucketSources): AsyncGenerator<PastEvent> {
  const { history, chosen, read, aside, onRefused } = sources
  const options = chosen.userIds === undefined ? {} : { userIds: chosen.userIds }
  for await (const record of history.bucket(bucket, options)) {
    if (record.kind === 'stream' && !chosen.isChosen(record.record.partitionKey)) continue
    const past = read(record)
    if (record.kind === 'stream' && !aside.letters.has(recordName(record.record))) {
      if (past === undefined || isAside(past, aside)) onRefused()
    }
    if (past === undefined) continue
    // A line that no contract took when it was imported is in every bucket.
    const { userId } = past.event
    if (userBucket(userId) === bucket && chosen.isChosen(userId)) yield past
  }
}

async function* sortedByUser(
  events: AsyncGenerator<PastEvent>,
  { spoolDir: folder, eventsInMemoryMax = EVENTS_IN_MEMORY_MAX }: BucketSources,
): AsyncGenerator<PastEvent> {
  const first: PastEvent[] = []
  let next = await nextOf(events)
  for (; next !== undefined && first.length < eventsInMemoryMax; next = await nextOf(events)) first.push(next)
  if (next === undefined) {
    yield* first.sort(byUser)
    return
  }
  async function* lines(): AsyncGenerator<Uint8Array> {
    for (let event = first.pop(); event !== undefined; event = first.pop()) yield pastEventLine(event)
    for (; next !== undefined; next = await nextOf(events)) yield pastEventLine(next)
  }
  const order = { read: readPastEventLine, compare: byUser, folder, name: 'sorted-events' }
  for await (const { item } of sortLines(lines(), order)) yield item
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
