// `millrace backfill`: users made right from the archive while the stream runs, whether a feature is new, an import came or went, a
// contract was mended, or an item is in doubt. It ends with 1 where users or letters are left, so that a schedule or CI hears of it.
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createPredictor } from '../compose/predictor.ts'
import { userIdProblem } from '../event/identity.ts'
import { parseDurationMs } from '../platform/duration.ts'
import { MillraceError } from '../platform/errors.ts'
import { USER_BUCKETS } from '../platform/hash.ts'
import { compilePipeline } from '../predictions/compile-pipeline.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import { backfill } from '../replay/backfill.ts'
import type { BackfillTarget } from '../replay/backfill-select.ts'
import type { BackfillCounts } from '../replay/backfill-settle.ts'
import { goneShards } from '../replay/gone-shards.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { CommandError, UsageError } from './errors.ts'
import { withHistoryViews } from './history-views.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

const WAIT_DEFAULT = '10m'
const RATE_MAX = 100_000
/** Refused for what the record itself is, whatever the definitions say. */
const REASONS_FOR_EVER = ['mis-keyed', 'future']

export const command: Command = {
  name: 'backfill',
  summary: 'Rebuild users from the archive: for a new feature, an import, dead letters or doubt.',
  positionals: [],
  options: {
    feature: { type: 'string', value: 'NAME', description: 'Only users that lack this feature.' },
    user: { type: 'string', value: 'ID', multiple: true, description: 'Only this user; may be repeated.' },
    users: { type: 'string', value: 'FILE', description: 'Only users of this file, one id a line.' },
    'dead-letters': {
      type: 'string',
      value: 'REASON',
      description: 'Count the dead letters of this reason that are accepted today, and close them.',
    },
    doubt: { type: 'boolean', description: 'Rebuild and clear the users that are listed in doubt.' },
    rate: {
      type: 'string',
      value: 'N',
      description: 'Write so many users a second at most. Default: as fast as it goes.',
    },
    wait: {
      type: 'string',
      value: 'DURATION',
      description: `How long to wait until the archive is as far as the items. Default: ${WAIT_DEFAULT}.`,
    },
    'accept-loss': {
      type: 'boolean',
      description:
        'Rebuild also who has events that the archive will never have, as their shard is gone, without them.',
    },
    ...STAGE_OPTION,
  },
  changesThings: true,
  async run(context, args) {
    const only = await namedUsers(context, args)
    const target = targetOf(args, only)
    const writesPerSecond = args.wholeNumber('rate', { min: 1, max: RATE_MAX })
    const waitMs = waitOf(args)
    await withConnection(context, args, async (connection, pipeline) => {
      refuseUnknownFeature(target, pipeline)
      const compiled = compilePipeline(pipeline)
      const predictor = createPredictor(compiled, { ...connection, refreshMs: Number.POSITIVE_INFINITY, onError: fail })
      const { isDryRun } = context
      const counts = await withHistoryViews(connection, pipeline.name, async ({ openHistory, spoolDir }) => {
        const history = await openHistory()
        const isGivenUp = args.flag('accept-loss') ? await goneShards(connection.tip, history) : undefined
        const request = { target, only, writesPerSecond, waitMs, isDryRun, isGivenUp, by: describeTarget(target) }
        const onProgress = progressOf(context)
        try {
          const { clock } = context
          const world = { ...connection, clock, compiled, predictor, history, spoolDir }
          return await backfill({ ...request, onProgress }, world)
        } finally {
          await history.close()
        }
      })
      context.result({ ...counts, isDryRun }, () => describe(counts, isDryRun))
      if (!isDryRun) failWhereLeft(counts, target)
    })
  },
}

async function namedUsers(context: CommandContext, args: CommandArguments): Promise<ReadonlySet<string> | undefined> {
  const ids = args.texts('user')
  const file = args.text('users')
  if (file === undefined && ids.length === 0) return undefined
  const lines = file === undefined ? [] : await readLines(resolve(context.cwd, file))
  const all = new Set([...ids, ...lines])
  for (const id of all) {
    const wrong = userIdProblem(id)
    if (wrong !== undefined)
      throw new UsageError(`"${id}" is no user's id: it ${wrong.problem}`, 'Give it as events do.')
  }
  return all
}

async function readLines(path: string): Promise<string[]> {
  try {
    return (await readFile(path, 'utf8')).split(/\r?\n/).filter(line => line !== '')
  } catch (error) {
    throw new CommandError(`${path} cannot be read`, {
      code: 'file-not-found',
      next: 'Name a file with a user id a line, or give single users as --user ID.',
      cause: error,
    })
  }
}

