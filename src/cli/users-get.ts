// `millrace users get`: one user's features and predictions, evaluated now as a GET would, and what is stored beside them.
import type { FeatureValue } from '../features/features-body.ts'
import { createPredictor } from '../compose/predictor.ts'
import { userIdProblem } from '../event/identity.ts'
import { toRfc3339 } from '../platform/clock.ts'
import { compilePipeline } from '../predictions/compile-pipeline.ts'
import type { EvaluatedUser } from '../predictions/evaluated-user.ts'
import { evaluateUser } from '../serve/evaluate-user.ts'
import { itemBytes } from '../store/item-size.ts'
import { isCorrupt, type StoredItem } from '../store/user-item.ts'
import type { Command } from './command.ts'
import { CommandError, UsageError } from './errors.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

export const command: Command = {
  name: 'users get',
  summary: "Show one user's features and predictions as of now, and the item they come from.",
  positionals: ['id'],
  options: STAGE_OPTION,
  async run(context, args) {
    const userId = args.positional('id')
    const wrong = userIdProblem(userId)
    if (wrong !== undefined)
      throw new UsageError(`"${userId}" is no user's id: it ${wrong.problem}`, 'Give it as events do.')
    await withConnection(context, args, async (connection, pipeline) => {
      const item = await connection.users.load(userId)
      if (item === undefined) throw notFound(userId)
      if (isCorrupt(item)) throw corrupt(item.corrupt)
      const compiled = compilePipeline(pipeline)
      const predictor = createPredictor(compiled, {
        ...connection,
        refreshMs: Number.POSITIVE_INFINITY,
        onError: error => void context.stderr.write(`${String(error)}\n`),
      })
      const user = await evaluateUser(item, context.clock(), { compiled, predictor })
      const { v, at, asOf, fresh, models, imports } = item
      const stored = { version: v, at, asOf, freshUntil: fresh ?? null, models, imports, bytes: itemBytes(item) }
      context.result({ userId, ...user, stored }, () => describe(userId, user, item))
    })
  },
}

function describe(userId: string, { features, predictions }: EvaluatedUser, item: StoredItem): string[] {
  const names = Object.keys(features.values)
  const width = Math.max(...names.map(name => name.length))
  const until = features.freshUntil === undefined ? 'the next event' : toRfc3339(features.freshUntil)
  return [
    `${userId}, as of ${toRfc3339(features.asOf)}, until ${until}`,
    '',
    ...names.map(name => {
      const reason = features.pending?.[name]
      return `  ${name.padEnd(width)}  ${shownValue(features.values[name])}${reason === undefined ? '' : `  (${reason})`}`
    }),
    '',
    ...Object.entries(predictions.models).map(
      ([name, { status, batchId, value, detail }]) =>
        `  ${name}: ${status}${batchId === undefined ? '' : ` (${batchId})`} ${value === undefined ? (detail ?? '') : JSON.stringify(value)}`,
    ),
    '',
    `  stored: version ${item.v}, ${itemBytes(item)} bytes, newest event ${toRfc3339(item.at)}`,
  ]
}

function notFound(userId: string): CommandError {
  return new CommandError(`There is no user ${userId}`, {
    code: 'user-not-found',
    next: 'Check the id and the stage; a user exists from its first event on.',
  })
}

function corrupt(reason: string): CommandError {
  return new CommandError(`The item cannot be read: ${reason}`, {
    code: 'item-corrupt',
    next: 'It is left as it is, and its records are dead letters until it is made right: millrace users repair ID.',
  })
}

function shownValue(value: FeatureValue | undefined): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
