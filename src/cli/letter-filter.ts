// What commands on dead letters are narrowed by: a reason that there is, and a span of arrival.
import { LETTER_REASONS, meaningOf } from '../archive/letter-reasons.ts'
import { parseRfc3339Ms } from '../event/event-time.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { CommandOption } from './command.ts'
import { UsageError } from './errors.ts'
import { nearest } from './nearest.ts'

export const LETTER_FILTER_OPTIONS = {
  reason: {
    type: 'string',
    value: 'REASON',
    description: 'Only those with this reason: late, contract, given-up, ...',
  },
  from: {
    type: 'string',
    value: 'TIME',
    description: 'Only those that arrived at or after this instant (RFC 3339).',
  },
  to: { type: 'string', value: 'TIME', description: 'Only those that arrived before this instant (RFC 3339).' },
} as const satisfies Record<string, CommandOption>

/** Throws UsageError for a reason that nothing is ever refused for: letters that nobody has are not the same as none. */
export function reasonOption(args: CommandArguments): string | undefined {
  const reason = args.text('reason')
  if (reason === undefined || meaningOf(reason) !== undefined) return reason
  const near = nearest(reason, Object.keys(LETTER_REASONS))
  throw new UsageError(
    `No record is ever set aside as "${reason}"`,
    near === undefined ? `Reasons are ${Object.keys(LETTER_REASONS).join(', ')}.` : `Did you mean ${near}?`,
  )
}

/** Throws UsageError. */
export function instantOption(args: CommandArguments, option: 'from' | 'to'): number | undefined {
  const text = args.text(option)
  if (text === undefined) return undefined
  const ms = parseRfc3339Ms(text)
  if (ms !== undefined) return ms
  throw new UsageError(`--${option} is "${text}"`, 'Give a time with an offset, such as 2026-01-02T03:00:00Z.')
}
