// What an invocation of the snapshot function does. Nobody waits for anybody: the schedule's one fixes what is to be done, wakes a worker
// for each other segment and works at the first itself; a worker whose time ends wakes its successor; the last one commits.
import type { PinnedPredictor } from '../predictions/predictor.ts'
import { HOUR_MS, MINUTE_MS } from '../platform/duration.ts'
import type { RunDependencies } from './dependencies.ts'
import { SnapshotError } from './errors.ts'
import { finishRun, type SnapshotReport } from './finish-run.ts'
import type { SnapshotRun } from './run-records.ts'
import type { SnapshotEvent, WorkEvent } from './snapshot-events.ts'
import { snapshotPartition } from './snapshot-table.ts'
import { giveUp, readRun, runState, startRun } from './start-run.ts'
import { versionsOf } from './take-snapshot.ts'
import { segmentsToWake } from './wake-segments.ts'
import { type SegmentBounds, workSegment } from './work-segment.ts'

export interface FunctionDependencies extends RunDependencies {
  /** Of how many workers a new run is. */
  readonly segments: number
  /** By the versions that are in production now. */
  readonly pinned: () => Promise<PinnedPredictor>
  readonly pinnedTo: (versions: Readonly<Record<string, string>>) => Promise<PinnedPredictor>
  /** Has the function invoked by and by, and does not wait for it. */
  readonly wake: (event: WorkEvent) => Promise<void>
  readonly isTimeUp: () => boolean
  readonly bounds?: Partial<SegmentBounds>
}

export type FunctionOutcome =
  | { readonly outcome: 'committed'; readonly report: SnapshotReport }
  /** Others, or a successor, go on. */
  | { readonly outcome: 'working'; readonly run: SnapshotRun; readonly woken: number }
  | { readonly outcome: 'over'; readonly why: string }

/** Each with a page of 1 MB in memory. */
export const SCANS_OF_WORKER = 2
/** Lambda ends a chain of invocations of itself after 16; what is left then is taken up by the next hour. */
export const TURNS_MAX = 12
/** Longer than an invocation can last: who has shown no sign since is not there any more. */
export const WAKE_AFTER_MS = 20 * MINUTE_MS
/** A run of last night that is not over by the evening would evaluate users of another day. */
export const RUN_MS_MAX = 20 * HOUR_MS

const WHO = 'functions/snapshot'

/** Throws SnapshotError, StoreError, CatalogError, ObjectStoreError: then Lambda invokes again. */
export async function runSnapshotEvent(deps: FunctionDependencies, event: SnapshotEvent): Promise<FunctionOutcome> {
  switch (event.snapshot) {
    case 'take':
      return take(deps, event)
    case 'work':
      return work(deps, await readRun(deps, { partition: event.partition, number: event.run }), event)
    case 'take-up':
      return takeUp(deps)
  }
}

async function take(
  deps: FunctionDependencies,
  { instantMs, requestId }: { readonly instantMs: number; readonly requestId?: string | undefined },
): Promise<FunctionOutcome> {
  const started = await overIf('snapshot-older', async () =>
    startRun(deps, {
      instantMs,
      who: WHO,
      why: 'nightly',
      segments: deps.segments,
      scans: SCANS_OF_WORKER,
      models: versionsOf(await deps.pinned()),
      requestId,
      whenRunning: 'join',
    }),
  )
  if ('outcome' in started) return started
  const { run, state } = started
  if (state === 'over') return { outcome: 'over', why: `run ${run.number} of ${run.partition} was for this` }
  if (state === 'joined') {
    // The same one again: whoever began it may have died before all were woken.
    const isSame = requestId !== undefined && run.requestId === requestId
    return wakeThose(deps, run, await segmentsToWake(deps, run, { silentMs: WAKE_AFTER_MS, isAtOnce: isSame }))
  }
  const others = Array.from({ length: run.segments - 1 }, (_, index) => index + 1)
  await wakeThose(deps, run, others)
  return work(deps, run, { segment: 0, turn: 0 })
}

