// How far runs are, from what their objects say: for people and for programs.
import { isEnded } from './run-records.ts'
import type { RunDependencies } from './dependencies.ts'
import { snapshotPartition } from './snapshot-table.ts'
import { readRun, type RunState, runState } from './start-run.ts'
import { DAY_MS } from '../platform/duration.ts'
import type { RunListing, RunRef } from './snapshot-runs.ts'

export interface RunProgress extends RunRef {
  readonly batchId: string
  readonly instantMs: number
  readonly startedMs: number
  readonly who: string
  readonly state: RunState
  /** Why it was given up; null otherwise. */
  readonly why: string | null
  readonly segments: number
  readonly segmentsDone: number
  readonly pieces: number
  readonly users: number
  /** When the last piece was added, or the run begun. */
  readonly heardMs: number
}

export async function runProgress(deps: RunDependencies, listing: RunListing): Promise<RunProgress> {
  const run = await readRun(deps, listing)
  const state = await runState(deps, run)
  const end = state === 'given-up' ? await deps.runs.end(run) : undefined
  let users = 0
  let segmentsDone = 0
  for (const info of listing.pieces) {
    const piece = await deps.runs.piece(run, info)
    if (piece === undefined) continue
    users += piece.counts.facts.users
    if (isEnded(piece)) segmentsDone++
  }
  const { partition, number, batchId, instantMs, createdAtMs, who, segments } = run
  const heardMs = Math.max(listing.createdMs, ...listing.pieces.map(({ createdMs }) => createdMs))
  return {
    partition,
    number,
    batchId,
    instantMs,
    startedMs: createdAtMs,
    who,
    state,
    why: end?.why ?? null,
    segments,
    segmentsDone,
    pieces: listing.pieces.length,
    users,
    heardMs,
  }
}

/** The newest run of each of these days, the newest day first. */
export async function newestRuns(
  deps: Pick<RunDependencies, 'runs'>,
  { nowMs, days }: { readonly nowMs: number; readonly days: number },
): Promise<readonly RunListing[]> {
  const found: RunListing[] = []
  for (let day = 0; day < days; day++) {
    const newest = (await deps.runs.list(snapshotPartition(nowMs - day * DAY_MS))).at(-1)
    if (newest !== undefined) found.push(newest)
  }
  return found
}
