// `millrace snapshot status`: what the newest snapshot says of itself, and how far runs are that are not over. It ends with 1 where the
// newest is late or a run hangs.
import { tableKey } from '../catalog/names.ts'
import { toRfc3339 } from '../platform/clock.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../platform/duration.ts'
import { driftLines } from '../snapshot/drift-text.ts'
import { newestSnapshot, type NewestSnapshot } from '../snapshot/newest-snapshot.ts'
import { factLines, sinceLines } from '../snapshot/report-text.ts'
import { newestRuns, type RunProgress, runProgress } from '../snapshot/run-progress.ts'
import { WAKE_AFTER_MS } from '../snapshot/snapshot-function.ts'
import { saidOf } from '../snapshot/snapshot-report.ts'
import type { Command } from './command.ts'
import { durationOption } from './durations.ts'
import { CommandError } from './errors.ts'
import { RUN_DAYS, runDependencies } from './snapshot-here.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

/** As the alarm has it: a night, and two hours for it. */
const AGE_MS_MAX_DEFAULT = DAY_MS + 2 * HOUR_MS

export const command: Command = {
  name: 'snapshot status',
  summary: 'Show the report of the newest snapshot and the runs that are not over; 1 where it is late.',
  positionals: [],
  options: {
    'max-age': {
      type: 'string',
      value: 'DURATION',
      description: `How old the newest snapshot's instant may be. Default: ${AGE_MS_MAX_DEFAULT / HOUR_MS}h.`,
    },
    ...STAGE_OPTION,
  },
  async run(context, args) {
    const ageMsMax = durationOption(args, 'max-age') ?? AGE_MS_MAX_DEFAULT
    await withConnection(context, args, async (connection, pipeline) => {
      const nowMs = context.clock()
      const deps = runDependencies(context, connection, pipeline)
      const newest = await newestSnapshot(connection.catalog, pipeline.name, nowMs)
      const runs: RunProgress[] = []
      for (const listing of await newestRuns(deps, { nowMs, days: RUN_DAYS }))
        runs.push(await runProgress(deps, listing))
      const isLate = newest === undefined || nowMs - newest.instantMs > ageMsMax
      const hanging = runs.filter(({ state, heardMs }) => state === 'running' && nowMs - heardMs > WAKE_AFTER_MS)
      context.result(
        { isLate, hangs: hanging.length, newest: newest === undefined ? null : jsonOf(newest), runs },
        () => [
          ...(newest === undefined ? ['There is no snapshot of the last week'] : newestLines(newest, nowMs)),
          ...runs.filter(({ state }) => state !== 'committed').map(run => runLine(run, nowMs)),
        ],
      )
      if (hanging.length > 0) throw hangs(hanging)
      if (isLate) throw late(newest, nowMs)
    })
  },
}

function jsonOf({ ref, batch, instantMs }: NewestSnapshot): object {
  const { report, since, drift } = saidOf(batch.manifest)
  const { batchId, parts, rows, bytes } = batch.record
  return {
    ...ref,
    batchId,
    instantMs,
    parts,
    rows,
    bytes,
    report: report ?? null,
    since: since ?? null,
    drift: drift ?? [],
  }
}

function newestLines({ ref, batch, instantMs }: NewestSnapshot, nowMs: number): readonly string[] {
  const { report, since, drift = [] } = saidOf(batch.manifest)
  const { batchId, parts, rows, bytes } = batch.record
  return [
    `${tableKey(ref)}/${ref.partition}, batch ${batchId}: everybody at ${toRfc3339(instantMs)}, ${age(nowMs - instantMs)} ago`,
    `  ${rows} rows, ${parts} parts, ${(bytes / 1e6).toFixed(1)} MB`,
    // One of an earlier release says less of itself.
    ...(report === undefined ? [] : [...factLines(report), ...sinceLines(since ?? null)]),
    ...driftLines(drift),
  ]
}

function runLine(run: RunProgress, nowMs: number): string {
  const { number, partition, state, who, startedMs, segments, segmentsDone, users, heardMs, why } = run
  const head = `Run ${number} of ${partition}, by ${who}, since ${toRfc3339(startedMs)}`
  if (state === 'given-up') return `${head}: given up, ${why}`
  return `${head}: ${segmentsDone} of ${segments} workers done, ${users} users; last heard of ${age(nowMs - heardMs)} ago`
}

function age(ms: number): string {
  return ms < 2 * HOUR_MS ? `${Math.max(0, Math.round(ms / MINUTE_MS))} min` : `${(ms / HOUR_MS).toFixed(1)} h`
}

function late(newest: NewestSnapshot | undefined, nowMs: number): CommandError {
  const what =
    newest === undefined
      ? 'There is no snapshot of the last week'
      : `The newest snapshot is ${age(nowMs - newest.instantMs)} old`
  return new CommandError(what, { code: 'snapshot-late', next: 'Take one: millrace snapshot run.' })
}

function hangs([first]: readonly RunProgress[]): CommandError {
  return new CommandError(`Run ${first?.number} of ${first?.partition} hangs`, {
    code: 'snapshot-hangs',
    next: 'The function takes it up within the hour. To end it from here: millrace snapshot run --resume.',
  })
}
