// `millrace snapshot run`: what the nightly function does, now and from here; or the end of what it left undone.
import { createPredictor } from '../compose/predictor.ts'
import type { Connection } from '../compose/connect.ts'
import { parseRfc3339Ms } from '../event/event-time.ts'
import { toRfc3339 } from '../platform/clock.ts'
import type { WorkDependencies } from '../snapshot/dependencies.ts'
import { driftLines } from '../snapshot/drift-text.ts'
import type { SnapshotReport } from '../snapshot/finish-run.ts'
import { factLines, sinceLines } from '../snapshot/report-text.ts'
import type { SnapshotRun } from '../snapshot/run-records.ts'
import { refOf, snapshotPartition } from '../snapshot/snapshot-table.ts'
import { giveUp, startRun } from '../snapshot/start-run.ts'
import { runHere, SCANS_OF_PROCESS, versionsOf } from '../snapshot/take-snapshot.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { CommandError, UsageError } from './errors.ts'
import { openRun, predictorOf, runDependencies, usersProgress } from './snapshot-here.ts'
import { REASON_OPTIONS, reasonOf } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

/** Of an account's table, unless raised (Amazon DynamoDB quotas). */
const READ_UNITS_MAX = 40_000

export const command: Command = {
  name: 'snapshot run',
  summary: 'Evaluate every user at one instant and commit them as a batch.',
  positionals: [],
  options: {
    ...STAGE_OPTION,
    at: { type: 'string', value: 'TIME', description: 'The instant (RFC 3339). Default: now.' },
    resume: { type: 'boolean', description: 'Go on with the run that is not over, and commit it.' },
    'give-up': { type: 'boolean', description: 'Give up the run that is not over; its workers stop. Starts no other.' },
    'read-units': {
      type: 'string',
      value: 'NUMBER',
      description: 'Read no more units a second of the users table (8 KB each). Default: as fast as it goes.',
    },
    ...REASON_OPTIONS,
  },
  changesThings: true,
  async run(context, args) {
    const at = args.text('at')
    const instantMs = at === undefined ? context.clock() : parseRfc3339Ms(at)
    if (instantMs === undefined) throw new UsageError(`--at is "${at}"`, 'Write it as 2026-01-02T03:04:05Z.')
    const [isResumed, isGivenUp] = [args.flag('resume'), args.flag('give-up')]
    if ((isResumed && isGivenUp) || (at !== undefined && (isResumed || isGivenUp))) {
      throw new UsageError('--at, --resume and --give-up do not go together', 'Give one of them.')
    }
    await withConnection(context, args, async (connection, pipeline) => {
      const call: Call = { context, args, connection, pipeline }
      if (isGivenUp) await giveItUp(call)
      else if (isResumed) await resume(call)
      else if (context.isDryRun) await plan(call, instantMs)
      else await take(call, instantMs)
    })
  },
}

interface Call {
  readonly context: CommandContext
  readonly args: CommandArguments
  readonly connection: Connection
  readonly pipeline: Pipeline
}

function dependencies({ context, args, connection, pipeline }: Call) {
  const units = args.wholeNumber('read-units', { min: 1, max: READ_UNITS_MAX })
  return runDependencies(context, connection, pipeline, units)
}

async function plan({ context, connection, pipeline }: Call, instantMs: number): Promise<void> {
  const ref = refOf({ db: pipeline.name, partition: snapshotPartition(instantMs) })
  const current = await connection.catalog.current(ref)
  const supersedes = current?.batchId ?? null
  context.result(
    { ...ref, instantMs, isDryRun: true, supersedes },
    () =>
      `Would write ${ref.db}.${ref.table}/${ref.partition}, ${supersedes === null ? 'which has no batch yet' : `superseding batch ${supersedes}`}`,
  )
}

async function take(call: Call, instantMs: number): Promise<void> {
  const { context, args, connection } = call
  const deps = dependencies(call)
  const predictor = await createPredictor(deps.compiled, {
    ...connection,
    refreshMs: Number.POSITIVE_INFINITY,
    onError: fail,
  }).pinned()
  const { run } = await startRun(deps, {
    instantMs,
    ...reasonOf(context, args),
    segments: 1,
    scans: SCANS_OF_PROCESS,
    models: versionsOf(predictor),
    whenRunning: 'refuse',
  })
  await end(context, { ...deps, predictor }, run)
}

async function resume(call: Call): Promise<void> {
  const { context, connection } = call
  const deps = dependencies(call)
  const run = await existingRun(deps)
  if (context.isDryRun) return say(context, run, 'Would go on with')
  await end(context, { ...deps, predictor: await predictorOf(deps, connection, run) }, run)
}

async function giveItUp(call: Call): Promise<void> {
  const { context, args } = call
  const deps = dependencies(call)
  const run = await existingRun(deps)
  if (context.isDryRun) return say(context, run, 'Would give up')
  if ((await giveUp(deps, run, reasonOf(context, args))) === 'committed') {
    throw new CommandError(`Run ${run.number} of ${run.partition} is being committed`, {
      code: 'snapshot-decided',
      next: 'Nothing is left to give up. To commit it now: millrace snapshot run --resume.',
    })
  }
  say(context, run, 'Gave up')
}

async function existingRun(deps: WorkDependencies | ReturnType<typeof dependencies>): Promise<SnapshotRun> {
  const run = await openRun(deps)
  if (run !== undefined) return run
  throw new CommandError('No run of the last days is open', {
    code: 'snapshot-not-found',
    next: 'Start one: millrace snapshot run.',
  })
}

function say(context: CommandContext, { db, partition, number, batchId, instantMs }: SnapshotRun, verb: string): void {
  context.result(
    { db, partition, run: number, batchId, instantMs, isDryRun: context.isDryRun },
    () => `${verb} run ${number} of ${partition}, at ${toRfc3339(instantMs)}`,
  )
}

async function end(context: CommandContext, deps: WorkDependencies, run: SnapshotRun): Promise<void> {
  const { entry, ...report } = await runHere(deps, run, { onProgress: usersProgress(context) })
  context.result({ batchId: entry.batchId, ...report }, () => reportLines(run, entry.batchId, report))
}

function reportLines(run: SnapshotRun, batchId: string, report: Omit<SnapshotReport, 'entry'>): readonly string[] {
  return [
    `${report.users} users at ${toRfc3339(run.instantMs)}: batch ${batchId} of ${report.db}.${report.table}/${report.partition}`,
    ...factLines(report),
    ...sinceLines(report.since),
    ...driftLines(report.drift),
  ]
}

function fail(error: unknown): void {
  throw error
}
