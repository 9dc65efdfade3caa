// `millrace users repair`: users whose items cannot be read, made right from the archive while everything else goes on. It ends with 1
// where users are left, so that whoever runs it by a schedule hears of it.
import type { Connection } from '../compose/connect.ts'
import { createPredictor } from '../compose/predictor.ts'
import { userIdProblem } from '../event/identity.ts'
import { MINUTE_MS } from '../platform/duration.ts'
import { type CompiledPipeline, compilePipeline } from '../predictions/compile-pipeline.ts'
import { corruptUsers, repairUsers } from '../replay/repair-users.ts'
import type { RepairOutcome, RepairResult } from '../replay/repair-write.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { durationOption } from './durations.ts'
import { CommandError, UsageError } from './errors.ts'
import { withHistoryViews } from './history-views.ts'
import { REASON_OPTIONS, reasonOf } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

/** The archive has news once a minute; a function that is behind catches up in some. */
const WAIT_DEFAULT_MS = 10 * MINUTE_MS
const EPOCH_FIRST = 1
const EPOCH_MAX = 999_999
/** What closed letters say. */
const BY = 'millrace users repair'

export const command: Command = {
  name: 'users repair',
  summary: 'Replace items that cannot be read by what the archive gives, and close their dead letters.',
  positionals: ['id...'],
  options: {
    corrupt: { type: 'boolean', description: 'Look at every item, and repair all that cannot be read.' },
    wait: {
      type: 'string',
      value: 'DURATION',
      description: 'How long to wait until the archive has what the items may contain. Default: 10m.',
    },
    'stream-epoch': {
      type: 'string',
      value: 'N',
      description: 'The epoch of the stream as it is now. Default: the newest that the archive has.',
    },
    'accept-loss': {
      type: 'boolean',
      description:
        'Give up events that the archive will never have, as their shard is gone, also of items whose state is sound.',
    },
    who: REASON_OPTIONS.who,
    ...STAGE_OPTION,
  },
  changesThings: true,
  async run(context, args) {
    const named = namedIds(args)
    const asked = {
      waitMs: durationOption(args, 'wait') ?? WAIT_DEFAULT_MS,
      epoch: args.wholeNumber('stream-epoch', { min: EPOCH_FIRST, max: EPOCH_MAX }),
      who: reasonOf(context, args).who,
      isLossAccepted: args.flag('accept-loss'),
    }
    await withConnection(context, args, async (connection, pipeline) => {
      const compiled = compilePipeline(pipeline)
      const userIds = named ?? (await corruptUsers(connection.users, compiled))
      const results =
        userIds.length === 0
          ? []
          : await repair(context, { ...asked, connection, compiled, userIds, db: pipeline.name })
      const { isDryRun } = context
      context.result({ users: results.map(jsonOf), isDryRun }, () => describe(results, isDryRun))
      failWhereLeft(results)
    })
  },
}

/** Undefined: all that are corrupt. */
function namedIds(args: CommandArguments): readonly string[] | undefined {
  const ids = args.rest()
  if (args.flag('corrupt') === ids.length > 0) {
    throw new UsageError(
      ids.length > 0 ? '--corrupt and user ids exclude each other' : 'Which users is not said',
      'Name users by their ids, or give --corrupt for all whose items cannot be read.',
    )
  }
  for (const id of ids) {
    const wrong = userIdProblem(id)
    if (wrong !== undefined)
      throw new UsageError(`"${id}" is no user's id: it ${wrong.problem}`, 'Give it as events do.')
  }
  return args.flag('corrupt') ? undefined : [...new Set(ids)]
}

interface Asked {
  readonly connection: Connection
  readonly compiled: CompiledPipeline
  readonly db: string
  readonly userIds: readonly string[]
  readonly waitMs: number
  readonly epoch: number | undefined
  readonly who: string
  readonly isLossAccepted: boolean
}

