// Which batch a command means, as people say it: by its ID, by an anchor's name, or by when it was current.
import type { BatchChoice } from '../catalog/choose-batch.ts'
import { parseRfc3339Ms } from '../event/event-time.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { CommandOption } from './command.ts'
import { UsageError } from './errors.ts'
import { batchIdOf } from './table-location.ts'

export const BATCH_OPTION = {
  batch: { type: 'string', value: 'ID', description: 'This batch. Default: the current one.' },
} as const satisfies Record<string, CommandOption>

export const AS_OF_OPTION = {
  'as-of': { type: 'string', value: 'TIME', description: 'The batch that was current then (RFC 3339).' },
} as const satisfies Record<string, CommandOption>

export const ANCHOR_OPTION = {
  anchor: { type: 'string', value: 'NAME', description: 'The batch that this name anchors.' },
} as const satisfies Record<string, CommandOption>

/** Of the options that the command has. Throws UsageError. */
export function batchChoiceOf(args: CommandArguments): BatchChoice {
  const [batch, anchor, asOfMs] = [args.text('batch'), args.text('anchor'), instantOption(args, 'as-of')]
  if ([batch, anchor, asOfMs].filter(given => given !== undefined).length > 1) {
    throw new UsageError('More than one option says which batch is meant', 'Give one of them.')
  }
  return { batchId: batch === undefined ? undefined : batchIdOf(batch), anchor, asOfMs }
}

/** ms. Throws UsageError. */
export function instantOption(args: CommandArguments, option: string): number | undefined {
  const text = args.text(option)
  if (text === undefined) return undefined
  const ms = parseRfc3339Ms(text)
  if (ms === undefined) throw new UsageError(`--${option} is "${text}"`, 'Write it as 2026-01-02T03:04:05Z.')
  return ms
}
