// What a run of the snapshot writes down, each object once and never changed: what is to be done, each piece that is done, and how
// it ended. No user is named in any of them: where a scan goes on is said by the part and the row that hold the user it came to.
import * as z from 'zod/mini'
import { columnType } from '../catalog/columns.ts'
import type { ManifestPart } from '../catalog/manifest.ts'
import type { Json } from '../platform/canonical-json.ts'
import { SnapshotError } from './errors.ts'
import type { PlainCounts } from './user-counts.ts'

const whole = z.number().check(z.int(), z.gte(0))

const runSchema = z.object({
  formatVersion: z.literal(1),
  db: z.string(),
  partition: z.string(),
  /** Of the partition, from 1. */
  number: whole,
  /** Everybody is evaluated at it, or at the newest event if that is later. */
  instantMs: z.number(),
  batchId: z.string(),
  createdAtMs: whole,
  /** Each is one worker's. */
  segments: whole,
  /** Of each segment, side by side. */
  scans: whole,
  /** Of the pipeline: a worker of another deploy cannot go on. */
  definitions: z.string(),
  /** Of the rows, whatever another deploy would have. */
  columns: z.array(z.object({ name: z.string(), type: columnType })),
  /** Model → batch ID, the same for all workers; a model without one answers `no-model`. */
  models: z.record(z.string(), z.string()),
  /** What DynamoDB said, some hours old; null: not asked. */
  tableItems: z.nullable(whole),
  who: z.string(),
  why: z.string(),
  /** Of the schedule's event, which may be delivered twice. */
  requestId: z.optional(z.string()),
})

export type SnapshotRun = z.infer<typeof runSchema>

/** `start`: nobody of the scan is in a part yet; `end`: it is done. */
export type ScanPosition = 'start' | 'end' | { readonly part: string; readonly row: number }

/** A stretch of a segment: what is in its parts, and where its scans are after it. */
export interface SnapshotPiece {
  readonly segment: number
  /** Of the segment, from 0, without gaps. */
  readonly number: number
  readonly parts: readonly ManifestPart[]
  readonly positions: readonly ScanPosition[]
  readonly counts: PlainCounts
}

const pieceSchema = z.object({
  segment: whole,
  number: whole,
  parts: z.array(z.object({ name: z.string(), bytes: whole, rows: whole, sha256: z.string() })),
  positions: z.array(z.union([z.literal('start'), z.literal('end'), z.object({ part: z.string(), row: whole })])),
  counts: z.looseObject({ facts: z.looseObject({ users: whole }) }),
})

const endSchema = z.object({
  /** `commit`: decided, and done once the log has the batch. */
  outcome: z.enum(['commit', 'given-up']),
  at: whole,
  who: z.string(),
  why: z.string(),
  /** Given up for a reason that another run has not. */
  isAgain: z.optional(z.boolean()),
})

export type RunEnd = z.infer<typeof endSchema>

export function isEnded({ positions }: Pick<SnapshotPiece, 'positions'>): boolean {
  return positions.every(position => position === 'end')
}

export function encodeRecord(record: SnapshotRun | SnapshotPiece | RunEnd): Uint8Array {
  return Buffer.from(JSON.stringify(record))
}

/** These throw SnapshotError `snapshot-run-invalid`. */
export function decodeRun(key: string, bytes: Uint8Array): SnapshotRun {
  return decode(runSchema, key, bytes)
}

export function decodePiece(key: string, bytes: Uint8Array): SnapshotPiece {
  return decode(pieceSchema, key, bytes) as unknown as SnapshotPiece
}

export function decodeEnd(key: string, bytes: Uint8Array): RunEnd {
  return decode(endSchema, key, bytes)
}

function decode<T>(schema: z.ZodMiniType<T>, key: string, bytes: Uint8Array): T {
  const parsed = schema.safeParse(parseJson(bytes))
  if (parsed.success) return parsed.data
  const where = parsed.error.issues.map(issue => issue.path.join('.') || 'the whole').join(', ')
  throw new SnapshotError(`${key} is not what a run of the snapshot writes: ${where}`, {
    code: 'snapshot-run-invalid',
    next: 'Another release wrote it. Give the run up: millrace snapshot run --give-up.',
  })
}

function parseJson(bytes: Uint8Array): Json | undefined {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as Json
  } catch {
    return undefined
  }
}
