// Which version a stage had before the one that it has: not simply the entry before in its log, which after a rollback is the very
// version that was left.
import type { LogEntry } from '../catalog/items.ts'

/** `log`: of one stage, newest first. Undefined where there was none, or none that may be used. */
export function versionBefore(
  log: readonly Pick<LogEntry, 'kind' | 'batchId'>[],
  isYanked: (batchId: string) => boolean,
): string | undefined {
  const held: string[] = []
  for (const { kind, batchId } of log.toReversed()) {
    const earlier = held.lastIndexOf(batchId)
    if (kind === 'rollback' && earlier !== -1) held.length = earlier
    held.push(batchId)
  }
  const current = held.at(-1)
  return held.findLast(batchId => batchId !== current && !isYanked(batchId))
}
