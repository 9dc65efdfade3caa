// The report of a snapshot as people read it.
import { PSI_MOVED } from '../model/psi.ts'
import { toRfc3339 } from '../platform/clock.ts'
import { SECOND_MS } from '../platform/duration.ts'
import type { SinceBefore, SnapshotFacts } from './snapshot-report.ts'

const MEGABYTE = 1e6
/** For people; programs get all. */
const COLUMNS_SHOWN = 20

export function factLines(facts: SnapshotFacts): readonly string[] {
  const { users, usersAfterInstant, corruptItems, storedBytes, plainBytes, earliestAsOf, latestAsOf } = facts
  const { usersWithSpills, spilledValues, models, segments, pieces, readUnits, tookMs, tableItems } = facts
  return [
    `  ${users} users, of ${usersAfterInstant} the newest event is after the instant; ${corruptItems} items could not be read and are not in it`,
    `  their items: ${megabytes(storedBytes)} stored, ${megabytes(plainBytes)} of JSON${tableItems === null ? '' : `; DynamoDB counts ${tableItems}`}`,
    ...(spilledValues === 0
      ? []
      : [`  ${spilledValues} predictions of ${usersWithSpills} users are objects of their own, and whole in the rows`]),
    ...(earliestAsOf === null || latestAsOf === null
      ? []
      : [`  features as of ${toRfc3339(earliestAsOf)} to ${toRfc3339(latestAsOf)}`]),
    ...Object.entries(models).map(
      ([model, batches]) =>
        `  ${model}: ${Object.entries(batches)
          .map(([batchId, count]) => `${count} by ${batchId === 'none' ? 'no version' : batchId}`)
          .join(', ')}`,
    ),
    `  ${segments} workers, ${pieces} pieces, ${(tookMs / SECOND_MS).toFixed(1)} s, ${readUnits} read units`,
  ]
}

export function sinceLines(since: SinceBefore | null): readonly string[] {
  if (since === null) return ['No snapshot of the days before says how its columns were distributed']
  const moved = since.columns
    .filter(({ psi, reading }) => psi !== null && psi >= PSI_MOVED && reading !== 'too-few')
    .toSorted((a, b) => (b.psi ?? 0) - (a.psi ?? 0))
  const unknown = since.columns.filter(({ reading }) => reading === 'unknown').length
  return [
    `Since ${since.partition}, ${since.users} users, batch ${since.batchId}: ${moved.length} of ${since.columns.length} columns moved${unknown === 0 ? '' : `, ${unknown} unknown`}`,
    ...moved
      .slice(0, COLUMNS_SHOWN)
      .map(
        ({ name, psi, missingShare, missingShareBefore }) =>
          `  ${name}: PSI ${(psi ?? 0).toFixed(3)}; missing ${percent(missingShare)}, was ${percent(missingShareBefore)}`,
      ),
  ]
}

function megabytes(bytes: number): string {
  return `${(bytes / MEGABYTE).toFixed(1)} MB`
}

function percent(share: number | null): string {
  return share === null ? 'unknown' : `${(share * 100).toFixed(1)} %`
}
