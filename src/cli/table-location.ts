// What the commands that write to the catalogue's tables have in common: how a partition is named, and who says why.
import { checkBatchId } from '../catalog/batch-id.ts'
import { CatalogError } from '../catalog/errors.ts'
import type { LogEntry } from '../catalog/items.ts'
import { checkPartition, type PartitionRef, parseTableName, type TableRef } from '../catalog/names.ts'
import { toRfc3339 } from '../platform/clock.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { CommandContext, CommandOption } from './command.ts'
import { UsageError } from './errors.ts'

export const TABLE_POSITIONALS = ['table', 'partition'] as const

/** Throws UsageError where the table is not `db.table`, or the partition no name of one. */
export function partitionOf(args: CommandArguments): PartitionRef {
  return asUsage(() => {
    const ref = { ...parseTableName(args.positional('table')), partition: args.positional('partition') }
    checkPartition(ref)
    return ref
  })
}

/** Throws UsageError where it is not `db.table`. */
export function tableOf(args: CommandArguments): TableRef {
  return asUsage(() => parseTableName(args.positional('table')))
}

/** Undefined where it is left out: all of them. */
export function optionalTableOf(args: CommandArguments): TableRef | undefined {
  return args.optionalPositional('table') === undefined ? undefined : tableOf(args)
}

/** Throws UsageError where the text is no batch ID. */
export function batchIdOf(text: string): string {
  return asUsage(() => checkBatchId(text))
}

/** What the catalogue could never take is the command line's fault, said before anything is asked. */
export function asUsage<T>(check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (error instanceof CatalogError) throw new UsageError(error.message, error.next ?? 'See --help of this command.')
    throw error
  }
}

const WHY_DEFAULT = 'by hand'

export const REASON_OPTIONS = {
  who: { type: 'string', value: 'NAME', description: 'Who does it, for the history. Default: $USER.' },
  why: { type: 'string', value: 'TEXT', description: `Why, for the history. Default: ${WHY_DEFAULT}.` },
} as const satisfies Record<string, CommandOption>

export function reasonOf(
  { env }: CommandContext,
  args: CommandArguments,
): { readonly who: string; readonly why: string } {
  return { who: args.text('who') ?? env['USER'] ?? 'unknown', why: args.text('why') ?? WHY_DEFAULT }
}

/** `12  2026-01-02T03:04:05.000Z  commit  20260102030405-7h3k9c2m  ana: nightly` */
export function describeEntry({ number, at, kind, batchId, who, why }: LogEntry): string {
  return `${String(number).padStart(5)}  ${toRfc3339(at)}  ${kind.padEnd(8)}  ${batchId}  ${who}: ${why}`
}
