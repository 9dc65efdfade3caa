// What the parts of a snapshot are called: first the bucket of their users, then who wrote them, with a token of the attempt, so
// that one that comes again after a crash does not meet what the first has left.
import { USER_BUCKETS } from '../platform/hash.ts'

export interface PartWriter {
  readonly segment: number
  readonly piece: number
  readonly token: string
}

/** `part-07-003-00012-k3x9a2-0` */
export function snapshotPartName(bucket: number, { segment, piece, token }: PartWriter, number: number): string {
  return `part-${pad(bucket, 2)}-${pad(segment, 3)}-${pad(piece, 5)}-${token}-${number}`
}

/** The bucket that all its users are of; undefined where a part is named otherwise and may have users of any. */
export function bucketOfPart(name: string): number | undefined {
  const digits = /^part-(\d\d)-(?:\d{4}|\d{3}-[0-9a-z-]+)\./.exec(name)?.[1]
  return digits === undefined || Number(digits) >= USER_BUCKETS ? undefined : Number(digits)
}

function pad(number: number, digits: number): string {
  return String(number).padStart(digits, '0')
}
