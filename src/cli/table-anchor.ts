// `millrace table anchor`: a reader's name on one batch, so that retention leaves it alone and `--anchor` finds it; or which names there are.
import { anchorsOf } from '../catalog/anchors.ts'
import { tableKey } from '../catalog/names.ts'
import { existingTable } from '../catalog/table-schema.ts'
import { toRfc3339 } from '../platform/clock.ts'
import { AS_OF_OPTION, BATCH_OPTION, batchChoiceOf } from './batch-choice.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { partitionOf, REASON_OPTIONS, reasonOf, TABLE_POSITIONALS } from './table-location.ts'
import { textTable } from './text-table.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

export const command: Command = {
  name: 'table anchor',
  summary: 'Keep a batch for who relies on it, by a name; without a name, show who relies on which.',
  positionals: [...TABLE_POSITIONALS, 'name?'],
  options: { ...BATCH_OPTION, ...AS_OF_OPTION, ...REASON_OPTIONS, ...STAGE_OPTION },
  changesThings: true,
  async run(context, args) {
    const anchor = args.optionalPositional('name')
    if (anchor === undefined) await showAnchors(context, args)
    else await setAnchor(context, args, anchor)
  },
}

async function setAnchor(context: CommandContext, args: CommandArguments, anchor: string): Promise<void> {
  const ref = partitionOf(args)
  const choice = batchChoiceOf(args)
  const where = `${tableKey(ref)}, partition ${ref.partition}`
  await withConnection(context, args, async ({ catalog }) => {
    const { isDryRun } = context
    const { batchId, rows, bytes } = isDryRun
      ? await catalog.planAnchor(ref, { ...choice, anchor })
      : await catalog.anchor(ref, { ...choice, anchor, ...reasonOf(context, args) })
    context.result({ isDryRun, table: tableKey(ref), partition: ref.partition, anchor, batchId, rows, bytes }, () =>
      isDryRun
        ? `Would anchor ${batchId} (${rows} rows) of ${where} as ${anchor}`
        : [
            `${batchId} (${rows} rows) of ${where} stays until ${anchor} is released:`,
            `millrace table release ${tableKey(ref)} ${ref.partition} ${anchor}`,
          ],
    )
  })
}

async function showAnchors(context: CommandContext, args: CommandArguments): Promise<void> {
  const ref = partitionOf(args)
  const anchors = await withConnection(context, args, async ({ catalogStores: { store } }) => {
    await existingTable(store, ref)
    return anchorsOf(store, ref)
  })
  context.result({ table: tableKey(ref), partition: ref.partition, anchors }, () =>
    anchors.length === 0
      ? `Nobody anchors a batch of ${tableKey(ref)}, partition ${ref.partition}.`
      : textTable(
          ['anchor', 'batch', 'since', 'who', 'why'],
          anchors.map(({ anchor, batchId, at, who, why }) => [anchor, batchId, toRfc3339(at), who, why]),
        ),
  )
}
