// One line of the status: it says one thing, whether that is well, and what to do where it is not.
import type { Json } from '../platform/canonical-json.ts'
import { isRead, type Reading } from './readings.ts'

export interface StatusLine {
  /** Stable: `recompute`, `dead-letters`, `model.churn`. */
  readonly name: string
  /** `unknown`: it could not be read, which is not well either. */
  readonly verdict: 'well' | 'unwell' | 'unknown'
  readonly text: string
  /** The command that helps, or what to look at. */
  readonly next: string | undefined
  /** What the text says, for programs. */
  readonly values: Readonly<Record<string, Json>>
}

export function well(name: string, text: string, values: StatusLine['values'] = {}): StatusLine {
  return { name, verdict: 'well', text, next: undefined, values }
}

export function unwell(name: string, text: string, about: Pick<StatusLine, 'next'> & Partial<StatusLine>): StatusLine {
  return { name, verdict: 'unwell', text, values: {}, ...about }
}

/** The line of what could be read, else that it could not. */
export function lineOf<T>(name: string, found: Reading<T>, line: (value: T) => StatusLine): StatusLine {
  if (isRead(found)) return line(found.value)
  return { name, verdict: 'unknown', text: `cannot be read: ${found.problem}`, next: found.next, values: {} }
}
