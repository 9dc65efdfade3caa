// `millrace users sweep-spills`: predictions that lie beside the items and that no item names any more are removed, after a grace.
import { whileHeld } from '../catalog/lease.ts'
import { tableKey } from '../catalog/names.ts'
import { DAY_MS } from '../platform/duration.ts'
import type { ObjectInfo } from '../platform/object-store.ts'
import { removalsRef, writeReceipt } from '../replay/spill-receipt.ts'
import { SPILL_GRACE_MS, type SweepReport, sweepSpills } from '../replay/sweep-spills.ts'
import type { Command } from './command.ts'
import { durationOption } from './durations.ts'
import { UsageError } from './errors.ts'
import { stageOf } from './stage.ts'
import { REASON_OPTIONS, reasonOf } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

/** A function that has written an object puts its item within a minute; a day has clocks and repeats in it as well. */
const GRACE_LEAST_MS = DAY_MS

export const command: Command = {
  name: 'users sweep-spills',
  summary: 'Remove large predictions that no item names any more, with a receipt.',
  positionals: [],
  options: {
    grace: {
      type: 'string',
      value: 'DURATION',
      description: 'Younger ones stay, named or not. Default: 7d, at least 1d.',
    },
    ...REASON_OPTIONS,
    ...STAGE_OPTION,
  },
  changesThings: true,
  async run(context, args) {
    const graceMs = durationOption(args, 'grace') ?? SPILL_GRACE_MS
    if (graceMs < GRACE_LEAST_MS) throw new UsageError('--grace is less than a day', 'Give 1d or more.')
    await withConnection(context, args, async (connection, pipeline) => {
      const { catalog, names, takeLease } = connection
      const place = { pipeline: pipeline.name, stage: stageOf(args, pipeline.name) }
      const ref = removalsRef(place)
      const { isDryRun } = context
      const reason = reasonOf(context, args)
      let receipt: string | null = null
      const sweep = (stillAlone: () => Promise<void>): Promise<SweepReport> =>
        sweepSpills(
          { nowMs: context.clock(), graceMs, isDryRun },
          {
            ...connection,
            stillAlone,
            writeReceipt: async (objects: readonly ObjectInfo[]) => {
              const removal = { ...place, bucket: names.archiveBucket, objects, ...reason }
              receipt = (await writeReceipt(catalog, removal)).batchId
            },
          },
        )
      // From before it lists until its last removal: what another one had removed meanwhile, and a user has written anew, would be taken.
      const report = isDryRun
        ? await sweep(async () => undefined)
        : await whileHeld(await takeLease(ref, ref.partition, { who: reason.who, what: command.name }), sweep)
      const table = receipt === null ? null : `${tableKey(ref)}/${ref.partition}`
      context.result({ isDryRun, graceMs, ...report, receipt, table }, () =>
        describe(report, { isDryRun, receipt, table }),
      )
    })
  },
}

interface Receipt {
  readonly isDryRun: boolean
  readonly receipt: string | null
  readonly table: string | null
}

function describe(report: SweepReport, { isDryRun, receipt, table }: Receipt): string[] {
  const { objects, bytes, young, named, unknown, left, removed, removedBytes, returned } = report
  return [
    `${objects} large predictions, ${bytes} bytes: ${named} old ones are named by items, ${young} are within the grace`,
    `${removed} ${isDryRun ? 'would be' : 'were'} removed, ${removedBytes} bytes`,
    ...(returned === 0 ? [] : [`${returned} were named again meanwhile and stay`]),
    ...(unknown === 0 ? [] : [`${unknown} stay beside items that cannot be read: millrace users repair`]),
    ...(left === 0 ? [] : [`${left} more are old: run it again`]),
    ...(receipt === null ? [] : [`What was removed: batch ${receipt} of ${table}`]),
  ]
}
