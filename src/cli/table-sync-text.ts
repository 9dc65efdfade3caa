// What `millrace table sync` found, for people: each difference with both sides, and whether one is left.
import type { Drift } from '../catalog/compare-mirror.ts'
import type { Difference } from '../catalog/mirror-plan.ts'
import type { MirrorReport } from '../catalog/sync-mirror.ts'
import type { MillraceError } from '../platform/errors.ts'
import { CommandError } from './errors.ts'

export interface FailedTable {
  readonly table: string
  readonly error: MillraceError
}

export interface SyncOutcome {
  readonly reports: readonly MirrorReport[]
  /** Of other formats: engines read Parquet. */
  readonly skipped: readonly string[]
  readonly failed: readonly FailedTable[]
}

export function describeSync({ reports, skipped, failed }: SyncOutcome, isDryRun: boolean): readonly string[] {
  return [
    ...reports.flatMap(report => describeReport(report, isDryRun)),
    ...skipped.map(table => `${table}: not Parquet, so it is not mirrored`),
    ...failed.map(({ table, error }) => `${table}: ${error.message} (${error.code})`),
    ...(reports.length + skipped.length + failed.length === 0 ? ['The catalogue has no table.'] : []),
  ]
}

function describeReport(report: MirrorReport, isDryRun: boolean): readonly string[] {
  const { table, database, name, partitions, drift, left } = report
  const where = `${table} in ${database}.${name}`
  if (drift.length === 0) return [`${where}: ${partitions} partitions, nothing differs`]
  const what = isDryRun
    ? `${drift.length} differences`
    : left.length === 0
      ? `${drift.length} differences, repaired`
      : `${drift.length} differences, ${left.length} left`
  return [
    `${where}: ${partitions} partitions, ${what}`,
    ...(isDryRun || left.length === 0 ? drift : left).flatMap(lines),
  ]
}

function lines({ partition, kind, differences }: Drift): readonly string[] {
  const where = partition === null ? 'the table' : `partition ${partition}`
  return [`  ${where}: ${WORDS[kind]}`, ...differences.map(line)]
}

const WORDS: Readonly<Record<Drift['kind'], string>> = {
  missing: 'is not in the mirror',
  extra: 'is in the mirror only',
  differs: 'differs',
  unlisted: 'the list of its parts is gone',
}

function line({ field, mirror, catalogue }: Difference): string {
  return `    ${field}: the mirror has ${mirror ?? 'nothing'}, the catalogue says ${catalogue}`
}

export function syncFailure({ reports, failed }: SyncOutcome): CommandError | undefined {
  const left = reports.reduce((sum, report) => sum + report.left.length, 0)
  if (left === 0 && failed.length === 0) return undefined
  const tables = failed.length === 0 ? '' : `, and ${failed.length} tables cannot be mirrored`
  return new CommandError(`The mirror differs from the catalogue in ${left} places${tables}`, {
    code: 'mirror-differs',
    next: failed[0]?.error.next ?? 'Run `millrace table sync` without --dry-run.',
  })
}
