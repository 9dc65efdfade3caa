// Which deployment of a pipeline is meant: its stage, which is part of every resource's name.
import { LOCAL_ACCOUNT_ID, resourceNames } from '../compose/resource-names.ts'
import { MillraceError } from '../platform/errors.ts'
import type { CommandArguments } from './command-arguments.ts'
import { UsageError } from './errors.ts'

/** What serverless.yml has too. */
export const STAGE_DEFAULT = 'dev'

/** `--stage`, or the default. Throws UsageError where no resource of the pipeline could be named by it. */
export function stageOf(args: CommandArguments, pipeline: string): string {
  const stage = args.text('stage') ?? STAGE_DEFAULT
  try {
    resourceNames({ pipeline, stage, accountId: LOCAL_ACCOUNT_ID })
  } catch (error) {
    if (error instanceof MillraceError) throw new UsageError(error.message, error.next ?? 'See --help of this command.')
    throw error
  }
  return stage
}
