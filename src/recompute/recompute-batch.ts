// The product in one function: a batch of records becomes one read and one write for each user that it affects, and of nobody
// else. A user whose write fails does not stop the others; the lowest sequence not safely done is where Lambda delivers again.
import { type AffectedRecord, affectedUsers, type RefusedRecord } from '../affected/affected-users.ts'
import type { StreamRecord } from '../event/stream-record.ts'
import type { Sleep } from '../platform/clock.ts'
import { mapWithLimit } from '../platform/concurrency.ts'
import type { Random } from '../platform/random.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { type PredictedUser, type Predictor, predictOne } from '../predictions/predictor.ts'
import { predictionRuns } from '../predictions/prediction-runs.ts'
import type { SpillStore } from '../store/spill-store.ts'
import { packDedup } from '../store/dedup-codec.ts'
import { type CorruptItem, KEYS_PER_READ_MAX, type StoredItem, type UserStore } from '../store/user-item.ts'
import { READS_IN_FLIGHT_MAX, usersPerWaveMax, WRITES_IN_FLIGHT_MAX } from './limits.ts'
import {
  type AffectedUser,
  planItem,
  type PlannedUser,
  refuseWithoutTime,
  type SettledUser,
  type WriteDependencies,
  writeUser,
} from './write-user.ts'
import { type OutcomeCounts, Tally } from './tally.ts'

/** Where records go that cannot be applied; both must be durable before the batch is acknowledged. */
export interface AsideSink {
  writeDeadLetters(letters: readonly RefusedRecord[]): Promise<void>
  writeDoubt(records: readonly AffectedRecord[]): Promise<void>
}

export interface RecomputeDependencies {
  readonly compiled: CompiledPipeline
  readonly users: UserStore
  readonly predictor: Predictor
  /** For values too long for an item; without it all stay inside. */
  readonly spills?: SpillStore | undefined
  readonly aside: AsideSink
  readonly random: Random
  readonly sleep: Sleep
  /** Time left to the function, ms. */
  readonly remainingMs: () => number
}

export interface BatchResult {
  /** The batch is done up to here, exclusive; undefined: all of it. */
  readonly failedSequence: string | undefined
  readonly counts: OutcomeCounts
  readonly errors: readonly unknown[]
  /** Model → batch ID that was predicted with; empty where nothing was. */
  readonly models: Readonly<Record<string, string>>
}

export async function recomputeBatch(
  records: readonly StreamRecord[],
  dependencies: RecomputeDependencies,
): Promise<BatchResult> {
  const affected = affectedUsers(records, dependencies.compiled.contracts)
  const { itemBytesMax } = dependencies.compiled.pipeline
  const tally = new Tally(ownersOf(dependencies.compiled))
  const deps = { ...dependencies, onConflict: () => void tally.conflicts++ }
  tally.refused.push(...affected.refused)
  const users = [...affected.byUser].map(([userId, own]) => ({ userId, records: own }))
  for (const wave of chunks(users, usersPerWaveMax(itemBytesMax))) {
    await recomputeWave(wave, deps, tally)
  }
  await setAside(dependencies, tally)
  const { failedSequence, errors, models } = tally
  return { failedSequence, counts: tally.counts(affected.unknownFields), errors, models }
}

async function recomputeWave(wave: readonly AffectedUser[], deps: WriteDependencies, tally: Tally): Promise<void> {
  const planned: PlannedUser[] = []
  await mapWithLimit(chunks(wave, KEYS_PER_READ_MAX), READS_IN_FLIGHT_MAX, async chunk => {
    const items = await loadChunk(chunk, deps, tally)
    if (items === undefined) return
    for (const user of chunk) {
      const plan = planAlone(user, items.get(user.userId), deps, tally)
      if (plan !== undefined) planned.push(plan)
    }
  })
  for (const run of await runsOf(planned, deps, tally)) await predictAndWrite(run, deps, tally)
}

