// The nightly snapshot: every user evaluated at one instant, written as Parquet parts by user bucket into a new batch, and made
// current by the catalogue's one log entry. A run that dies before it leaves readers with the batch before.
import type { Catalog } from '../catalog/catalog.ts'
import type { Row } from '../catalog/columns.ts'
import type { LogEntry } from '../catalog/items.ts'
import { writeParquet } from '../catalog/parquet-rows.ts'
import type { PartInput } from '../catalog/store-batch.ts'
import type { Json } from '../platform/canonical-json.ts'
import { toRfc3339 } from '../platform/clock.ts'
import { mapWithLimit } from '../platform/concurrency.ts'
import { USER_BUCKETS, userBucket } from '../platform/hash.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { PinnedPredictor, PredictedUser, Predictor } from '../predictions/predictor.ts'
import { valueBytesAtMost } from '../predictions/spill.ts'
import { featuresAt } from '../serve/evaluate-user.ts'
import { isUnreadable, readSums } from '../store/item-codec.ts'
import { CorruptItemError } from '../store/errors.ts'
import { type CorruptItem, isCorrupt, type StoredItem, type UserStore } from '../store/user-item.ts'
import { DriftCounts, type ModelDrift } from './drift.ts'
import { snapshotColumns, snapshotRow } from './snapshot-rows.ts'

/** Parallel scan segments: each reads 1 MB pages, so eight pages are in memory at most. */
const SCAN_SEGMENTS = 8
/** Rows a bucket gathers before they become a part; 64 buckets of it bound the memory of a run. */
const ROWS_PER_PART_MAX = 10_000
/** Of predictions in rows that wait for their part, all buckets together: values too long for an item would fill a function by themselves. */
const WAITING_BYTES_MAX = 256 * 1024 * 1024

export interface SnapshotDependencies {
  readonly compiled: CompiledPipeline
  readonly users: UserStore
  readonly predictor: Predictor
  readonly catalog: Catalog
}

export interface SnapshotRequest {
  /** Fixed at the start; a user whose newest event is later is evaluated at that event. */
  readonly instantMs: number
  readonly who: string
  readonly why: string
  readonly onProgress?: (users: number) => void
  /** WAITING_BYTES_MAX unless given. */
  readonly waitingBytesMax?: number
}

export interface SnapshotReport {
  readonly entry: LogEntry
  readonly db: string
  readonly table: string
  readonly partition: string
  readonly users: number
  /** Items that could not be read and are not in the batch. */
  readonly corruptItems: number
  /** Users whose newest event is later than the instant. */
  readonly usersAfterInstant: number
  /** Bytes of state, features and predictions in the users table: as stored, and as the JSON that they are. */
  readonly storedBytes: number
  readonly plainBytes: number
  /** Of each model that predicted, against what it was trained on. */
  readonly drift: readonly ModelDrift[]
}

export const SNAPSHOT_TABLE = 'users'

/** `day=2001-06-30` of the instant, UTC. */
export function snapshotPartition(instantMs: number): string {
  return `day=${toRfc3339(instantMs).slice(0, 10)}`
}

/** Throws StoreError, CatalogError, ObjectStoreError: then nothing is visible, and the next run starts anew. */
export async function takeSnapshot(deps: SnapshotDependencies, request: SnapshotRequest): Promise<SnapshotReport> {
  const { pipeline } = deps.compiled
  const ref = { db: pipeline.name, table: SNAPSHOT_TABLE, partition: snapshotPartition(request.instantMs) }
  const columns = snapshotColumns(deps.compiled)
  await deps.catalog.createTable(ref, { columns, format: 'parquet', owner: pipeline.name })
  const run = new SnapshotRun(deps, request, await deps.predictor.pinned())
  const entry = await deps.catalog.store(ref, {
    parts: run.parts(),
    who: request.who,
    why: `${request.why}, at ${toRfc3339(request.instantMs)}`,
    properties: () => ({ instant: toRfc3339(request.instantMs), drift: run.drift() as unknown as Json }),
  })
  return { entry, ...ref, ...run.counts, drift: run.drift() }
}

class SnapshotRun {
  readonly counts = { users: 0, corruptItems: 0, usersAfterInstant: 0, storedBytes: 0, plainBytes: 0 }
  readonly #deps: SnapshotDependencies
  readonly #request: SnapshotRequest
  /** One for all pages: a version published meanwhile is not in this batch. */
  readonly #predictor: PinnedPredictor
  readonly #drift: DriftCounts
  readonly #buckets: Row[][] = Array.from({ length: USER_BUCKETS }, () => [])
  /** Of the predictions in them. */
  readonly #bytesOfBucket: number[] = Array.from({ length: USER_BUCKETS }, () => 0)
  #waitingBytes = 0
  readonly #partsOfBucket: number[] = Array.from({ length: USER_BUCKETS }, () => 0)

