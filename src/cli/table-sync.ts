// `millrace table sync`: makes the mirror in AWS Glue say what the catalogue says, and shows in what they differed. It ends with 1 where
// a difference is left, so that a schedule or CI hears of it; a dry run leaves them all.
import type { MirrorPorts } from '../catalog/compare-mirror.ts'
import { parseTableName, tableKey, type TableRef } from '../catalog/names.ts'
import { type MirrorReport, syncMirror } from '../catalog/sync-mirror.ts'
import { MillraceError } from '../platform/errors.ts'
import type { Command, CommandContext } from './command.ts'
import { asUsage } from './table-location.ts'
import { describeSync, type FailedTable, syncFailure, type SyncOutcome } from './table-sync-text.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

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
      () => describeSync(outcome, context.isDryRun),
    )
    const failure = syncFailure(outcome)
    if (failure !== undefined) throw failure
  },
}

/** One table after the other; one that cannot be mirrored does not keep the others from it. */
async function syncAll(
  { isDryRun }: CommandContext,
  ports: MirrorPorts,
  refs: readonly TableRef[],
): Promise<SyncOutcome> {
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
