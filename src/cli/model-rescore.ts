// `millrace model rescore`: everybody gets predictions of the version in production, or of one that is to be there once everybody has
// them. It ends with 1 where users are left, so that a schedule or CI hears of it.
import type { LogEntry } from '../catalog/items.ts'
import { parseDurationMs } from '../platform/duration.ts'
import { MillraceError } from '../platform/errors.ts'
import { STAGE_DEFAULT as SERVING } from '../model/model-refs.ts'
import { compilePipeline } from '../predictions/compile-pipeline.ts'
import { rescoreBeforePointer } from '../rescore/before-pointer.ts'
import { rescore, type RescoreRequest, type RescoreResult, SEGMENTS_DEFAULT } from '../rescore/rescore.ts'
import type { Connection } from '../compose/connect.ts'
import type { VersionPorts } from '../model/promote-version.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { CommandError, UsageError } from './errors.ts'
import { versionPorts } from './model-checks.ts'
import { modelNameOf } from './model-location.ts'
import { checkServing, planSwap, predictorOf, servingEntry } from './model-rescore-versions.ts'
import { batchIdOf, REASON_OPTIONS, reasonOf } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

/** A function believes a pointer for 30 s unless told otherwise, and has at most a batch in flight. */
const SETTLE_DEFAULT = '1m'
const RATE_MAX = 100_000
const SEGMENTS_MAX = 1_000

export const command: Command = {
  name: 'model rescore',
  summary: 'Give every user predictions of the version in production, or of one before it serves.',
  positionals: ['model'],
  options: {
    rate: {
      type: 'string',
      value: 'N',
      description: 'Write so many users a second at most. Default: as fast as it goes.',
    },
    segments: {
      type: 'string',
      value: 'N',
      description: `Parts of the table that are gone through apart. Default: ${SEGMENTS_DEFAULT}.`,
    },
    settle: {
      type: 'string',
      value: 'DURATION',
      description: `How long after a promotion functions may go by the version before. Default: ${SETTLE_DEFAULT}.`,
    },
    'before-pointer': {
      type: 'string',
      value: 'BATCH',
      description: `Score everybody by this version first, and then make it the one in ${SERVING}.`,
    },
    ...REASON_OPTIONS,
    ...STAGE_OPTION,
  },
  changesThings: true,
  async run(context, args) {
    const model = modelNameOf(args)
    const before = args.text('before-pointer')
    const batchId = before === undefined ? undefined : batchIdOf(before)
    const settleMs = settleOf(args)
    const request = {
      segments: args.wholeNumber('segments', { min: 1, max: SEGMENTS_MAX }) ?? SEGMENTS_DEFAULT,
      usersPerSecond: args.wholeNumber('rate', { min: 1, max: RATE_MAX }),
      isDryRun: context.isDryRun,
    }
    await withConnection(context, args, async (connection, pipeline) => {
      const ports = versionPorts({ ...connection, pipeline, args, isTried: before !== undefined })
      const run = { context, args, connection, pipeline, ports, request, model, settleMs }
      const serving = await servingEntry(ports, model)
      // Swapped by an earlier run that was killed: what is left of it is what is done after any promotion.
      if (batchId === undefined || batchId === serving.batchId) await rescoreServing(run, serving)
      else await rescoreFirst(run, batchId, serving.number)
    })
  },
}

function settleOf(args: CommandArguments): number {
  const text = args.text('settle') ?? SETTLE_DEFAULT
  try {
    return parseDurationMs(text)
  } catch (error) {
    if (error instanceof MillraceError) throw new UsageError(`--settle: ${error.message}`, error.next ?? '')
    throw error
  }
}

interface Run {
  readonly context: CommandContext
  readonly args: CommandArguments
  readonly connection: Connection
  readonly pipeline: Pipeline
  readonly ports: VersionPorts
  readonly request: Required<Pick<RescoreRequest, 'segments' | 'isDryRun'>> & Pick<RescoreRequest, 'usersPerSecond'>
  readonly model: string
  readonly settleMs: number
}

