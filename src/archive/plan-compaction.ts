// Whether an hour is to be compacted: it is over, and has raw objects which its current batch may not contain.
import { batchIdTimeMs } from '../catalog/batch-id.ts'
import { HOUR_MS, MINUTE_MS } from '../platform/duration.ts'

/** After the end of an hour: what arrived at its end has left the stream by then, unless the archive is behind. */
export const CLOSED_AFTER_MS = HOUR_MS
/** An hour that the archive wrote to this recently is still being caught up on: it waits, as it would be compacted again. */
const QUIET_MS = 15 * MINUTE_MS
/** By how much the clocks of the bucket and of whoever compacts may differ. */
const CLOCKS_DIFFER_MS = HOUR_MS

export interface RawHour {
  /** `YYYYMMDDHH`, UTC. */
  readonly hour: string
  /** When its newest raw object was created. */
  readonly newestMs: number
  /** Of the hour's current batch, if it has one. */
  readonly batchId: string | undefined
}

/** What a batch contains is not asked here: such an hour may turn out to have nothing new. */
export function isToCompact(hour: RawHour, nowMs: number): boolean {
  return isClosed(hour, nowMs) && mayHaveMore(hour)
}

function isClosed({ hour, newestMs }: RawHour, nowMs: number): boolean {
  return nowMs - (hourStartMs(hour) + HOUR_MS) >= CLOSED_AFTER_MS && nowMs - newestMs >= QUIET_MS
}

/** A batch is named before its raw objects are listed, so whatever is older than its name is in it. */
function mayHaveMore({ batchId, newestMs }: RawHour): boolean {
  const begunMs = batchId === undefined ? undefined : batchIdTimeMs(batchId)
  return begunMs === undefined || newestMs > begunMs - CLOCKS_DIFFER_MS
}

function hourStartMs(hour: string): number {
  return Date.UTC(
    Number(hour.slice(0, 4)),
    Number(hour.slice(4, 6)) - 1,
    Number(hour.slice(6, 8)),
    Number(hour.slice(8)),
  )
}
