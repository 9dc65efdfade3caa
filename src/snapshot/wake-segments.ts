// Which segments of a run nobody works at, told by when each was last heard of. Waking one that somebody works at after all costs
// double reads and nothing else.
import type { RunDependencies } from './dependencies.ts'
import { isEnded, type SnapshotRun } from './run-records.ts'
import type { PieceInfo } from './snapshot-runs.ts'

export interface WakeRule {
  /** Not heard of for so long. */
  readonly silentMs: number
  /** Those, too, that were never heard of. */
  readonly isAtOnce?: boolean
}

/** Where all are done it is the first one, for the commit. */
export async function segmentsToWake(
  { runs, clock }: Pick<RunDependencies, 'runs' | 'clock'>,
  run: SnapshotRun,
  { silentMs, isAtOnce = false }: WakeRule,
): Promise<readonly number[]> {
  const newest = new Map<number, PieceInfo>()
  for (const piece of await runs.pieces(run)) {
    if (piece.number >= (newest.get(piece.segment)?.number ?? 0)) newest.set(piece.segment, piece)
  }
  const silentSinceMs = clock() - silentMs
  const isSilent = (piece: PieceInfo | undefined): boolean =>
    (piece === undefined && isAtOnce) || (piece?.createdMs ?? run.createdAtMs) <= silentSinceMs
  const segments: number[] = []
  let ended = 0
  for (let segment = 0; segment < run.segments; segment++) {
    const info = newest.get(segment)
    const piece = info === undefined ? undefined : await runs.piece(run, info)
    if (piece !== undefined && isEnded(piece)) ended++
    else if (isSilent(info)) segments.push(segment)
  }
  const isAllDone = ended === run.segments
  return isAllDone && [...newest.values()].every(isSilent) ? [0] : segments
}
