// From when on a feature is right for users whom other definitions folded: at once where these kept what it reads, else from a backfill
// on, or when its window holds only what was folded since.
import { hopMs } from '../features/windows.ts'
import type { DescribedFeature, DescribedRead, DescribedState } from './definitions.ts'

export type Readiness =
  | { readonly kind: 'at-once' }
  /** Null until it is backfilled, or until then. */
  | { readonly kind: 'backfill'; readonly fills: Filling }

/** How it becomes right by itself. */
export type Filling =
  /** At most so long after the user's first event since, ms. */
  | { readonly by: 'time'; readonly afterMs: number }
  /** With so many more events of its type; or by time, where it has a window. */
  | { readonly by: 'events'; readonly events: number; readonly afterMs: number | null }
  /** It counts the user's whole life, of which a part is not there. */
  | { readonly by: 'nothing' }

const AT_ONCE: Readiness = { kind: 'at-once' }

/** `before`, `after`: the states of the two definitions, by key. The latest of all that the feature reads. */
export function featureReadiness(
  { reads }: Pick<DescribedFeature, 'reads'>,
  before: ReadonlyMap<string, DescribedState>,
  after: ReadonlyMap<string, DescribedState>,
): Readiness {
  return reads.map(read => readReadiness(read, before.get(read.state), after.get(read.state))).reduce(later, AT_ONCE)
}

function readReadiness(
  { withinMs }: DescribedRead,
  before: DescribedState | undefined,
  after: DescribedState | undefined,
): Readiness {
  const events = after?.newestK ?? 0
  if (events > 0) {
    const afterMs = withinMs === null ? null : withinMs + hopMs(withinMs)
    return before === undefined ? { kind: 'backfill', fills: { by: 'events', events, afterMs } } : AT_ONCE
  }
  if (withinMs === null) {
    return before?.isWholeLife === true ? AT_ONCE : { kind: 'backfill', fills: { by: 'nothing' } }
  }
  const afterMs = missingMs(withinMs, before, after)
  return afterMs === 0 ? AT_ONCE : { kind: 'backfill', fills: { by: 'time', afterMs } }
}

/**
 * How much of the window is not there, or in tiles too coarse for it. A tile stands as fine as some window over it hops, so
 * what is fine enough reaches back as far as the longest window whose hop is no longer.
 */
function missingMs(withinMs: number, before: DescribedState | undefined, after: DescribedState | undefined): number {
  // A decay's hop is its own, and part of what names the state.
  const isSame = before !== undefined && String(before.windowsMs) === String(after?.windowsMs)
  if (isSame) return 0
  const hop = hopMs(withinMs)
  const windows = before?.windowsMs ?? []
  const fine = Math.max(0, ...windows.filter(window => hopMs(window) <= hop))
  if (fine >= withinMs) return 0
  const coarsest = Math.max(0, ...windows.map(hopMs).filter(coarse => coarse > hop))
  return withinMs - fine + coarsest + hop
}

/** Of two that must both be right. What fills by itself at all fills before what does not; events are no time. */
function later(a: Readiness, b: Readiness): Readiness {
  if (a.kind === 'at-once') return b
  if (b.kind === 'at-once') return a
  return rank(a.fills) >= rank(b.fills) ? a : b
}

function rank(fills: Filling): number {
  switch (fills.by) {
    case 'events':
      // Nobody knows when the next events come.
      return fills.afterMs ?? 0
    case 'time':
      return fills.afterMs
    case 'nothing':
      return Number.POSITIVE_INFINITY
  }
}