async function repair(
  context: CommandContext,
  { connection, compiled, db, userIds, waitMs, epoch, who, isLossAccepted }: Asked,
): Promise<readonly RepairResult[]> {
  const { clock, isDryRun } = context
  const predictor = createPredictor(compiled, { ...connection, refreshMs: Number.POSITIVE_INFINITY, onError: fail })
  const progress = context.progress('users', userIds.length)
  return withHistoryViews(connection, db, async ({ openHistory, spoolDir }) => {
    const history = await openHistory()
    const name = connection.names.eventsStream
    const stream = `${name}@${epoch ?? newestEpoch(name, history.positions)}`
    let done = 0
    const onProgress = (results: readonly RepairResult[]): void => {
      progress.advance(results.length - done, `${results.filter(isLeft).length} left or waiting`)
      done = results.length
    }
    try {
      return await repairUsers(
        { userIds, stream, waitMs, by: BY, who, isDryRun, isLossAccepted, onProgress },
        { ...connection, clock, compiled, predictor, history, spoolDir },
      )
    } finally {
      progress.done()
      await history.close()
    }
  })
}

function newestEpoch(stream: string, positions: ReadonlyMap<string, string>): number {
  const epochs = [...positions.keys()].flatMap(key =>
    key.startsWith(`${stream}@`) ? [Number.parseInt(key.slice(stream.length + 1), 10)] : [],
  )
  return Math.max(EPOCH_FIRST, ...epochs)
}

const DONE: ReadonlySet<RepairOutcome> = new Set(['repaired', 'rebuilt', 'unchanged'])

function isLeft({ outcome }: RepairResult): boolean {
  return !DONE.has(outcome)
}

function jsonOf({ closed, ...result }: RepairResult): object {
  return { ...result, lettersClosed: closed.length }
}

const WORDS: Readonly<Record<RepairOutcome, string>> = {
  repaired: 'repaired',
  rebuilt: 'was sound and not what the archive gives; rebuilt',
  unchanged: 'sound, and what the archive gives',
  waiting: 'left: the archive does not have yet what the item may contain',
  changed: 'left: another corrupt item came in its place; run it again',
  'item-too-big': 'left: the item would be over the size limit; define fewer features, then run it again',
  'too-many-events': 'left: more events than a run can hold',
  'no-item': 'left: there is no item; a user has one from the first event on',
  'no-history': "left: the archive has no event of this user that today's definitions accept; restore it from a backup",
  newer: 'left: newer code wrote it; run the command of that release',
}

function describe(results: readonly RepairResult[], isDryRun: boolean): string[] {
  if (results.length === 0) return ['Every item can be read.']
  return results.flatMap(({ userId, outcome, problem, detail, version, kept, closed }) => {
    const words = isDryRun && (outcome === 'repaired' || outcome === 'rebuilt') ? `would be ${outcome}` : WORDS[outcome]
    const letters = closed.length === 0 ? '' : `, ${closed.length} dead letters ${isDryRun ? 'counted' : 'closed'}`
    return [
      `${userId}: ${words}${version === undefined ? '' : `, version ${version}`}${letters}`,
      ...(problem === undefined ? [] : [`  was: ${problem}`]),
      ...(detail === undefined ? [] : [`  ${detail}`]),
      ...(kept === undefined ? [] : [`  kept: ${kept}`]),
    ]
  })
}

function failWhereLeft(results: readonly RepairResult[]): void {
  const left = results.filter(isLeft)
  if (left.length === 0) return
  const isWaiting = left.every(({ outcome }) => outcome === 'waiting' || outcome === 'changed')
  throw new CommandError(`${left.length} users are left as they were`, {
    code: 'repair-incomplete',
    next: isWaiting
      ? 'Run it again: who is done is not written again. If the archive stays behind, look at its function; of a sound item `millrace verify --user ID` says whether it will ever have its last events. An item whose state alone has them is repaired without them by --accept-loss.'
      : 'The lines above say why, and what helps.',
  })
}

function fail(error: unknown): void {
  throw error
}
