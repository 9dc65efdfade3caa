// Options that are durations, as people write them.
import { parseDurationMs } from '../platform/duration.ts'
import { MillraceError } from '../platform/errors.ts'
import type { CommandArguments } from './command-arguments.ts'
import { UsageError } from './errors.ts'

/** Undefined where it is not given. Throws UsageError. */
export function durationOption(args: CommandArguments, option: string): number | undefined {
  const text = args.text(option)
  if (text === undefined) return undefined
  try {
    return parseDurationMs(text)
  } catch (error) {
    if (error instanceof MillraceError) throw new UsageError(`--${option}: ${error.message}`, error.next ?? '')
    throw error
  }
}
