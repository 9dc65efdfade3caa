// `millrace users explain`: what a user's features and predictions were at an instant and why, recomputed from history; with
// --since, what moved them since an earlier one.
import { createPinnedPredictor } from '../compose/predictor.ts'
import { parseRfc3339Ms } from '../event/event-time.ts'
import { userIdProblem } from '../event/identity.ts'
import { modelRegistry } from '../model/registry.ts'
import { papersAt } from '../model/stand-ins.ts'
import { compilePipeline } from '../predictions/compile-pipeline.ts'
import { explainUser } from '../replay/explain-user.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { Command } from './command.ts'
import { UsageError } from './errors.ts'
import { withHistoryViews } from './history-views.ts'
import { explanationJson } from './users-explain-json.ts'
import { describeExplanation } from './users-explain-text.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

export const command: Command = {
  name: 'users explain',
  summary: "Show what one user's features and predictions are made of, at any instant, and what moved them.",
  positionals: ['id'],
  options: {
    at: { type: 'string', value: 'TIME', description: 'The instant (RFC 3339). Default: now, beside what is stored.' },
    since: {
      type: 'string',
      value: 'TIME',
      description: 'Also show what moved since this earlier instant (RFC 3339).',
    },
    ...STAGE_OPTION,
  },
  async run(context, args) {
    const userId = args.positional('id')
    const wrong = userIdProblem(userId)
    if (wrong !== undefined)
      throw new UsageError(`"${userId}" is no user's id: it ${wrong.problem}`, 'Give it as events do.')
    const [atMs, sinceMs] = [instantOf(args, 'at'), instantOf(args, 'since')]
    const nowMs = context.clock()
    if (sinceMs !== undefined && sinceMs >= (atMs ?? nowMs))
      throw new UsageError('--since is not before the instant that is explained', 'Give an earlier one.')
    const explanation = await withConnection(context, args, (connection, pipeline) =>
      withHistoryViews(connection, pipeline.name, views => {
        const compiled = compilePipeline(pipeline)
        const { catalog } = connection
        return explainUser({
          ...connection,
          ...views,
          compiled,
          papersAt: papersAt(catalog, modelRegistry(catalog)),
          predictWith: versions => createPinnedPredictor(compiled, { catalog, versions }),
          userId,
          nowMs,
          atMs,
          sinceMs,
        })
      }),
    )
    context.result(explanationJson(explanation), () => describeExplanation(explanation))
  },
}

function instantOf(args: CommandArguments, option: 'at' | 'since'): number | undefined {
  const text = args.text(option)
  if (text === undefined) return undefined
  const ms = parseRfc3339Ms(text)
  if (ms === undefined) throw new UsageError(`--${option} is "${text}"`, 'Write it as 2026-01-02T03:04:05Z.')
  return ms
}
