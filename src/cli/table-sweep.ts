// `millrace table sweep`: what writers that died have left in a table, or in all of them; removed only with --delete.
import { tableKey, type TableRef } from '../catalog/names.ts'
import { type SweepReport, SWEEP_GRACE_MS, sweepTable } from '../catalog/sweep.ts'
import { toRfc3339 } from '../platform/clock.ts'
import { HOUR_MS } from '../platform/duration.ts'
import type { Command } from './command.ts'
import { durationOption } from './durations.ts'
import { UsageError } from './errors.ts'
import { purgedLines, receiptLines, removalOf } from './removal.ts'
import { optionalTableOf, REASON_OPTIONS, reasonOf } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

const SHOWN_MAX = 20

export const command: Command = {
  name: 'table sweep',
  summary: 'Show objects of batches that were never committed, and remove them with --delete and a receipt.',
  positionals: ['table?'],
  options: {
    delete: { type: 'boolean', description: 'Remove them. Without it they are only shown.' },
    grace: {
      type: 'string',
      value: 'DURATION',
      description: 'Younger ones stay: their writer may be at work. Default: 24h, at least 1h.',
    },
    ...REASON_OPTIONS,
    ...STAGE_OPTION,
  },
  changesThings: true,
  async run(context, args) {
    const only = optionalTableOf(args)
    const graceMs = durationOption(args, 'grace') ?? SWEEP_GRACE_MS
    if (graceMs < HOUR_MS) throw new UsageError('--grace is less than an hour', 'Give 1h or more.')
    const isDeleting = args.flag('delete') && !context.isDryRun
    await withConnection(context, args, async (connection, pipeline) => {
      const removal = removalOf(context, args, { connection, pipeline })
      const tables = only === undefined ? await connection.catalog.tables() : [only]
      const reports: TableSweep[] = []
      for (const ref of tables) {
        const report = await sweepTable(removal.ports, ref, { graceMs, isDeleting, ...reasonOf(context, args) })
        reports.push({ ref, report })
      }
      const json = reports.map(({ ref, report }) => ({ table: tableKey(ref), ...report }))
      const { receipts, table } = removal
      context.result({ isDeleting, graceMs, tables: json, receipts, receiptTable: table }, () => [
        ...reports.flatMap(each => describe(each, isDeleting)),
        ...receiptLines(removal),
      ])
    })
  },
}

interface TableSweep {
  readonly ref: TableRef
  readonly report: SweepReport
}

function describe({ ref, report }: TableSweep, isDeleting: boolean): readonly string[] {
  const { objects, bytes, orphans, young, strangers, removed, returned } = report
  const more = orphans.length - SHOWN_MAX
  return [
    `${tableKey(ref)}: ${objects} objects, ${bytes} bytes; ${orphans.length} orphans, ${young} within the grace`,
    ...orphans
      .slice(0, SHOWN_MAX)
      .map(
        each =>
          `  ${each.batchId}  ${each.partition}  ${each.kind}  ${each.objects} objects, ${each.bytes} bytes, last written ${toRfc3339(each.newestMs)}`,
      ),
    ...(more > 0 ? [`  and ${more} more: --json lists them all`] : []),
    ...strangers.map(key => `  ${key} is no object of a batch, and stays`),
    ...(isDeleting && orphans.length > 0 ? purgedLines(removed, 'were removed') : []),
    ...returned.map(({ batchId, because }) => `  ${batchId} stays: ${because} by now`),
    ...(!isDeleting && orphans.length > 0 ? ['  To remove them: --delete'] : []),
  ]
}
