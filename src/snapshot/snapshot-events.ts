// What the snapshot function is invoked with: the night's schedule, itself for a segment, and once an hour to take up what hangs.
import { parseRfc3339Ms } from '../event/event-time.ts'

/** One worker's share, and how often the function has gone on with itself in a row. */
export interface WorkEvent {
  readonly snapshot: 'work'
  readonly partition: string
  readonly run: number
  readonly segment: number
  readonly turn: number
}

export type SnapshotEvent =
  | WorkEvent
  | { readonly snapshot: 'take-up' }
  | { readonly snapshot: 'take'; readonly instantMs: number; readonly requestId?: string }

/** The schedule's own time is the instant, so that one that is delivered again evaluates everybody at the same one. */
export function readSnapshotEvent(event: unknown, nowMs: number): SnapshotEvent {
  const members: Readonly<Record<string, unknown>> = typeof event === 'object' && event !== null ? { ...event } : {}
  const { snapshot, partition, run, segment, turn, time, id } = members
  if (snapshot === 'take-up') return { snapshot }
  if (snapshot === 'work' && typeof partition === 'string' && isCount(run) && isCount(segment) && isCount(turn)) {
    return { snapshot, partition, run, segment, turn }
  }
  const scheduledMs = typeof time === 'string' ? parseRfc3339Ms(time) : undefined
  return {
    snapshot: 'take',
    instantMs: scheduledMs ?? nowMs,
    ...(typeof id === 'string' && scheduledMs !== undefined ? { requestId: id } : {}),
  }
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0
}
