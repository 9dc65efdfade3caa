// `millrace users forget ID`: all that is stored of a user is removed, everywhere, and a receipt says what. It ends with 1 where something is
// left, so that nobody takes it for done.
import type { Connection } from '../compose/connect.ts'
import { userIdProblem } from '../event/identity.ts'
import { forgetsRef, writeForgetReceipt } from '../forget/forget-receipt.ts'
import { type ForgetReport, forgetUser } from '../forget/forget-user.ts'
import { PLACES } from '../forget/tally.ts'
import { whileHeld } from '../catalog/lease.ts'
import { tableKey } from '../catalog/names.ts'
import { toRfc3339 } from '../platform/clock.ts'
import { compilePipeline } from '../predictions/compile-pipeline.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import { writeReceipt } from '../replay/spill-receipt.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { CommandError, UsageError } from './errors.ts'
import { stageOf } from './stage.ts'
import { REASON_OPTIONS, reasonOf } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

export const command: Command = {
  name: 'users forget',
  summary: 'Remove all that is stored of a user, everywhere, with a receipt.',
  positionals: ['id'],
  options: {
    anew: {
      type: 'boolean',
      description: 'Also what arrived since a forgetting of the same user that is not final yet.',
    },
    final: {
      type: 'boolean',
      description: 'Fail unless this run finds that nothing came back and that the stream cannot bring it back.',
    },
    'no-user-in': {
      type: 'string',
      value: 'NAMES',
      description:
        'Keys of partitions, or tables, with commas between: their values are no users, though one is as the id.',
    },
    ...REASON_OPTIONS,
    ...STAGE_OPTION,
  },
  changesThings: true,
  async run(context, args) {
    const userId = args.positional('id')
    const wrong = userIdProblem(userId)
    if (wrong !== undefined) throw new UsageError(`That is no user's id: it ${wrong.problem}`, 'Give it as events do.')
    await withConnection(context, args, async (connection, pipeline) => {
      const place = { pipeline: pipeline.name, stage: stageOf(args, pipeline.name) }
      const ref = forgetsRef(place)
      const run = (stillAlone: () => Promise<void>): Promise<ForgetReport> =>
        forget(context, args, { userId, connection, pipeline, place, stillAlone })
      const report = context.isDryRun
        ? await run(async () => undefined)
        : await whileHeld(
            await connection.takeLease(ref, ref.partition, { who: reasonOf(context, args).who, what: command.name }),
            run,
          )
      const receipt = context.isDryRun
        ? null
        : await writeForgetReceipt(connection.catalog, place, { report, ...reasonOf(context, args) })
      const table = `${tableKey(ref)}/${ref.partition}`
      const about = { isDryRun: context.isDryRun, receipt: receipt?.batchId ?? null, table }
      context.result({ ...report, ...about }, () => describe(report, about))
      failWhereLeft(report, { isDryRun: context.isDryRun, isFinal: args.flag('final') })
    })
  },
}

interface Forgetting {
  readonly userId: string
  readonly connection: Connection
  readonly pipeline: Pipeline
  readonly place: { readonly pipeline: string; readonly stage: string }
  readonly stillAlone: () => Promise<void>
}

async function forget(
  context: CommandContext,
  args: CommandArguments,
  { userId, connection, pipeline, place, stillAlone }: Forgetting,
): Promise<ForgetReport> {
  const { catalog, names, forgetting } = connection
  const reason = reasonOf(context, args)
  const progress = context.progress('places', 0)
  try {
    return await forgetUser(
      {
        userId,
        contracts: compilePipeline(pipeline).contracts,
        pipeline: pipeline.name,
        retentionMs: await forgetting.retentionMs(),
        isAnew: args.flag('anew'),
        keysWithoutUsers: namesOf(args.text('no-user-in')),
        isDryRun: context.isDryRun,
        onProgress: what => progress.advance(1, what),
        ...reason,
      },
      {
        ...connection,
        ...forgetting,
        clock: context.clock,
        stillAlone,
        writeReceipt: async objects => {
          await writeReceipt(catalog, { ...place, of: 'batches', bucket: names.catalogBucket, objects, ...reason })
        },
      },
    )
  } finally {
    progress.done()
  }
}

function namesOf(text = ''): readonly string[] {
  const names = text.split(',').map(name => name.trim())
  return names.filter(name => name !== '')
}

interface About {
  readonly isDryRun: boolean
  readonly receipt: string | null
  readonly table: string
}

const SHOWN_MAX = 20

function describe(report: ForgetReport, { isDryRun, receipt, table }: About): string[] {
  const { places, replaced, left, mentions, newLife } = report
  const found = PLACES.filter(place => places[place].found > 0)
  const verb = isDryRun ? 'would go' : 'went'
  return [
    `What arrived until ${toRfc3339(report.untilMs)} is forgotten${report.isResumed ? ', as an earlier run began' : ''}.`,
    ...found.map(place => {
      const { found: count, rows, looked } = places[place]
      return `  ${place}: ${rows} ${verb}, of ${count} of ${looked}`
    }),
    ...(found.length === 0 ? ['  nothing was found'] : []),
    `${report.bytesRewritten} bytes written anew, ${report.bytesCopied} copied, ${report.bytesRemoved} removed`,
    ...replaced.slice(0, SHOWN_MAX).map(each => {
      const anchors = each.anchors.length === 0 ? '' : `; moved: ${each.anchors.join(', ')}`
      return `  ${each.table}/${each.partition}: ${each.batchId} → ${each.successor ?? 'nothing needs it'}${anchors}`
    }),
    ...(replaced.length > SHOWN_MAX ? [`  and ${replaced.length - SHOWN_MAX} more batches: --json lists them`] : []),
    ...(mentions === 0 ? [] : [`${mentions} events of others mention the user and stay`]),
    ...(newLife === 0 ? [] : [`${newLife} records arrived later and stay: another life`]),
    ...left.map(({ where, why }) => `left: ${where}: ${why}`),
    ...(isDryRun ? [] : [stateOf(report)]),
    ...(receipt === null ? [] : [`Receipt: batch ${receipt} of ${table}`]),
  ]
}

function stateOf({ isComplete, isFinal, finalAfterMs }: ForgetReport): string {
  if (isFinal) return 'Final: nothing came back, and the stream has none of it any more.'
  if (!isComplete) return 'Not complete: run it again once what is left is looked after.'
  return `Complete. Run it again after ${toRfc3339(finalAfterMs)}: until then the stream may deliver again what it has.`
}

function failWhereLeft(report: ForgetReport, asked: { readonly isDryRun: boolean; readonly isFinal: boolean }): void {
  if (asked.isDryRun) return
  if (!report.isComplete) {
    throw new CommandError(`The user is not forgotten: ${report.left.length} things are left`, {
      code: 'forget-incomplete',
      next: 'The receipt says what and why; run it again then.',
    })
  }
  if (!asked.isFinal || report.isFinal) return
  throw new CommandError('The forgetting is complete and not final', {
    code: 'forget-not-final',
    next: `Run it again after ${toRfc3339(report.finalAfterMs)}, and once more where that run finds something.`,
  })
}
