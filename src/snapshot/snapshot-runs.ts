// Runs as objects of the archive bucket, below `snapshot-runs/<partition>/<number>/`: created if absent and listed, so that workers
// that know nothing of each other agree on who did what, and a run outlives all of them.
import type { ObjectStore } from '../platform/object-store.ts'
import {
  decodeEnd,
  decodePiece,
  decodeRun,
  encodeRecord,
  type RunEnd,
  type SnapshotPiece,
  type SnapshotRun,
} from './run-records.ts'

export const RUNS_PREFIX = 'snapshot-runs/'

const CREATE = { contentType: 'application/json' }
const NAME = /^(\d{4})\/(?:(run|end)\.json|pieces\/(\d{4})-(\d{6})\.json)$/

export type RunRef = Pick<SnapshotRun, 'partition' | 'number'>

export interface PieceInfo {
  readonly segment: number
  readonly number: number
  readonly createdMs: number
}

/** What is there of a run, by its objects' names. */
export interface RunListing extends RunRef {
  readonly createdMs: number
  readonly isDecided: boolean
  readonly pieces: readonly PieceInfo[]
}

/** All throw ObjectStoreError, and SnapshotError `snapshot-run-invalid`. */
export interface SnapshotRuns {
  /** Of a partition, oldest first. */
  list(partition: string): Promise<readonly RunListing[]>
  read(ref: RunRef): Promise<SnapshotRun | undefined>
  create(run: SnapshotRun): Promise<'created' | 'exists'>
  pieces(ref: RunRef): Promise<readonly PieceInfo[]>
  piece(ref: RunRef, piece: Pick<PieceInfo, 'segment' | 'number'>): Promise<SnapshotPiece | undefined>
  createPiece(ref: RunRef, piece: SnapshotPiece): Promise<'created' | 'exists'>
  end(ref: RunRef): Promise<RunEnd | undefined>
  createEnd(ref: RunRef, end: RunEnd): Promise<'created' | 'exists'>
}

export function snapshotRuns(objects: ObjectStore): SnapshotRuns {
  const read = async <T>(key: string, decode: (key: string, bytes: Uint8Array) => T): Promise<T | undefined> => {
    const bytes = await objects.get(key)
    return bytes === undefined ? undefined : decode(key, bytes)
  }
  return {
    list: partition => listRuns(objects, partition),
    read: ref => read(`${folderOf(ref)}run.json`, decodeRun),
    create: run => objects.create(`${folderOf(run)}run.json`, encodeRecord(run), CREATE),
    pieces: async ref => {
      const pieces: PieceInfo[] = []
      for await (const { key, createdMs } of objects.list(`${folderOf(ref)}pieces/`)) {
        const named = nameOf(ref.partition, key)
        if (named?.piece !== undefined) pieces.push({ ...named.piece, createdMs })
      }
      return pieces
    },
    piece: (ref, piece) => read(pieceKey(ref, piece), decodePiece),
    createPiece: (ref, piece) => objects.create(pieceKey(ref, piece), encodeRecord(piece), CREATE),
    end: ref => read(`${folderOf(ref)}end.json`, decodeEnd),
    createEnd: (ref, end) => objects.create(`${folderOf(ref)}end.json`, encodeRecord(end), CREATE),
  }
}

async function listRuns(objects: ObjectStore, partition: string): Promise<RunListing[]> {
  const runs = new Map<number, { createdMs: number | undefined; isDecided: boolean; pieces: PieceInfo[] }>()
  for await (const { key, createdMs } of objects.list(`${RUNS_PREFIX}${partition}/`)) {
    const named = nameOf(partition, key)
    if (named === undefined) continue
    const run = runs.get(named.number) ?? { createdMs: undefined, isDecided: false, pieces: [] }
    runs.set(named.number, run)
    if (named.piece !== undefined) run.pieces.push({ ...named.piece, createdMs })
    else if (named.file === 'run') run.createdMs = createdMs
    else run.isDecided = true
  }
  return [...runs].flatMap(([number, { createdMs, ...rest }]) =>
    createdMs === undefined ? [] : [{ partition, number, createdMs, ...rest }],
  )
}

interface ObjectName {
  readonly number: number
  readonly file: string | undefined
  readonly piece: Pick<PieceInfo, 'segment' | 'number'> | undefined
}

function nameOf(partition: string, key: string): ObjectName | undefined {
  const match = NAME.exec(key.slice(`${RUNS_PREFIX}${partition}/`.length))
  if (match === null) return undefined
  const [, number, file, segment, piece] = match
  const isPiece = segment !== undefined
  return {
    number: Number(number),
    file,
    piece: isPiece ? { segment: Number(segment), number: Number(piece) } : undefined,
  }
}

function folderOf({ partition, number }: RunRef): string {
  return `${RUNS_PREFIX}${partition}/${String(number).padStart(4, '0')}/`
}

function pieceKey(ref: RunRef, { segment, number }: Pick<PieceInfo, 'segment' | 'number'>): string {
  return `${folderOf(ref)}pieces/${String(segment).padStart(4, '0')}-${String(number).padStart(6, '0')}.json`
}
