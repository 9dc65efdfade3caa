// A refusal that a contract gives: of which type, what of it, where, and why; never with a value.
import type { Refusal, RefusalReason } from './decoded-event.ts'
import type { Path } from './payload-path.ts'
import type { Problem } from './problem.ts'

export interface RefusedPlace {
  readonly type: string
  /** As people call it: `the user id`, `the field amount`. */
  readonly what: string
  readonly path: Path
  /** The contract's name of the field, where it is one. */
  readonly field?: string | undefined
}

export function refuse(
  reason: RefusalReason,
  { type, what, path, field }: RefusedPlace,
  { problem }: Problem,
): Refusal {
  const detail = `${type}: ${what} at "${path.join('.')}" ${problem}.`
  return { reason, detail, type, ...(field === undefined ? {} : { field }) }
}
