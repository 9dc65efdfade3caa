// `millrace table release`: takes a reader's name from the batch that it anchored; retention may take the batch from then on.
import { tableKey } from '../catalog/names.ts'
import type { Command } from './command.ts'
import { partitionOf, REASON_OPTIONS, reasonOf, TABLE_POSITIONALS } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

export const command: Command = {
  name: 'table release',
  summary: 'Take the name of an anchor from its batch, which retention may purge then.',
  positionals: [...TABLE_POSITIONALS, 'name'],
  options: { ...REASON_OPTIONS, ...STAGE_OPTION },
  changesThings: true,
  async run(context, args) {
    const ref = partitionOf(args)
    const anchor = args.positional('name')
    await withConnection(context, args, async ({ catalog }) => {
      const { isDryRun } = context
      const { batchId } = isDryRun
        ? await catalog.planRelease(ref, anchor)
        : await catalog.release(ref, { anchor, ...reasonOf(context, args) })
      context.result(
        { isDryRun, table: tableKey(ref), partition: ref.partition, anchor, batchId },
        () => `${anchor} ${isDryRun ? 'would no longer anchor' : 'no longer anchors'} ${batchId}`,
      )
    })
  },
}