function targetOf(args: CommandArguments, only: ReadonlySet<string> | undefined): BackfillTarget {
  const [feature, reason, isDoubt] = [args.text('feature'), args.text('dead-letters'), args.flag('doubt')]
  const ways = [feature !== undefined, reason !== undefined, isDoubt].filter(Boolean)
  if (ways.length > 1)
    throw new UsageError('--feature, --dead-letters and --doubt exclude each other', 'Give one of them.')
  if (reason !== undefined && REASONS_FOR_EVER.includes(reason)) {
    throw new UsageError(
      `A record that was refused as ${reason} always will be`,
      'Send its event again, keyed by its user and with the time at which it happened.',
    )
  }
  if (reason !== undefined) return { kind: 'letters', reason }
  if (isDoubt) return { kind: 'doubt' }
  return feature === undefined && only !== undefined ? { kind: 'named' } : { kind: 'incomplete', feature }
}

function waitOf(args: CommandArguments): number {
  const text = args.text('wait') ?? WAIT_DEFAULT
  try {
    return parseDurationMs(text)
  } catch (error) {
    if (error instanceof MillraceError) throw new UsageError(`--wait: ${error.message}`, error.next ?? '')
    throw error
  }
}

function refuseUnknownFeature(target: BackfillTarget, { features: { features } }: Pipeline): void {
  if (target.kind !== 'incomplete' || target.feature === undefined || Object.hasOwn(features, target.feature)) return
  throw new UsageError(
    `The pipeline has no feature ${target.feature}`,
    `There are ${Object.keys(features).join(', ')}.`,
  )
}

/** What closed letters say. */
function describeTarget(target: BackfillTarget): string {
  if (target.kind === 'letters') return `millrace backfill --dead-letters ${target.reason}`
  return target.kind === 'doubt' ? 'millrace backfill --doubt' : 'millrace backfill'
}

function progressOf(context: CommandContext): (counts: BackfillCounts) => void {
  const progress = context.progress('buckets of users', USER_BUCKETS)
  let buckets = 0
  return ({ written, unchanged, waiting }) => {
    const note = `${written} written, ${unchanged} unchanged, ${waiting} waiting`
    buckets++
    if (buckets <= USER_BUCKETS) progress.advance(1, note)
    // From here on the archive is waited for.
    if (buckets >= USER_BUCKETS) progress.done(note)
  }
}

function describe(counts: BackfillCounts, isDryRun: boolean): string[] {
  if (isDryRun) return [`${counts.users} users would be rebuilt`, ...corruptLine(counts)]
  const { users, written, firstItems, unchanged, lettersClosed, lettersLeft, lettersRefused, doubtCleared } = counts
  const first = firstItems === 0 ? '' : `, ${firstItems} of them for the first time`
  return [
    `${users} users: ${written} written${first}, ${unchanged} unchanged`,
    ...(lettersClosed + lettersLeft === 0 ? [] : [`dead letters: ${lettersClosed} closed, ${lettersLeft} still open`]),
    ...(lettersRefused === 0
      ? []
      : [
          `${lettersRefused} given-up records are refused: dead letters of their own from now on, each with its reason`,
        ]),
    ...(doubtCleared === 0 ? [] : [`doubt: ${doubtCleared} cleared`]),
    ...(counts.gaveUp === 0 ? [] : [`${counts.gaveUp} written without events that the archive will never have`]),
    ...(counts.waiting === 0 ? [] : [`${counts.waiting} left: the archive does not have their newest events yet`]),
    ...corruptLine(counts),
    ...(counts.itemTooBig === 0 ? [] : [`${counts.itemTooBig} left: their items would be over the size limit`]),
    ...(counts.tooManyEvents === 0 ? [] : [`${counts.tooManyEvents} left: they have more events than a run can hold`]),
  ]
}

function corruptLine({ corrupt }: BackfillCounts): string[] {
  return corrupt === 0 ? [] : [`${corrupt} left: their items cannot be read`]
}

/** Users that are left say why their letters are, too. */
function failWhereLeft(
  { waiting, corrupt, itemTooBig, tooManyEvents, lettersLeft }: BackfillCounts,
  target: BackfillTarget,
): void {
  const left = waiting + corrupt + itemTooBig + tooManyEvents
  if (left === 0 && (target.kind !== 'letters' || lettersLeft === 0)) return
  if (left === 0 && target.kind === 'letters') {
    throw new CommandError(`${lettersLeft} letters are still open`, {
      code: 'letters-left',
      next: `They are refused today too, or the archive does not have them: millrace deadletters replay --reason ${target.reason} --preview says which.`,
    })
  }
  throw new CommandError(`${left} users are left as they were`, {
    code: 'backfill-incomplete',
    next:
      waiting === left
        ? 'Run it again: who is done is not written again. If the archive stays behind, look at its function; whom it will never reach, as their shard is gone, `millrace verify` calls unarchived, and --accept-loss rebuilds.'
        : 'The lines above say why. Those that wait are done by another run; a corrupt item by `millrace users repair`.',
  })
}

function fail(error: unknown): void {
  throw error
}
