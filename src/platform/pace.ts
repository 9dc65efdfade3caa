// At most so many writes a second, evenly: who goes through all users shares the table with the stream.
import type { Clock, Sleep } from './clock.ts'
import { SECOND_MS } from './duration.ts'

/** Awaited before each write; `perSecond` undefined: at once. */
export function writePace(
  perSecond: number | undefined,
  { clock, sleep }: { readonly clock: Clock; readonly sleep: Sleep },
): () => Promise<void> {
  if (perSecond === undefined) return async () => undefined
  let nextMs = Number.NEGATIVE_INFINITY
  return async () => {
    const nowMs = clock()
    // Taken before it waits, so that writes in flight at once do not take the same place.
    const atMs = Math.max(nextMs, nowMs)
    nextMs = atMs + SECOND_MS / perSecond
    if (atMs > nowMs) await sleep(atMs - nowMs)
  }
}

/**
 * Told after each read what it took, it waits until as much may be taken again: at most so many units a second, the time that the work
 * takes between two reads counted. `perSecond` undefined: it never waits.
 */
export function unitPace(
  perSecond: number | undefined,
  { clock, sleep }: { readonly clock: Clock; readonly sleep: Sleep },
): (units: number) => Promise<void> {
  if (perSecond === undefined) return async () => undefined
  let fromMs = clock()
  return async units => {
    const nowMs = clock()
    const freeMs = fromMs + (units / perSecond) * SECOND_MS
    // Time that was not used is lost, so that nobody reads more at once later.
    fromMs = Math.max(freeMs, nowMs)
    if (freeMs > nowMs) await sleep(freeMs - nowMs)
  }
}
