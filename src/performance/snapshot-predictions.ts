// What snapshots say one model predicted for the users of a bucket: from the parts of that bucket alone, of the days that are asked
// for. A snapshot stands for the instant at which it was taken, whatever the last instant at which the user's features had stepped.
import type { Catalog } from '../catalog/catalog.ts'
import type { Column, Row } from '../catalog/columns.ts'
import type { PartLocation } from '../catalog/load-batch.ts'
import type { Manifest, ManifestPart } from '../catalog/manifest.ts'
import type { PartitionRef } from '../catalog/names.ts'
import { readParquet } from '../catalog/parquet-rows.ts'
import { parseRfc3339Ms } from '../event/event-time.ts'
import { mapAhead } from '../platform/concurrency.ts'
import { DAY_MS } from '../platform/duration.ts'
import { userBucket } from '../platform/hash.ts'
import type { Prediction } from '../predictions/evaluated-user.ts'
import { bucketOfPart } from '../snapshot/part-names.ts'
import { SNAPSHOT_TABLE } from '../snapshot/snapshot-table.ts'
import { type PredictedNumber, type ReadSpill, storedNumber } from './judged.ts'

export interface StoredPrediction extends PredictedNumber {
  readonly userId: string
  /** From when it stood, ms. */
  readonly at: number
}

export interface SnapshotOptions {
  readonly catalog: Pick<Catalog, 'partitions' | 'load' | 'loadPart'>
  /** The pipeline's name. */
  readonly db: string
  readonly model: string
  readonly output: string
  /** For values that a row names and does not have; without it there is none of those. */
  readonly readSpill?: ReadSpill | undefined
}

/** Each has up to 1 MiB, of which one number is kept. */
const SPILL_READS_IN_FLIGHT_MAX = 16

const COLUMNS: readonly Column[] = [
  { name: 'user_id', type: 'string' },
  { name: 'as_of', type: 'timestamp' },
  { name: 'predictions', type: 'json' },
]

interface Snapshot {
  readonly instantMs: number
  readonly location: PartLocation
  readonly parts: readonly ManifestPart[]
}

export class SnapshotPredictions {
  readonly #options: SnapshotOptions
  readonly #snapshots = new Map<number, Promise<Snapshot>>()
  #refs: Promise<ReadonlyMap<number, PartitionRef>> | undefined
  /** Parts that were read. */
  partsRead = 0

  constructor(options: SnapshotOptions) {
    this.#options = options
  }

  /** `days` counted from 1970. By part as the rows are. Throws CatalogError, ObjectStoreError. */
  async *bucket(
    bucket: number,
    days: Iterable<number>,
    userIds: ReadonlySet<string> | undefined,
  ): AsyncGenerator<StoredPrediction> {
    const { catalog, model, output, readSpill } = this.#options
    for (const day of [...new Set(days)].sort((a, b) => a - b)) {
      const snapshot = await this.#snapshot(day)
      for (const part of snapshot?.parts ?? []) {
        const named = bucketOfPart(part.name)
        if (snapshot === undefined || (named !== undefined && named !== bucket)) continue
        const { body } = await catalog.loadPart(snapshot.location, part)
        this.partsRead++
        const wanted = (await readParquet(COLUMNS, body)).filter(row => {
          const userId = row['user_id'] as string
          return userIds === undefined ? userBucket(userId) === bucket : userIds.has(userId)
        })
        yield* mapAhead(wanted, SPILL_READS_IN_FLIGHT_MAX, async row => ({
          userId: row['user_id'] as string,
          at: stoodFrom(row, snapshot),
          ...(await storedNumber(predictionOf(row, model), output, readSpill)),
        }))
      }
    }
  }

  async #snapshot(day: number): Promise<Snapshot | undefined> {
    const { catalog, db } = this.#options
    this.#refs ??= this.#listDays()
    const ref = (await this.#refs).get(day)
    if (ref === undefined) return undefined
    let loaded = this.#snapshots.get(day)
    if (loaded === undefined) {
      loaded = catalog.load({ ...ref, db }).then(({ record, manifest }) => ({
        instantMs: snapshotInstantMs(manifest),
        location: record,
        parts: manifest.parts,
      }))
      this.#snapshots.set(day, loaded)
    }
    return loaded
  }

  async #listDays(): Promise<ReadonlyMap<number, PartitionRef>> {
    const { catalog, db } = this.#options
    const table = { db, table: SNAPSHOT_TABLE }
    const days = new Map<number, PartitionRef>()
    for (const { partition } of await catalog.partitions(table)) {
      const day = /^day=(\d{4}-\d{2}-\d{2})$/.exec(partition)?.[1]
      if (day !== undefined) days.set(Date.parse(day) / DAY_MS, { ...table, partition })
    }
    return days
  }
}

/** The instant that a snapshot says of itself: among its properties, and before there were any behind its reason; else when it was written. */
export function snapshotInstantMs({
  properties,
  why,
  createdAt,
}: Pick<Manifest, 'properties' | 'why' | 'createdAt'>): number {
  const said = properties?.['instant'] ?? /, at (\S+)$/.exec(why)?.[1]
  return (typeof said === 'string' ? parseRfc3339Ms(said) : undefined) ?? Date.parse(createdAt)
}

/** A user whose newest event is after the snapshot's instant is in it as of that event. */
function stoodFrom(row: Row, { instantMs }: Snapshot): number {
  return Math.max(instantMs, Number(row['as_of'] ?? 0))
}

function predictionOf(row: Row, model: string): Prediction | undefined {
  const all = row['predictions'] as unknown as Readonly<Record<string, Prediction>> | null
  return all !== null && Object.hasOwn(all, model) ? all[model] : undefined
}
