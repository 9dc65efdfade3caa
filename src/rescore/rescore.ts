// Everybody given predictions of the batch that is in production, while events come. Who has them by then, from an event or from a run
// that was killed, is not written again. A run is for one entry of the pointer's log: when the pointer moves it stops, as what it
// writes would be evaluated anew at each read.
import type { Clock, Sleep } from '../platform/clock.ts'
import { mapWithLimit } from '../platform/concurrency.ts'
import { SECOND_MS } from '../platform/duration.ts'
import { writePace } from '../platform/pace.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { PinnedPredictor } from '../predictions/predictor.ts'
import type { SpillStore } from '../store/spill-store.ts'
import type { UserStore } from '../store/user-item.ts'
import { addCounts, type RescoreCounts } from './rescore-counts.ts'
import { openProgress, type Progress, type ProgressPorts, type Step, type Sweep, totalOf } from './rescore-progress.ts'
import { rescoreUsers, type UsersDependencies } from './rescore-users.ts'

export interface RescoreDependencies extends ProgressPorts {
  readonly compiled: CompiledPipeline
  readonly users: UserStore
  /** By the sweep's batch, and of the other models by those in production. */
  readonly predictor: PinnedPredictor
  /** For values too long for an item; without it all stay inside. */
  readonly spills?: SpillStore | undefined
  /** Whether the pointer's newest entry is still that of the sweep. */
  readonly isCurrent: () => Promise<boolean>
  readonly clock: Clock
  readonly sleep: Sleep
}

export interface RescoreRequest {
  readonly sweep: Sweep
  /** Of the scan; a run that is resumed keeps its own. */
  readonly segments?: number
  /** At most so many are written; as fast as it goes unless given. */
  readonly usersPerSecond?: number | undefined
  /** Nobody is looked at before: functions still predict with the version before for a while, behind a run that is too early. */
  readonly notBeforeMs?: number | undefined
  readonly isDryRun?: boolean
  /** USERS_PER_STEP unless given. */
  readonly usersPerStep?: number
  /** After some users each time, and each segment. */
  readonly onProgress?: (counts: RescoreCounts, segmentsDone: number) => void
}

export interface RescoreResult {
  readonly counts: RescoreCounts
  readonly segments: number
  readonly isResumed: boolean
  /** The pointer moved: users are left, and the batch is none that they should have. */
  readonly isMoved: boolean
}

/** As a snapshot has: each segment has a page of 1 MB in memory, and writes of one page in flight. */
export const SEGMENTS_DEFAULT = 8
/** However many segments there are. */
export const SEGMENTS_IN_FLIGHT_MAX = 8
/** One run of the model is for so many, however many small items a page holds. */
const USERS_PER_RUN = 100
/** A run that is killed reads so many of each segment again, and finds them done. */
const USERS_PER_STEP = 2_000
/** Between two looks at the pointer: one small read. */
export const POINTER_MS = 5 * SECOND_MS

/** Throws StoreError, ObjectStoreError, CatalogError, RescoreError: what was written until then is complete, and the next run goes on. */
export async function rescore(request: RescoreRequest, deps: RescoreDependencies): Promise<RescoreResult> {
  const {
    sweep,
    segments = SEGMENTS_DEFAULT,
    usersPerSecond,
    isDryRun = false,
    usersPerStep = USERS_PER_STEP,
  } = request
  const waitMs = request.notBeforeMs === undefined || isDryRun ? 0 : request.notBeforeMs - deps.clock()
  if (waitMs > 0) await deps.sleep(waitMs)
  const progress = isDryRun ? unsaved(segments) : await openProgress(sweep, segments, deps)
  const run: Run = {
    users: deps.users,
    writing: { ...deps, target: sweep, isDryRun, pace: writePace(usersPerSecond, deps) },
    progress,
    steps: [...progress.steps],
    usersPerStep,
    isStopped: false,
    isMoved: await stopWhenMoved(deps),
    onProgress: request.onProgress,
  }
  const failures: unknown[] = []
  // One that fails stops the others where they can be taken up again, and all are waited for.
  await mapWithLimit([...progress.steps.keys()], SEGMENTS_IN_FLIGHT_MAX, async segment => {
    try {
      await rescoreSegment(segment, run)
    } catch (error) {
      run.isStopped = true
      failures.push(error)
    }
  })
  if (failures.length > 0) throw failures[0]
  const isMoved = await run.isMoved(true)
  return { counts: totalOf(run.steps), segments: progress.segments, isResumed: progress.isResumed, isMoved }
}

interface Run {
  readonly users: UserStore
  readonly writing: UsersDependencies
  readonly progress: Progress
  /** How far each segment is, saved or not. */
  readonly steps: Step[]
  readonly usersPerStep: number
  isStopped: boolean
  /** Looks at the pointer when it is time to, or at once. */
  readonly isMoved: (isNow?: boolean) => Promise<boolean>
  readonly onProgress: RescoreRequest['onProgress']
}

async function rescoreSegment(segment: number, run: Run): Promise<void> {
  const { users, progress, steps } = run
  let step = steps[segment]
  if (step === undefined || step.isDone) return
  let saved = step
  const note = (next: Step): void => {
    step = next
    steps[segment] = next
  }
  for await (const page of users.scan(segment, progress.segments, step.after)) {
    for (let from = 0; from < page.length; from += USERS_PER_RUN) {
      if (run.isStopped || (await run.isMoved())) break
      const some = page.slice(from, from + USERS_PER_RUN)
      const counts = { ...step.counts }
      addCounts(counts, await rescoreUsers(some, run.writing))
      note({ after: some.at(-1)?.userId, isDone: false, counts })
      tell(run)
      if (counts.users - saved.counts.users < run.usersPerStep) continue
      await progress.save(segment, step)
      saved = step
    }
    if (run.isStopped || (await run.isMoved())) break
  }
  const isWhole = !run.isStopped && !(await run.isMoved())
  if (isWhole) note({ ...step, isDone: true })
  if (step !== saved) await progress.save(segment, step)
  tell(run)
}

function tell({ steps, onProgress }: Run): void {
  onProgress?.(totalOf(steps), steps.filter(({ isDone }) => isDone).length)
}

/** One look for all segments that ask at the same time; what has moved stays moved. */
async function stopWhenMoved({ isCurrent, clock }: RescoreDependencies): Promise<Run['isMoved']> {
  let lookedAtMs = Number.NEGATIVE_INFINITY
  let isMoved = false
  let look: Promise<void> | undefined
  const isMovedNow = async (isNow = false): Promise<boolean> => {
    if (isMoved || (!isNow && clock() - lookedAtMs < POINTER_MS)) return isMoved
    look ??= isCurrent()
      .then(isSame => {
        lookedAtMs = clock()
        isMoved = !isSame
      })
      .finally(() => {
        look = undefined
      })
    await look
    return isMoved
  }
  await isMovedNow()
  return isMovedNow
}

/** Of a dry run, which goes from the beginning and leaves nothing. */
function unsaved(segments: number): Progress {
  const steps = Array.from({ length: segments }, (): Step => ({ isDone: false, counts: totalOf([]) }))
  return { segments, isResumed: false, steps, save: async () => undefined }
}
