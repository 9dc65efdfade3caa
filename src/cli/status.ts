// `millrace status`: how a deployment is doing on one screen. It ends with 1 where something needs a person, so that a schedule or CI
// hears of it.
import { connectOperations } from '../compose/operations.ts'
import { toRfc3339 } from '../platform/clock.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../platform/duration.ts'
import { compilePipeline } from '../predictions/compile-pipeline.ts'
import { isHealthy, judge } from '../status/judge.ts'
import { DEAD_LETTERS_LIMIT_MAX, STATUS_LIMITS, type StatusLimits } from '../status/limits.ts'
import { readStatus } from '../status/read-status.ts'
import type { Readings } from '../status/readings.ts'
import { screen } from '../status/screen.ts'
import type { StatusLine } from '../status/status-line.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { durationOption } from './durations.ts'
import { CommandError } from './errors.ts'
import { stageOf } from './stage.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

const SPAN_MS_DEFAULT = HOUR_MS
/** Enough for some thousand letters; a person waits for the screen. */
const PATIENCE_MS_DEFAULT = 5 * SECOND_MS
const COUNT_MAX = 1_000_000_000

export const command: Command = {
  name: 'status',
  summary: 'Show how a deployment is doing, line by line, and what needs somebody.',
  positionals: [],
  options: {
    since: { type: 'string', value: 'DURATION', description: 'Count invocations of so long. Default: 1h.' },
    'max-lag': {
      type: 'string',
      value: 'DURATION',
      description: `Lag of a consumer of the stream that is still well. Default: ${STATUS_LIMITS.lagMs / MINUTE_MS}m.`,
    },
    'max-errors': {
      type: 'string',
      value: 'N',
      description: `Failed invocations of a function that are. Default: ${STATUS_LIMITS.errors}.`,
    },
    'max-throttles': {
      type: 'string',
      value: 'N',
      description: `Throttled invocations of a function that are. Default: ${STATUS_LIMITS.throttles}.`,
    },
    'max-dead-letters': {
      type: 'string',
      value: 'N',
      description: `Open dead letters that are; ${DEAD_LETTERS_LIMIT_MAX} at the most. Default: ${STATUS_LIMITS.deadLetters}.`,
    },
    'max-snapshot-age': {
      type: 'string',
      value: 'DURATION',
      description: `Age of the newest snapshot that is. Default: ${STATUS_LIMITS.snapshotAgeMs / HOUR_MS}h.`,
    },
    patience: {
      type: 'string',
      value: 'DURATION',
      description: 'How long to look through what is set aside. Default: 5s.',
    },
    ...STAGE_OPTION,
  },
  async run(context, args) {
    const limits = limitsOf(args)
    const { readings, pipeline, stage } = await readAll(context, args, limits)
    const lines = judge(readings, limits)
    const about = { pipeline, stage, nowMs: readings.nowMs, sinceMs: readings.sinceMs }
    context.result(statusJson(lines, about), () => screen(lines, about))
    if (!isHealthy(lines)) throw needsSomebody(lines)
  },
}

async function readAll(
  context: CommandContext,
  args: CommandArguments,
  { deadLetters: deadLettersMax }: StatusLimits,
): Promise<{ readonly readings: Readings; readonly pipeline: string; readonly stage: string }> {
  const spanMs = durationOption(args, 'since') ?? SPAN_MS_DEFAULT
  const patienceMs = durationOption(args, 'patience') ?? PATIENCE_MS_DEFAULT
  return withConnection(context, args, async ({ catalog, archive, names }, pipeline) => {
    const stage = stageOf(args, pipeline.name)
    const { functions, metrics, close } = connectOperations(context.env)
    const nowMs = context.clock()
    try {
      const readings = await readStatus(
        { functions, metrics, catalog, archive },
        {
          compiled: compilePipeline(pipeline),
          stage,
          streamName: names.eventsStream,
          nowMs,
          spanMs,
          look: { isTimeUp: () => context.clock() - nowMs >= patienceMs, deadLettersMax },
        },
      )
      return { readings, pipeline: pipeline.name, stage }
    } finally {
      close()
    }
  })
}

function limitsOf(args: CommandArguments): StatusLimits {
  const count = (option: string, max = COUNT_MAX): number | undefined => args.wholeNumber(option, { min: 0, max })
  return {
    lagMs: durationOption(args, 'max-lag') ?? STATUS_LIMITS.lagMs,
    errors: count('max-errors') ?? STATUS_LIMITS.errors,
    throttles: count('max-throttles') ?? STATUS_LIMITS.throttles,
    deadLetters: count('max-dead-letters', DEAD_LETTERS_LIMIT_MAX) ?? STATUS_LIMITS.deadLetters,
    snapshotAgeMs: durationOption(args, 'max-snapshot-age') ?? STATUS_LIMITS.snapshotAgeMs,
  }
}

function statusJson(
  lines: readonly StatusLine[],
  { pipeline, stage, nowMs, sinceMs }: { pipeline: string; stage: string; nowMs: number; sinceMs: number },
): object {
  return {
    pipeline,
    stage,
    at: toRfc3339(nowMs),
    since: toRfc3339(sinceMs),
    isHealthy: isHealthy(lines),
    lines: lines.map(line => ({ ...line, next: line.next ?? null })),
  }
}

function needsSomebody(lines: readonly StatusLine[]): CommandError {
  const names = lines.filter(({ verdict }) => verdict !== 'well').map(({ name }) => name)
  return new CommandError(`Not well: ${names.join(', ')}`, {
    code: 'status-unwell',
    next: 'Each of these lines says what to do.',
  })
}