async function rescoreServing(run: Run, { batchId, number, at }: LogEntry): Promise<void> {
  const { context, connection, pipeline, ports, request, model, settleMs } = run
  const target = { model, batchId }
  await checkServing(ports, target)
  const compiled = compilePipeline(pipeline)
  const predictor = await predictorOf(compiled, ports, { ...target, stage: SERVING })
  const { clock } = context
  const { users, archive, spills, random, sleep } = connection
  const isCurrent = async (): Promise<boolean> => (await ports.registry.current(model))?.number === number
  const result = await rescore(
    {
      ...request,
      notBeforeMs: at + settleMs,
      sweep: { ...target, when: 'after', entry: number },
      onProgress: progressOf(context, request),
    },
    { compiled, users, spills, objects: archive, predictor, isCurrent, clock, random, sleep },
  )
  context.result({ name: model, batchId, isDryRun: request.isDryRun, ...plain(result) }, () =>
    describe(`${model} ${batchId}`, result, request.isDryRun),
  )
  if (!request.isDryRun) failWhereLeft(result)
}

async function rescoreFirst(run: Run, batchId: string, entry: number): Promise<void> {
  const { context, args, connection, pipeline, ports, request, model, settleMs } = run
  const target = { model, batchId }
  const { stage, swap } = await planSwap(ports, target, reasonOf(context, args))
  const compiled = compilePipeline(pipeline)
  const predictor = await predictorOf(compiled, ports, { ...target, stage })
  const { clock } = context
  const { users, archive, spills, random, sleep } = connection
  const newestEntry = async (): Promise<number | undefined> => (await ports.registry.current(model))?.number
  const { prepared, finished } = await rescoreBeforePointer(
    { ...request, ...target, entry, settleMs, onProgress: progressOf(context, request) },
    { compiled, users, spills, objects: archive, predictor, newestEntry, swap, clock, random, sleep },
  )
  const json = { prepared: plain(prepared), finished: finished === undefined ? null : plain(finished) }
  const isSwapped = finished !== undefined
  context.result({ name: model, batchId, isDryRun: request.isDryRun, isSwapped, ...json }, () => [
    ...describe(`${model} ${batchId}, before it serves`, prepared, request.isDryRun),
    ...(finished === undefined ? [] : [`${batchId} is current in ${SERVING}`]),
    ...(finished === undefined ? [] : describe(`${model} ${batchId}, of events in between`, finished, false)),
  ])
  if (!request.isDryRun) failWhereLeft(finished ?? prepared)
}

function plain({ counts, ...rest }: RescoreResult): object {
  return { ...counts, ...rest }
}

/** A run that is resumed may have other segments than were asked for; then the bar ends earlier or later. */
function progressOf(
  context: CommandContext,
  { segments }: Pick<Run['request'], 'segments'>,
): NonNullable<RescoreRequest['onProgress']> {
  const progress = context.progress('segments', segments)
  let shown = 0
  return ({ users, rescored }, segmentsDone) => {
    const note = `${users} users, ${rescored} rescored`
    progress.advance(Math.max(0, segmentsDone - shown), note)
    shown = Math.max(shown, segmentsDone)
  }
}

function describe(what: string, { counts, isResumed }: RescoreResult, isDryRun: boolean): string[] {
  const { users, rescored, already, conflicts, left, corrupt, refused, noAnswer } = counts
  const resumed = isResumed ? ', with what an earlier run has done' : ''
  const first = isDryRun ? `${rescored} would be rescored` : `${rescored} rescored`
  return [
    `${what}: ${users} users${resumed}: ${first}, ${already} had it already, of ${conflicts} an event was first`,
    ...(noAnswer === 0
      ? []
      : [`${noAnswer} of them have no prediction: an input is missing, or the model refuses them`]),
    ...(left === 0 ? [] : [`${left} left: others wrote first each time`]),
    ...(corrupt === 0 ? [] : [`${corrupt} left: their items cannot be read`]),
    ...(refused === 0 ? [] : [`${refused} left: their items would be over the size limit`]),
  ]
}

function failWhereLeft({ counts, isMoved }: RescoreResult): void {
  if (isMoved) {
    throw new CommandError('Another version came into production meanwhile', {
      code: 'production-moved',
      next: 'Look at `millrace model history`, and run it again for the version that is to serve.',
    })
  }
  const left = counts.left + counts.corrupt + counts.refused
  if (left === 0) return
  throw new CommandError(`${left} users are left as they were`, {
    code: 'rescore-incomplete',
    next: 'The lines above say why. They are evaluated at each read; a corrupt item is for `millrace users repair`.',
  })
}
