// `millrace table sync`: makes the mirror in AWS Glue say what the catalogue says, and shows in what they differed. It ends with 1 where
// a difference is left, so that a schedule or CI hears of it; a dry run leaves them all.
import type { Drift, MirrorPorts } from '../catalog/compare-mirror.ts'
import type { Difference } from '../catalog/mirror-plan.ts'
import { parseTableName, tableKey, type TableRef } from '../catalog/names.ts'
import { type MirrorReport, syncMirror } from '../catalog/sync-mirror.ts'
import { MillraceError } from '../platform/errors.ts'
import type { Command, CommandContext } from './command.ts'
import { CommandError } from './errors.ts'
import { asUsage } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

interface FailedTable {
  readonly table: string
  readonly error: MillraceError
}

interface Outcome {
  readonly reports: readonly MirrorReport[]
  /** Of other formats: engines read Parquet. */
  readonly skipped: readonly string[]
  readonly failed: readonly FailedTable[]
}

export const command: Command = {
  name: 'table sync',
  summary: 'Repair the mirror of the catalogue in AWS Glue, and show in what it differed.',
  positionals: ['table?'],
  options: STAGE_OPTION,
  changesThings: true,
  async run(context, args) {
    const given = args.optionalPositional('table')
    const ref = given === undefined ? undefined : asUsage(() => parseTableName(given))
    const outcome = await withConnection(context, args, async ({ catalog, openMirror }) => {
      const ports = await openMirror()
      return syncAll(context, ports, ref === undefined ? await catalog.tables() : [ref])
    })
    const { reports, skipped, failed } = outcome
    context.result(
      {
        isDryRun: context.isDryRun,
        tables: reports,
        skipped,
        failed: failed.map(({ table, error: { code, message, next } }) => ({ table, code, message, next })),
      },
      () => describe(outcome, context.isDryRun),
    )
    const failure = failureOf(outcome)
    if (failure !== undefined) throw failure
  },
}

/** One table after the other; one that cannot be mirrored does not keep the others from it. */
async function syncAll({ isDryRun }: CommandContext, ports: MirrorPorts, refs: readonly TableRef[]): Promise<Outcome> {
  const reports: MirrorReport[] = []
  const skipped: string[] = []
  const failed: FailedTable[] = []
  for (const ref of refs) {
    try {
      const report = await syncMirror(ports, ref, { isDryRun, mayRekey: true })
      if (report === undefined) skipped.push(tableKey(ref))
      else reports.push(report)
    } catch (error) {
      if (!(error instanceof MillraceError) || refs.length === 1) throw error
      failed.push({ table: tableKey(ref), error })
    }
  }
  return { reports, skipped, failed }
}

function describe({ reports, skipped, failed }: Outcome, isDryRun: boolean): readonly string[] {
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

function failureOf({ reports, failed }: Outcome): CommandError | undefined {
  const left = reports.reduce((sum, report) => sum + report.left.length, 0)
  if (left === 0 && failed.length === 0) return undefined
  const tables = failed.length === 0 ? '' : `, and ${failed.length} tables cannot be mirrored`
  return new CommandError(`The mirror differs from the catalogue in ${left} places${tables}`, {
    code: 'mirror-differs',
    next: failed[0]?.error.next ?? 'Run `millrace table sync` without --dry-run.',
  })
}
