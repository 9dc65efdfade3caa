// What a snapshot says of itself, in the manifest's properties: whoever has the batch has the report.
import * as z from 'zod/mini'
import type { Catalog } from '../catalog/catalog.ts'
import type { Manifest } from '../catalog/manifest.ts'
import { type Distribution, distributionSchema } from '../model/distribution.ts'
import type { Json } from '../platform/canonical-json.ts'
import { toRfc3339 } from '../platform/clock.ts'
import { DAY_MS } from '../platform/duration.ts'
import { type ColumnMoved, columnsMoved } from './column-sketches.ts'
import type { ModelDrift } from './drift.ts'
import { readableSnapshot } from './readable-snapshot.ts'
import { SNAPSHOT_TABLE, snapshotPartition } from './snapshot-table.ts'
import type { UserFacts } from './user-counts.ts'

export interface SnapshotFacts extends UserFacts {
  /** How many workers' shares, and in how many pieces. */
  readonly segments: number
  readonly pieces: number
  /** What DynamoDB said of the table, some hours old; null: not asked. */
  readonly tableItems: number | null
  /** From the beginning to the commit, pauses included. */
  readonly tookMs: number
}

/** Against the newest snapshot of the days before. */
export interface SinceBefore {
  readonly partition: string
  readonly batchId: string
  readonly users: number
  readonly columns: readonly ColumnMoved[]
}

/** Earlier than that it is no day before. */
const DAYS_BEFORE_MAX = 7

export function reportProperties(
  instantMs: number,
  {
    facts,
    drift,
    distributions,
    since,
  }: {
    readonly facts: SnapshotFacts
    readonly drift: readonly ModelDrift[]
    readonly distributions: Readonly<Record<string, Distribution>>
    readonly since: SinceBefore | null
  },
): Readonly<Record<string, Json>> {
  return { instant: toRfc3339(instantMs), report: facts, drift, since, distributions } as unknown as Record<
    string,
    Json
  >
}

/** What a snapshot of this release says; one of an earlier release says less. */
export interface SaidOfSnapshot {
  readonly report?: SnapshotFacts | undefined
  readonly since?: SinceBefore | null | undefined
  readonly drift?: readonly ModelDrift[] | undefined
}

export function saidOf({ properties = {} }: Pick<Manifest, 'properties'>): SaidOfSnapshot {
  return properties as SaidOfSnapshot
}

/** Undefined where none of the days before has a snapshot that says how its columns are distributed. Throws CatalogError, ObjectStoreError. */
export async function sinceBefore(
  catalog: Catalog,
  { db, instantMs }: { readonly db: string; readonly instantMs: number },
  now: Readonly<Record<string, Distribution>>,
): Promise<SinceBefore | undefined> {
  for (let day = 1; day <= DAYS_BEFORE_MAX; day++) {
    const ref = { db, table: SNAPSHOT_TABLE, partition: snapshotPartition(instantMs - day * DAY_MS) }
    const batch = await readableSnapshot(catalog, ref)
    if (batch === undefined) continue
    const { manifest, record } = batch
    const before = distributionsOf(manifest)
    if (before === undefined) return undefined
    const { partition } = ref
    return { partition, batchId: record.batchId, users: record.rows, columns: columnsMoved(before, now) }
  }
  return undefined
}

const distributions = z.record(z.string(), distributionSchema)

function distributionsOf({ properties }: Manifest): Readonly<Record<string, Distribution>> | undefined {
  const parsed = distributions.safeParse(properties?.['distributions'])
  return parsed.success ? parsed.data : undefined
}
