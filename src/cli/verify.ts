// `millrace verify`: whether what is stored is what history says, user by user. It ends with 1 where anything is wrong, so that a
// schedule or CI hears of it.
import { parseRfc3339Ms } from '../event/event-time.ts'
import { userIdProblem } from '../event/identity.ts'
import { SECOND_MS } from '../platform/duration.ts'
import { toRfc3339 } from '../platform/clock.ts'
import { compilePipeline } from '../predictions/compile-pipeline.ts'
import type { Which } from '../replay/verify-sample.ts'
import { verifyUsers } from '../replay/verify.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { UsageError } from './errors.ts'
import { withHistoryViews } from './history-views.ts'
import { SILENT_PROGRESS, type Progress } from './progress.ts'
import { describeReport, verifyFailure } from './verify-text.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

const USERS_DEFAULT = 100
/** Ids are held in memory; beyond that --all is what is meant. */
const USERS_MAX = 1_000_000
/** The archive gathers its objects for a minute, and an object takes a while to be written. */
const WAIT_SECONDS_DEFAULT = 120
const WAIT_SECONDS_MAX = 86_400

export const command: Command = {
  name: 'verify',
  summary: 'Recompute users from the archive and hold what is stored against it.',
  positionals: [],
  options: {
    users: { type: 'string', value: 'N', description: `A sample of so many users. Default: ${USERS_DEFAULT}.` },
    all: { type: 'boolean', description: 'All users.' },
    user: { type: 'string', value: 'ID', multiple: true, description: 'This user; may be repeated.' },
    seed: {
      type: 'string',
      value: 'TEXT',
      description: 'Chooses the sample: the same text, the same users. Default: the day, UTC.',
    },
    at: {
      type: 'string',
      value: 'TIME',
      description: 'The instant of the GET that is compared (RFC 3339). Default: now.',
    },
    wait: {
      type: 'string',
      value: 'SECONDS',
      description: `How long to wait until the archive is as far as the items. Default: ${WAIT_SECONDS_DEFAULT}.`,
    },
    ...STAGE_OPTION,
  },
  async run(context, args) {
    const at = args.text('at')
    const atMs = at === undefined ? context.clock() : parseRfc3339Ms(at)
    if (atMs === undefined) throw new UsageError(`--at is "${at}"`, 'Write it as 2026-01-02T03:04:05Z.')
    const which = whichUsers(context, args)
    const waitSeconds = args.wholeNumber('wait', { min: 0, max: WAIT_SECONDS_MAX }) ?? WAIT_SECONDS_DEFAULT
    const report = await withConnection(context, args, (connection, pipeline) =>
      withHistoryViews(connection, pipeline.name, views =>
        verifyUsers({
          ...connection,
          ...views,
          compiled: compilePipeline(pipeline),
          which,
          atMs,
          waitMs: waitSeconds * SECOND_MS,
          onBucket: bucketProgress(context),
        }),
      ),
    )
    context.result({ ...report, which }, () => describeReport(report, which))
    const failure = verifyFailure(report)
    if (failure !== undefined) throw failure
  },
}

function whichUsers(context: CommandContext, args: CommandArguments): Which {
  const userIds = args.texts('user')
  const users = args.wholeNumber('users', { min: 1, max: USERS_MAX })
  const ways = [userIds.length > 0, users !== undefined, args.flag('all')].filter(Boolean)
  if (ways.length > 1) throw new UsageError('--users, --all and --user exclude each other', 'Give one of them.')
  for (const userId of userIds) {
    const wrong = userIdProblem(userId)
    if (wrong !== undefined)
      throw new UsageError(`"${userId}" is no user's id: it ${wrong.problem}`, 'Give it as events do.')
  }
  if (userIds.length > 0) return { kind: 'named', userIds }
  if (args.flag('all')) return { kind: 'all' }
  const seed = args.text('seed') ?? toRfc3339(context.clock()).slice(0, 10)
  return { kind: 'sample', users: users ?? USERS_DEFAULT, seed }
}

function bucketProgress(context: CommandContext): (buckets: number) => void {
  let progress: Progress | undefined
  let done = 0
  return buckets => {
    progress ??= context.isJson ? SILENT_PROGRESS : context.progress('buckets of users', buckets)
    progress.advance(1)
    if (++done === buckets) progress.done()
  }
}
