// Who is to be rebuilt: users with a feature that is `backfilling` now or with other imports than are in force, users by name, those
// of open dead letters, those in doubt. Names are kept in files by bucket; a bucket at a time is in memory.
import type { History } from '../archive/history.ts'
import { listDoubt } from '../archive/doubt.ts'
import type { NamedRecord } from '../archive/closed-letters.ts'
import { evaluateFeatures } from '../features/evaluate.ts'
import { byCodePoint } from '../platform/canonical-json.ts'
import type { Clock } from '../platform/clock.ts'
import { mapWithLimit } from '../platform/concurrency.ts'
import { userBucket } from '../platform/hash.ts'
import { LineSpool } from '../platform/line-spool.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { readItem } from '../recompute/item-content.ts'
import { type CorruptItem, KEYS_PER_READ_MAX, type StoredItem, type UserStore } from '../store/user-item.ts'
import { historyEvent } from './counted-events.ts'
import type { AcceptedRecords, OpenLetter } from './open-letters.ts'

export type BackfillTarget =
  /** A feature is `backfilling`: this one, or any; and without a name, imports are not those in force. */
  | { readonly kind: 'incomplete'; readonly feature: string | undefined }
  /** Whatever their items say. */
  | { readonly kind: 'named' }
  | { readonly kind: 'letters'; readonly reason: string }
  /** Users by name, of letters by name. */
  | { readonly kind: 'chosen'; readonly letters: ChosenLetters; readonly acceptedMs: number | undefined }
  | { readonly kind: 'doubt' }

export interface SelectDependencies {
  readonly compiled: CompiledPipeline
  readonly users: UserStore
  readonly archive: ObjectStore
  readonly history: History
  readonly clock: Clock
  readonly spoolDir: string
  readonly target: BackfillTarget
  /** Nobody else. */
  readonly only: ReadonlySet<string> | undefined
}

/** Of a bucket, by user the `recordKey`s of letters that are to be counted: none where only the user is in question. */
export type ChosenLetters = (bucket: number) => Promise<ReadonlyMap<string, ReadonlySet<string>>>

/** What a bucket's letters and doubt are, by user. */
export interface BucketAside {
  readonly letters: ReadonlyMap<string, readonly OpenLetter[]>
  readonly accepted?: AcceptedRecords | undefined
  readonly doubt: ReadonlyMap<string, readonly NamedRecord[]>
}

/** Parallel scan segments, as a snapshot has. */
const SCAN_SEGMENTS = 8
const NOBODY: ReadonlySet<string> = new Set()

interface SelectedItem {
  readonly userId: string
  readonly isPending: boolean
  readonly isCorrupt: boolean
  /** Batch IDs, joined. */
  readonly imports: string
}

export class Selection {
  /** Items that cannot be read, and so cannot be judged. */
  corrupt = 0
  readonly #deps: SelectDependencies
  readonly #items: LineSpool
  readonly #doubt: LineSpool

  constructor(deps: SelectDependencies) {
    this.#deps = deps
    this.#items = new LineSpool(deps.spoolDir, 'selected')
    this.#doubt = new LineSpool(deps.spoolDir, 'doubt')
  }

  /** Reads every item once, or those of the named users, where items are what decides. Throws StoreError, ObjectStoreError. */
  async prepare(): Promise<void> {
    const { target, archive } = this.#deps
    if (target.kind === 'incomplete') await this.#judgeItems()
    if (target.kind !== 'doubt') return
    for await (const { userId, stream, shard, sequence } of listDoubt(archive)) {
      this.#doubt.add(userBucket(userId), Buffer.from(JSON.stringify({ userId, stream, shard, sequence })))
    }
  }

