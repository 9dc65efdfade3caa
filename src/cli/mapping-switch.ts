// What `millrace pause` and `millrace resume` have in common: the function's event source mapping is switched, and who did it and why is
// written down first.
import { connectOperations } from '../compose/operations.ts'
import { toRfc3339 } from '../platform/clock.ts'
import { MINUTE_MS } from '../platform/duration.ts'
import { functionName } from '../status/function-name.ts'
import { recordOperation } from '../status/operations-log.ts'
import type { DeployedMapping } from '../status/ports.ts'
import { FUNCTIONS } from '../status/read-status.ts'
import { type SwitchOutcome, switchMappings } from '../status/switch-mapping.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { CommandContext, CommandOption } from './command.ts'
import { durationOption } from './durations.ts'
import { UsageError } from './errors.ts'
import { stageOf } from './stage.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

const FUNCTION_DEFAULT = 'recompute'
const WAIT_MS_DEFAULT = 5 * MINUTE_MS
const CONSUMERS = [...FUNCTIONS].filter(([, isConsumer]) => isConsumer).map(([key]) => key)

export const SWITCH_OPTIONS = {
  function: {
    type: 'string',
    value: 'NAME',
    description: `${CONSUMERS.join(' or ')}. Default: ${FUNCTION_DEFAULT}.`,
  },
  who: { type: 'string', value: 'NAME', description: 'Who does it, for the history. Default: $USER.' },
  wait: {
    type: 'string',
    value: 'DURATION',
    description: 'How long to wait until Lambda has done it. Default: 5m.',
  },
  ...STAGE_OPTION,
} as const satisfies Record<string, CommandOption>

export interface Switched extends SwitchOutcome {
  /** The function's short name. */
  readonly key: string
  readonly stage: string
}

export async function switchFunction(
  context: CommandContext,
  args: CommandArguments,
  { isEnabled, why }: { readonly isEnabled: boolean; readonly why: string },
): Promise<Switched> {
  const key = args.text('function') ?? FUNCTION_DEFAULT
  if (!CONSUMERS.includes(key)) throw new UsageError(`"${key}" reads no stream`, `Name ${CONSUMERS.join(' or ')}.`)
  const waitMs = durationOption(args, 'wait') ?? WAIT_MS_DEFAULT
  const who = args.text('who') ?? context.env['USER'] ?? 'unknown'
  return withConnection(context, args, async ({ catalog, names, sleep }, { name: pipeline }) => {
    const stage = stageOf(args, pipeline)
    const operations = connectOperations(context.env)
    const action = isEnabled ? 'resumed' : 'paused'
    const onSwitch = async (mappings: readonly DeployedMapping[]): Promise<void> => {
      const ids = mappings.map(({ id }) => id)
      await recordOperation(catalog, { pipeline, stage, key, action, mappings: ids, who, why })
    }
    try {
      const outcome = await switchMappings(
        { functions: operations.functions, clock: context.clock, sleep, onSwitch },
        {
          functionName: functionName(pipeline, stage, key),
          streamName: names.eventsStream,
          isEnabled,
          waitMs,
          isDryRun: context.isDryRun,
        },
      )
      return { ...outcome, key, stage }
    } finally {
      operations.close()
    }
  })
}

export function switchedJson({ key, stage, outcome, mappings }: Switched): object {
  return { function: key, stage, outcome, mappings: mappings.map(({ id, state }) => ({ id, state })) }
}

/** ` since 2026-01-02T03:04:05.000Z`, where Lambda says it. */
export function sinceText({ mappings }: Switched): string {
  const changes = mappings.flatMap(({ changedMs }) => (changedMs === undefined ? [] : [changedMs]))
  return changes.length === 0 ? '' : ` since ${toRfc3339(Math.max(...changes))}`
}
