// What commands on a deployed pipeline have in common: the stage, the connection, and its end.
import { type Connection, connect } from '../compose/connect.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import { diagnoseEndpoint } from '../platform/service-failure.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { CommandContext, CommandOption } from './command.ts'
import { CommandError } from './errors.ts'
import { loadPipeline } from './load-pipeline.ts'
import { STAGE_DEFAULT, stageOf } from './stage.ts'

export const STAGE_OPTION = {
  stage: { type: 'string', value: 'NAME', description: `The deployment's stage. Default: ${STAGE_DEFAULT}.` },
} as const satisfies Record<string, CommandOption>

/** The pipeline of this folder, and its deployment at AWS_ENDPOINT_URL or in AWS. */
export async function withConnection<T>(
  context: CommandContext,
  args: CommandArguments,
  use: (connection: Connection, pipeline: Pipeline) => Promise<T>,
): Promise<T> {
  const pipeline = await loadPipeline(context.cwd)
  const stage = stageOf(args, pipeline.name)
  refuseInvalidEndpoint(context.env['AWS_ENDPOINT_URL'])
  const connection = connect({
    pipeline: pipeline.name,
    stage,
    env: context.env,
    onMirrorError: error => context.stderr.write(notMoved(error)),
  })
  try {
    return await use(connection, pipeline)
  } finally {
    connection.close()
  }
}

/** The commit is done whatever becomes of its mirror, so the command goes on. */
function notMoved(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return `The mirror in AWS Glue was not moved: ${text}\nIt is done by \`millrace table sync\`.\n`
}

function refuseInvalidEndpoint(url: string | undefined): void {
  const diagnosis = url === undefined || url === '' ? undefined : diagnoseEndpoint(url)
  if (diagnosis !== undefined) throw new CommandError(`${diagnosis.message}: "${url}"`, diagnosis)
}