/** What one run has made is let go before the next is made. */
async function predictAndWrite(planned: readonly PlannedUser[], deps: WriteDependencies, tally: Tally): Promise<void> {
  const predicted = await predictRun(planned, deps, tally)
  if (predicted === undefined) return
  await mapWithLimit(planned, WRITES_IN_FLIGHT_MAX, async (plan, index) => {
    try {
      const prediction = predicted[index] ?? (await predictOne(deps.predictor, plan.next.features))
      const settled = await writeUser(plan, prediction, deps)
      settle(tally, plan.user, settled)
      if (settled.outcome === 'written') tally.notePredictions(prediction.predictions, deps.compiled.pipeline)
    } catch (error) {
      tally.fail(plan.user.records, error)
    }
  })
}

async function loadChunk(
  chunk: readonly AffectedUser[],
  deps: WriteDependencies,
  tally: Tally,
): Promise<ReadonlyMap<string, StoredItem | CorruptItem> | undefined> {
  try {
    refuseWithoutTime(deps)
    return await deps.users.loadMany(chunk.map(user => user.userId))
  } catch (error) {
    for (const user of chunk) tally.fail(user.records, error)
    return undefined
  }
}

/** What goes wrong with one user is that user's alone. The plan where something is to be written. */
function planAlone(
  user: AffectedUser,
  stored: StoredItem | CorruptItem | undefined,
  { compiled }: WriteDependencies,
  tally: Tally,
): PlannedUser | undefined {
  try {
    const plan = planItem(compiled, user, stored)
    if (plan.outcome === 'planned') {
      const { next } = plan
      tally.noteLateness(next.dedup)
      return { ...plan, next: { ...next, dedup: packDedup(next.dedup) } }
    }
    settle(tally, user, plan)
  } catch (error) {
    tally.fail(user.records, error)
  }
  return undefined
}

/** By the papers of what serves now. None where the models cannot be asked: all of these users are delivered again. */
async function runsOf(
  planned: readonly PlannedUser[],
  { predictor }: WriteDependencies,
  tally: Tally,
): Promise<readonly (readonly PlannedUser[])[]> {
  if (planned.length === 0) return []
  try {
    return predictionRuns(planned, await predictor.pinned())
  } catch (error) {
    for (const { user } of planned) tally.fail(user.records, error)
    return []
  }
}

/** Undefined where the models cannot be asked: all of these users are delivered again. */
async function predictRun(
  planned: readonly PlannedUser[],
  { predictor }: WriteDependencies,
  tally: Tally,
): Promise<readonly PredictedUser[] | undefined> {
  try {
    const predicted = await predictor.predict(planned.map(({ next }) => next.features))
    tally.models = predicted[0]?.models ?? tally.models
    return predicted
  } catch (error) {
    for (const { user } of planned) tally.fail(user.records, error)
    return undefined
  }
}

function settle(tally: Tally, user: AffectedUser, settled: SettledUser): void {
  if (settled.outcome === 'refused') {
    tally.refuse(user.records, settled.refusal)
    return
  }
  if (settled.outcome === 'written') tally.usersWritten++
  tally.done(user.records, settled.decisions, settled.outcome === 'not-folded' ? settled.refusal : undefined)
}

/**
 * Dead letters and doubt are durable before the batch is acknowledged; where they are not, their records come again, and are
 * nothing else than failed until then.
 */
async function setAside({ aside }: RecomputeDependencies, tally: Tally): Promise<void> {
  const { refused, belowFloor } = tally
  try {
    if (refused.length > 0) await aside.writeDeadLetters(refused)
  } catch (error) {
    tally.fail(refused.splice(0), error)
  }
  try {
    if (belowFloor.length > 0) await aside.writeDoubt(belowFloor)
  } catch (error) {
    tally.fail(belowFloor.splice(0), error)
  }
}

function ownersOf({ pipeline }: CompiledPipeline): ReadonlyMap<string, string | undefined> {
  return new Map(pipeline.events.map(({ type, owner }) => [type, owner]))
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const result: T[][] = []
  for (let index = 0; index < items.length; index += size) result.push(items.slice(index, index + size))
  return result
}
