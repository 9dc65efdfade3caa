// `millrace table retain`: lets the bytes of old batches of a table go, by the policy that was written down for it or by the one that is
// given; or writes one down.
import { tableKey, type TableRef } from '../catalog/names.ts'
import { checkRetention, findRetention, policyText, type RetentionPolicy, setRetention } from '../catalog/retention.ts'
import { type RetentionReport, runRetention } from '../catalog/run-retention.ts'
import { existingTable } from '../catalog/table-schema.ts'
import type { Connection } from '../compose/connect.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { durationOption } from './durations.ts'
import { CommandError, UsageError } from './errors.ts'
import { purgedLines, receiptLines, removalOf } from './removal.ts'
import { REASON_OPTIONS, reasonOf, tableOf } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

const KEEP_MAX = 1_000_000

export const command: Command = {
  name: 'table retain',
  summary: "Remove the bytes of a table's old batches, by its policy, with a receipt; or write the policy down.",
  positionals: ['table'],
  options: {
    keep: { type: 'string', value: 'N', description: 'So many batches of each partition stay; `all`: every one.' },
    'keep-for': {
      type: 'string',
      value: 'DURATION',
      description: 'What was current within this time stays, too: 90d.',
    },
    save: {
      type: 'boolean',
      description: 'Write --keep and --keep-for down as the policy of the table; remove nothing.',
    },
    ...REASON_OPTIONS,
    ...STAGE_OPTION,
  },
  changesThings: true,
  async run(context, args) {
    const ref = tableOf(args)
    const given = policyOf(args)
    if (args.flag('save') && given === undefined)
      throw new UsageError('--save has nothing to write down', 'Give --keep, --keep-for or both.')
    await withConnection(context, args, async (connection, pipeline) => {
      await existingTable(connection.catalogStores.store, ref)
      if (args.flag('save')) return savePolicy(context, args, { connection, ref, policy: given ?? {} })
      const policy = given ?? (await savedPolicy(connection, ref))
      checkRetention(ref, policy)
      const removal = removalOf(context, args, { connection, pipeline })
      const { isDryRun } = context
      const pinnedBy = (await connection.catalog.tables()).filter(({ db }) => db === 'models')
      const report = await runRetention(removal.ports, ref, { policy, ...reasonOf(context, args), pinnedBy, isDryRun })
      const { receipts, table } = removal
      context.result({ isDryRun, table: tableKey(ref), policy, ...report, receipts, receiptTable: table }, () => [
        ...describe(ref, policy, report),
        ...purgedLines(report.purged, isDryRun ? 'would lose their bytes' : 'lost their bytes'),
        ...report.returned.map(({ batchId, because }) => `${batchId} stays: ${because} by now`),
        ...(report.left === 0 ? [] : [`${report.left} more may go: run it again`]),
        ...receiptLines(removal),
      ])
    })
  },
}

/** Undefined: nothing was given. */
function policyOf(args: CommandArguments): RetentionPolicy | undefined {
  const keepMs = durationOption(args, 'keep-for')
  if (args.text('keep') === 'all') {
    if (keepMs !== undefined) throw new UsageError('--keep all and --keep-for exclude each other', 'Give one of them.')
    return {}
  }
  const keepBatches = args.wholeNumber('keep', { min: 1, max: KEEP_MAX })
  return keepBatches === undefined && keepMs === undefined ? undefined : { keepBatches, keepMs }
}

async function savedPolicy({ catalogStores: { store } }: Connection, ref: TableRef): Promise<RetentionPolicy> {
  const saved = await findRetention(store, ref)
  if (saved !== undefined) return { keepBatches: saved.keepBatches, keepMs: saved.keepMs }
  throw new CommandError(`Nobody has said what ${tableKey(ref)} keeps`, {
    code: 'retention-unset',
    next: `Write it down: millrace table retain ${tableKey(ref)} --keep 30 --save`,
  })
}

async function savePolicy(
  context: CommandContext,
  args: CommandArguments,
  {
    connection,
    ref,
    policy,
  }: { readonly connection: Connection; readonly ref: TableRef; readonly policy: RetentionPolicy },
): Promise<void> {
  const { isDryRun } = context
  const { catalogStores, clock } = connection
  checkRetention(ref, policy)
  const before = await findRetention(catalogStores.store, ref)
  if (!isDryRun) await setRetention({ ...catalogStores, clock }, ref, { ...policy, ...reasonOf(context, args) })
  const was = before === undefined ? 'all batches' : policyText(before)
  context.result({ isDryRun, table: tableKey(ref), policy, before: before ?? null }, () => [
    `${tableKey(ref)} ${isDryRun ? 'would keep' : 'keeps'} ${policyText(policy)}, instead of ${was}`,
    ...(isDryRun ? [] : [`To remove the others: millrace table retain ${tableKey(ref)}`]),
  ])
}

function describe(ref: TableRef, policy: RetentionPolicy, { batches, kept }: RetentionReport): readonly string[] {
  const reasons = Object.entries(kept).map(([because, count]) => `${count} ${because}`)
  return [
    `${tableKey(ref)} keeps ${policyText(policy)}`,
    `${batches} batches have their bytes; ${reasons.length === 0 ? 'none' : reasons.join(', ')} of them stay`,
  ]
}