  /** By user, what is in doubt of the bucket's. */
  async doubtOf(bucket: number): Promise<BucketAside['doubt']> {
    const doubt = new Map<string, NamedRecord[]>()
    for await (const { userId, ...record } of parsed<NamedRecord & { readonly userId: string }>(this.#doubt, bucket)) {
      doubt.set(userId, [...(doubt.get(userId) ?? []), record])
    }
    return doubt
  }

  /** Throws ObjectStoreError, CatalogError, ArchiveError. */
  async usersOf(bucket: number, { letters, doubt }: BucketAside): Promise<readonly string[]> {
    const { target, only } = this.#deps
    switch (target.kind) {
      case 'incomplete':
        return this.#incomplete(bucket)
      case 'named':
        return [...(only ?? NOBODY)].filter(userId => userBucket(userId) === bucket)
      case 'letters': {
        const users = [...letters].filter(([, own]) => own.some(({ reason }) => reason === target.reason))
        return users.map(([userId]) => userId).filter(userId => only?.has(userId) !== false)
      }
      case 'chosen':
        return [...(await target.letters(bucket)).keys()]
      case 'doubt':
        return [...doubt.keys()].filter(userId => only?.has(userId) !== false)
    }
  }

  remove(): void {
    this.#items.remove()
    this.#doubt.remove()
  }

  async #judgeItems(): Promise<void> {
    const { users, only } = this.#deps
    if (only === undefined) {
      await mapWithLimit([...Array(SCAN_SEGMENTS).keys()], SCAN_SEGMENTS, async segment => {
        for await (const page of users.scan(segment, SCAN_SEGMENTS)) for (const item of page) this.#judge(item)
      })
      return
    }
    const names = [...only]
    for (let from = 0; from < names.length; from += KEYS_PER_READ_MAX) {
      const items = await users.loadMany(names.slice(from, from + KEYS_PER_READ_MAX))
      for (const item of items.values()) this.#judge(item)
    }
  }

  #judge(item: StoredItem | CorruptItem): void {
    const { history, target } = this.#deps
    const selected = this.#selected(item)
    if (selected.isCorrupt) this.corrupt++
    // Where there are imports, everybody is kept until it is known whose they are.
    const isByImports = target.kind === 'incomplete' && target.feature === undefined && history.imports.length > 0
    if (!selected.isPending && selected.imports === '' && !isByImports) return
    this.#items.add(userBucket(item.userId), Buffer.from(JSON.stringify(selected)))
  }

  #selected(stored: StoredItem | CorruptItem): SelectedItem {
    const { compiled, clock, target } = this.#deps
    const { userId } = stored
    const read = readItem(compiled.features, stored)
    if (read.outcome !== 'read') return { userId, isPending: false, isCorrupt: true, imports: '' }
    const { state, at } = read.content
    // Just what a GET would say now.
    const { pending = {} } = evaluateFeatures(compiled.features, state, at, clock())
    const feature = target.kind === 'incomplete' ? target.feature : undefined
    const isPending = feature === undefined ? Object.keys(pending).length > 0 : Object.hasOwn(pending, feature)
    return { userId, isPending, isCorrupt: false, imports: read.stored.imports.join(' ') }
  }

  async #incomplete(bucket: number): Promise<readonly string[]> {
    const { target, only } = this.#deps
    const isByImports = target.kind === 'incomplete' && target.feature === undefined
    const owners = isByImports ? await this.#importsOf(bucket) : new Map<string, string>()
    const users: string[] = []
    for await (const { userId, isPending, isCorrupt, imports } of parsed<SelectedItem>(this.#items, bucket)) {
      const due = owners.get(userId) ?? ''
      owners.delete(userId)
      if (!isCorrupt && (isPending || (isByImports && imports !== due))) users.push(userId)
    }
    // Who is left has no item yet.
    const first = [...owners.keys()].filter(userId => only?.has(userId) !== false)
    return [...users, ...first]
  }

  /** Of each user the batches in force that have an event of the user, as `SelectedItem.imports`. */
  async #importsOf(bucket: number): Promise<Map<string, string>> {
    const { history, compiled } = this.#deps
    const owners = new Map<string, string>()
    if (history.imports.length === 0) return owners
    for await (const record of history.bucket(bucket, { userIds: NOBODY })) {
      if (record.kind !== 'import') continue
      const decoded = historyEvent(record, compiled)
      if ('reason' in decoded) continue
      const { userId } = decoded.event
      if (userBucket(userId) !== bucket) continue
      const known = owners.get(userId)
      if (known === undefined) owners.set(userId, record.batchId)
      else if (!known.includes(record.batchId)) {
        owners.set(userId, [...known.split(' '), record.batchId].sort(byCodePoint).join(' '))
      }
    }
    return owners
  }
}

async function* parsed<Line>(spool: LineSpool, bucket: number): AsyncGenerator<Line> {
  for await (const line of spool.lines(bucket)) yield JSON.parse(Buffer.from(line).toString('utf8')) as Line
}
