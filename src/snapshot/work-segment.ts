// A worker: it takes a segment where the last piece of it ends, and adds piece after piece until the segment or its time is at an end.
// A piece is there once its object is, which is created if absent: of two that work at one segment the second to finish a piece
// sees that, and leaves. What it has written until then no manifest names.
import type { TableSchema } from '../catalog/items.ts'
import { batchLocation } from '../catalog/layout.ts'
import { readParquet } from '../catalog/parquet-rows.ts'
import { SECOND_MS } from '../platform/duration.ts'
import { unitPace } from '../platform/pace.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { WorkDependencies } from './dependencies.ts'
import { isEnded, type ScanPosition, type SnapshotPiece, type SnapshotRun } from './run-records.ts'
import { SCAN_ENDED, type ScanAfter, type ScannedPiece, scanPiece } from './scan-piece.ts'
import { snapshotColumns } from './snapshot-rows.ts'
import { refOf } from './snapshot-table.ts'
import type { RowPlace } from './waiting-rows.ts'

/**
 * `ended`: nothing of the segment is left. `time-up`: go on later. `overtaken`: somebody else works at the segment. `decided`: the run is
 * given up or being committed.
 */
export type SegmentOutcome = 'ended' | 'time-up' | 'overtaken' | 'decided'

export interface SegmentInput {
  readonly segment: number
  /** Whether to stop at the next chance. */
  readonly isTimeUp?: () => boolean
  /** Told how many users more are done. */
  readonly onUsers?: ((users: number) => void) | undefined
  readonly bounds?: Partial<SegmentBounds>
}

export interface SegmentBounds {
  readonly rowsMax: number
  readonly bytesMax: number
  /** However slowly rows come: then a run that is alive shows it. */
  readonly pieceMsMax: number
}

/** Of predictions, which may be long: a function has hardly more memory beside them. */
const WAITING_BYTES_MAX = 256 * 1024 * 1024
/** Some 30 MB of rows with two dozen columns; 64 parts are made of them. */
const PIECE_ROWS_MAX = 50_000
const PIECE_MS_MAX = 120 * SECOND_MS
const TOKEN_CHARACTERS = 8

export async function workSegment(
  deps: WorkDependencies,
  run: SnapshotRun,
  { segment, isTimeUp = () => false, onUsers, bounds = {} }: SegmentInput,
): Promise<SegmentOutcome> {
  const { rowsMax = PIECE_ROWS_MAX, bytesMax = WAITING_BYTES_MAX, pieceMsMax = PIECE_MS_MAX } = bounds
  const pace = unitPace(deps.readUnitsPerSecond, deps)
  let last = await lastPiece(deps, run, segment)
  let after = await scansAfter(deps, run, last)
  while (last === undefined || !isEnded(last)) {
    if ((await deps.runs.end(run)) !== undefined) return 'decided'
    if (isTimeUp()) return 'time-up'
    const endsAtMs = deps.clock() + pieceMsMax
    const isPieceOver = (): boolean => isTimeUp() || deps.clock() >= endsAtMs
    const scanned = await scanPiece(deps, {
      run,
      segment,
      after,
      bounds: { rowsMax, bytesMax, isTimeUp: isPieceOver },
      pace,
      onUsers,
    })
    const written = await writePiece(deps, run, { segment, number: (last?.number ?? -1) + 1, last, scanned })
    if (written === undefined) return 'overtaken'
    last = written
    after = scanned.after
  }
  return 'ended'
}

export function snapshotSchema(compiled: CompiledPipeline): TableSchema {
  return { columns: snapshotColumns(compiled), format: 'parquet', owner: compiled.pipeline.name }
}

interface NewPiece {
  readonly segment: number
  readonly number: number
  readonly last: SnapshotPiece | undefined
  readonly scanned: ScannedPiece
}

/** Undefined: somebody else has written it. */
async function writePiece(
  { compiled, catalog, runs, random }: WorkDependencies,
  run: SnapshotRun,
  { segment, number, last, scanned }: NewPiece,
): Promise<SnapshotPiece | undefined> {
  // Looked at before, so that parts which no manifest will name are rare.
  if ((await runs.piece(run, { segment, number })) !== undefined) return undefined
  const places = new Map<string, RowPlace | undefined>(
    scanned.after.flatMap(userId => (typeof userId === 'string' ? [[userId, undefined] as const] : [])),
  )
  const token = Array.from({ length: TOKEN_CHARACTERS }, () => Math.floor(random() * 36).toString(36)).join('')
  const schema = snapshotSchema(compiled)
  const parts = await catalog.writeParts(refOf(run), schema, {
    batchId: run.batchId,
    parts: scanned.rows.parts({ segment, piece: number, token }, places),
  })
  const positions = scanned.after.map((userId, scan): ScanPosition => {
    if (userId === SCAN_ENDED) return 'end'
    const place = userId === undefined ? undefined : places.get(userId)
    // Nobody of this scan came: it is where it was.
    return place ?? last?.positions[scan] ?? 'start'
  })
  const piece = { segment, number, parts, positions, counts: scanned.counts.plain() }
  if ((await runs.createPiece(run, piece)) === 'created') return piece
  // Taken, perhaps by this very call: its answer may have been lost and the client has repeated it. Names of parts have the token, and
  // where there are none the other one's piece says the same.
  const taker = await runs.piece(run, piece)
  const isSame = JSON.stringify([taker?.parts, taker?.positions]) === JSON.stringify([parts, positions])
  return isSame ? piece : undefined
}

async function lastPiece(
  { runs }: WorkDependencies,
  run: SnapshotRun,
  segment: number,
): Promise<SnapshotPiece | undefined> {
  const own = (await runs.pieces(run)).filter(piece => piece.segment === segment)
  const last = own.at(-1)
  return last === undefined ? undefined : runs.piece(run, last)
}

/** The users that the scans have come to, read from the parts that hold them. */
async function scansAfter(
  { catalog, runs }: WorkDependencies,
  run: SnapshotRun,
  last: SnapshotPiece | undefined,
): Promise<readonly ScanAfter[]> {
  if (last === undefined) return Array.from({ length: run.scans }, () => undefined)
  const location = { batchId: run.batchId, location: batchLocation(refOf(run), run.batchId) }
  const after: ScanAfter[] = []
  for (const position of last.positions) {
    if (position === 'end') after.push(SCAN_ENDED)
    else if (position === 'start') after.push(undefined)
    else after.push(await userAt(position))
  }
  return after

  async function userAt({ part: name, row }: RowPlace): Promise<string> {
    const part = await partOf(name)
    const { body } = await catalog.loadPart(location, part)
    const rows = await readParquet([{ name: 'user_id', type: 'string' }], body)
    const userId = rows[row]?.['user_id']
    if (typeof userId !== 'string') throw new Error(`${name} has no row ${row}`)
    return userId
  }

  /** A scan of which nobody came for a while is in an earlier piece. */
  async function partOf(name: string) {
    for (let piece = last; piece !== undefined; ) {
      const part = piece.parts.find(each => each.name === name)
      if (part !== undefined) return part
      const { segment, number } = piece
      piece = number === 0 ? undefined : await runs.piece(run, { segment, number: number - 1 })
    }
    throw new Error(`No piece of the segment names ${name}`)
  }
}
