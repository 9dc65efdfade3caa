// `millrace table rollback`: makes an earlier batch of a partition current again, by a new entry in its history.
import { tableKey } from '../catalog/names.ts'
import type { Command } from './command.ts'
import { batchIdOf, describeEntry, partitionOf, REASON_OPTIONS, reasonOf, TABLE_POSITIONALS } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

export const command: Command = {
  name: 'table rollback',
  summary: 'Make an earlier batch of a partition current again.',
  positionals: [...TABLE_POSITIONALS, 'batch'],
  options: { ...REASON_OPTIONS, ...STAGE_OPTION },
  changesThings: true,
  async run(context, args) {
    const ref = partitionOf(args)
    const to = batchIdOf(args.positional('batch'))
    const reason = reasonOf(context, args)
    await withConnection(context, args, async ({ catalog }) => {
      const where = `${tableKey(ref)}, partition ${ref.partition}`
      if (context.isDryRun) {
        const { from, to: target, nextNumber } = await catalog.planRollback(ref, to)
        context.result(
          { isDryRun: true, from: from.batchId, to, nextNumber, rows: target.rows },
          () => `Would make ${to} (${target.rows} rows) current in ${where}, instead of ${from.batchId}`,
        )
        return
      }
      const entry = await catalog.rollback(ref, { to, ...reason })
      context.result({ ...entry }, () => [`${to} is current in ${where}:`, describeEntry(entry)])
    })
  },
}