async function work(
  deps: FunctionDependencies,
  run: SnapshotRun,
  { segment, turn }: Pick<WorkEvent, 'segment' | 'turn'>,
): Promise<FunctionOutcome> {
  const end = await deps.runs.end(run)
  if (end?.outcome === 'given-up') return { outcome: 'over', why: end.why }
  if (end === undefined && run.definitions !== deps.compiled.definitions) return beginAgain(deps, run)
  const current = await deps.pinned()
  const isCurrent = sameVersions(versionsOf(current), run.models)
  const working = { ...deps, predictor: isCurrent ? current : await deps.pinnedTo(run.models) }
  const { bounds, isTimeUp } = deps
  if (end === undefined) {
    const outcome = await workSegment(working, run, { segment, isTimeUp, ...(bounds === undefined ? {} : { bounds }) })
    if (outcome === 'overtaken') return { outcome: 'working', run, woken: 0 }
    if (outcome === 'time-up') {
      if (turn + 1 >= TURNS_MAX) return { outcome: 'working', run, woken: 0 }
      return wakeThose(deps, run, [segment], turn + 1)
    }
  }
  const report = await overIf('snapshot-given-up', async () => finishRun(working, run))
  if (report === undefined) return { outcome: 'working', run, woken: 0 }
  return 'outcome' in report ? report : { outcome: 'committed', report }
}

/** A deploy has come in between: rows of two definitions are no snapshot. */
async function beginAgain(deps: FunctionDependencies, run: SnapshotRun): Promise<FunctionOutcome> {
  const why = 'the pipeline was deployed with other definitions'
  const isAgain = run.requestId !== undefined
  const given = await giveUp(deps, run, { who: WHO, why, isAgain })
  if (given !== 'given-up' || !isAgain) return { outcome: 'over', why }
  return takeAgain(deps, run)
}

function takeAgain(
  deps: FunctionDependencies,
  { instantMs, requestId, number }: SnapshotRun,
): Promise<FunctionOutcome> {
  return take(deps, { instantMs, requestId: `${requestId ?? ''}~${number}` })
}

/** The newest run of today and of yesterday. */
async function takeUp(deps: FunctionDependencies): Promise<FunctionOutcome> {
  const nowMs = deps.clock()
  let outcome: FunctionOutcome = { outcome: 'over', why: 'nothing hangs' }
  for (const partition of new Set([snapshotPartition(nowMs - RUN_MS_MAX), snapshotPartition(nowMs)])) {
    const newest = (await deps.runs.list(partition)).at(-1)
    if (newest === undefined) continue
    const run = await readRun(deps, newest)
    const state = await runState(deps, run)
    const isLate = nowMs - run.createdAtMs > RUN_MS_MAX
    if (state === 'running' && isLate) {
      await giveUp(deps, run, { who: WHO, why: 'it was not over in time' })
    } else if (state === 'running') {
      const segments = await segmentsToWake(deps, run, { silentMs: WAKE_AFTER_MS })
      if (segments.length > 0) outcome = await wakeThose(deps, run, segments)
    } else if (state === 'given-up' && !isLate && (await deps.runs.end(run))?.isAgain === true) {
      outcome = await takeAgain(deps, run)
    }
  }
  return outcome
}

async function wakeThose(
  deps: FunctionDependencies,
  run: SnapshotRun,
  segments: readonly number[],
  turn = 0,
): Promise<FunctionOutcome> {
  const { partition, number } = run
  await Promise.all(segments.map(segment => deps.wake({ snapshot: 'work', partition, run: number, segment, turn })))
  return { outcome: 'working', run, woken: segments.length }
}

async function overIf<T>(code: string, attempt: () => Promise<T>): Promise<T | { outcome: 'over'; why: string }> {
  try {
    return await attempt()
  } catch (error) {
    if (error instanceof SnapshotError && error.code === code) return { outcome: 'over', why: error.message }
    throw error
  }
}

function sameVersions(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...names].every(name => a[name] === b[name])
}