  constructor(deps: SnapshotDependencies, request: SnapshotRequest, predictor: PinnedPredictor) {
    this.#deps = deps
    this.#request = request
    this.#predictor = predictor
    this.#drift = new DriftCounts(predictor.models ?? [])
  }

  drift(): readonly ModelDrift[] {
    const { models } = this.#deps.compiled.pipeline
    return this.#drift.report(name => models.find(model => model.name === name)?.owner)
  }

  /** Pulled by the catalogue as it uploads, so that the scan never runs ahead of the writing. */
  async *parts(): AsyncGenerator<PartInput> {
    const scans = Array.from({ length: SCAN_SEGMENTS }, (_, segment) =>
      this.#deps.users.scan(segment, SCAN_SEGMENTS)[Symbol.asyncIterator](),
    )
    while (scans.length > 0) {
      const pages = await mapWithLimit(scans, SCAN_SEGMENTS, async scan => ({ scan, page: await scan.next() }))
      for (const { scan, page } of pages) {
        if (page.done === true) scans.splice(scans.indexOf(scan), 1)
        else await this.#addPage(page.value)
      }
      this.#request.onProgress?.(this.counts.users)
      for (const [bucket, rows] of this.#buckets.entries()) {
        if (rows.length >= ROWS_PER_PART_MAX) yield this.#part(bucket)
      }
      const { waitingBytesMax = WAITING_BYTES_MAX } = this.#request
      while (this.#waitingBytes > waitingBytesMax) yield this.#part(this.#fullestBucket())
    }
    for (const [bucket, rows] of this.#buckets.entries()) if (rows.length > 0) yield this.#part(bucket)
  }

  async #addPage(page: readonly (StoredItem | CorruptItem)[]): Promise<void> {
    const readable = page.flatMap(item => {
      const features = this.#featuresOf(item)
      return features === undefined || isCorrupt(item) ? [] : [{ item, features }]
    })
    const predicted = await this.#predictor.predict(readable.map(({ features }) => features))
    for (const [index, { item, features }] of readable.entries()) {
      const user = predicted[index]
      if (user === undefined) continue
      this.counts.users++
      this.#weigh(item)
      if (item.at > this.#request.instantMs) this.counts.usersAfterInstant++
      this.#drift.add({ features, ...user })
      const bucket = userBucket(item.userId)
      this.#buckets[bucket]?.push(snapshotRow(item.userId, item.v, { features, ...user }))
      const bytes = bytesOf(user)
      this.#bytesOfBucket[bucket] = (this.#bytesOfBucket[bucket] ?? 0) + bytes
      this.#waitingBytes += bytes
    }
  }

  #fullestBucket(): number {
    return this.#bytesOfBucket.indexOf(Math.max(...this.#bytesOfBucket))
  }

  #weigh(item: StoredItem): void {
    const sums = readSums(item)
    if (isUnreadable(sums)) return
    for (const { length, plainLength } of [sums.st, sums.ft, sums.pr]) {
      this.counts.storedBytes += length
      this.counts.plainBytes += plainLength
    }
  }

  #featuresOf(item: StoredItem | CorruptItem): ReturnType<typeof featuresAt> | undefined {
    try {
      if (!isCorrupt(item)) return featuresAt(this.#deps.compiled, item, this.#request.instantMs)
    } catch (error) {
      if (!(error instanceof CorruptItemError)) throw error
    }
    this.counts.corruptItems++
    return undefined
  }

  #part(bucket: number): PartInput {
    const rows = this.#buckets[bucket] ?? []
    this.#buckets[bucket] = []
    this.#waitingBytes -= this.#bytesOfBucket[bucket] ?? 0
    this.#bytesOfBucket[bucket] = 0
    rows.sort((a, b) => ((a['user_id'] as string) < (b['user_id'] as string) ? -1 : 1))
    const number = this.#partsOfBucket[bucket] ?? 0
    this.#partsOfBucket[bucket] = number + 1
    const name = `part-${String(bucket).padStart(2, '0')}-${String(number).padStart(4, '0')}`
    return { name, body: writeParquet(snapshotColumns(this.#deps.compiled), rows), rows: rows.length }
  }
}

function bytesOf({ predictions: { models } }: PredictedUser): number {
  return Object.values(models).reduce((sum, { value }) => sum + (value === undefined ? 0 : valueBytesAtMost(value)), 0)
}
