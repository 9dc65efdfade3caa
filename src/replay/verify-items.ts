// The items that are held against history, each as it was before history was looked at: what an item contains, the archive has
// then or will soon have. They wait in local files by bucket, as a table does not fit into memory.
import { unpackDedup } from '../store/dedup-codec.ts'
import { CorruptItemError } from '../store/errors.ts'
import { type CorruptItem, isCorrupt, KEYS_PER_READ_MAX, type StoredItem, type UserStore } from '../store/user-item.ts'
import { userBucket } from '../platform/hash.ts'
import { LineSpool } from '../platform/line-spool.ts'
import { sortLines } from '../platform/sort-lines.ts'
import { Sampler, type Sample, sampleOfAll, sampleOfNamed, type Which } from './verify-sample.ts'

export interface ChosenItems extends Sample {
  readonly count: number
  /** The chosen items of a bucket, ascending by user id. */
  items(bucket: number): AsyncGenerator<StoredItem | CorruptItem>
  /** Where the archive must be, by shard: the highest mark of the chosen items. */
  readonly needed: ReadonlyMap<string, string>
  /** How far any item says that a shard was folded; undefined where not all items were looked at. */
  readonly folded: ReadonlyMap<string, string> | undefined
  /** Removes the files. */
  remove(): void
}

export interface ChooseOptions {
  readonly users: UserStore
  readonly which: Which
  readonly spoolDir: string
}

/** Throws StoreError. */
export async function chooseItems({ users, which, spoolDir }: ChooseOptions): Promise<ChosenItems> {
  const spool = new LineSpool(spoolDir, 'items')
  const folded = new HighestMarks()
  const needed = new HighestMarks()
  let count = 0
  const keep = (item: StoredItem | CorruptItem): void => {
    count++
    needed.add(item)
    spool.add(userBucket(item.userId), itemLine(item))
  }
  const sample = await chooseAndKeep(users, which, { keep, look: item => folded.add(item) })
  return {
    ...sample,
    count,
    needed: needed.byShard,
    folded: which.kind === 'named' ? undefined : folded.byShard,
    async *items(bucket) {
      const options = { read: readItemLine, compare: byUserId, folder: spoolDir, name: 'sorted-items' }
      for await (const { item } of sortLines(spool.lines(bucket), options)) yield item
    },
    remove: () => spool.remove(),
  }
}

type Visit = (item: StoredItem | CorruptItem) => void

async function chooseAndKeep(
  users: UserStore,
  which: Which,
  { keep, look }: { readonly keep: Visit; readonly look: Visit },
): Promise<Sample> {
  if (which.kind === 'named') {
    await loadEach(users, which.userIds, keep)
    return sampleOfNamed(which.userIds)
  }
  const sampler = which.kind === 'sample' ? new Sampler(which) : undefined
  for await (const page of users.scan(0, 1)) {
    for (const item of page) {
      look(item)
      if (sampler === undefined) keep(item)
      else sampler.add(item.userId)
    }
  }
  if (sampler === undefined) return sampleOfAll()
  const { sample, found } = sampler.finish()
  await loadEach(users, found, item => {
    look(item)
    keep(item)
  })
  return sample
}

async function loadEach(users: UserStore, userIds: readonly string[], visit: Visit): Promise<void> {
  for (let from = 0; from < userIds.length; from += KEYS_PER_READ_MAX) {
    for (const item of (await users.loadMany(userIds.slice(from, from + KEYS_PER_READ_MAX))).values()) visit(item)
  }
}

class HighestMarks {
  readonly byShard = new Map<string, string>()

  add(item: StoredItem | CorruptItem): void {
    for (const [shard, sequence] of marksOf(item)) {
      const known = this.byShard.get(shard)
      if (known === undefined || BigInt(sequence) > BigInt(known)) this.byShard.set(shard, sequence)
    }
  }
}

/** None of an item that cannot be read: it is told of in its turn. */
function marksOf(item: StoredItem | CorruptItem): readonly (readonly [string, string])[] {
  if (isCorrupt(item)) return []
  try {
    return [...unpackDedup(item.dedup).marks].map(([shard, { sequence }]) => [shard, sequence] as const)
  } catch (error) {
    if (error instanceof CorruptItemError) return []
    throw error
  }
}

const BLOBS = ['dedup', 'st', 'ft', 'pr', 'sum'] as const

type Plain = Omit<StoredItem, (typeof BLOBS)[number]> & Readonly<Record<(typeof BLOBS)[number], string>>

function itemLine(item: StoredItem | CorruptItem): Uint8Array {
  // What is there of a corrupt item tells nothing that its reason does not.
  if (isCorrupt(item)) return Buffer.from(JSON.stringify({ ...item, stored: {} }))
  const packed = BLOBS.map(name => [name, Buffer.from(item[name]).toString('base64')] as const)
  return Buffer.from(JSON.stringify({ ...item, ...Object.fromEntries(packed), other: {} }))
}

function readItemLine(line: Uint8Array): StoredItem | CorruptItem {
  const item = JSON.parse(Buffer.from(line).toString('utf8')) as Plain | CorruptItem
  if ('corrupt' in item) return item
  const blobOf = (name: (typeof BLOBS)[number]): Uint8Array => Buffer.from(item[name], 'base64')
  return { ...item, dedup: blobOf('dedup'), st: blobOf('st'), ft: blobOf('ft'), pr: blobOf('pr'), sum: blobOf('sum') }
}

export function byUserId(a: { readonly userId: string }, b: { readonly userId: string }): number {
  return a.userId < b.userId ? -1 : a.userId > b.userId ? 1 : 0
}
