// Which batch of which partition, and which of its columns, `millrace table load` is asked for.
import type { Catalog } from '../catalog/catalog.ts'
import type { BatchChoice } from '../catalog/choose-batch.ts'
import { choosePartition } from '../catalog/choose-partition.ts'
import type { Column } from '../catalog/columns.ts'
import type { LoadedBatch } from '../catalog/load-batch.ts'
import { checkPartition, parseTableName, type PartitionRef } from '../catalog/names.ts'
import { timestampOfText } from '../catalog/text-values.ts'
import { wantedColumns } from '../catalog/table-rows.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { CommandOption } from './command.ts'
import { UsageError } from './errors.ts'
import { asUsage, batchIdOf } from './table-location.ts'

export const CHOICE_OPTIONS = {
  batch: { type: 'string', value: 'ID', description: 'This batch. Default: the current one.' },
  anchor: { type: 'string', value: 'NAME', description: 'The batch that is anchored so.' },
  'as-of': {
    type: 'string',
    value: 'TIME',
    description: 'The batch that was current then, by the time of its commit: 2026-06-30T06:00:00Z.',
  },
} as const satisfies Record<string, CommandOption>

export interface FoundBatch {
  readonly ref: PartitionRef
  readonly batch: LoadedBatch
  /** For people: `batch X`, and the partition where the command chose it. */
  readonly words: string
}

/** What is asked for, checked before anything is called. Throws UsageError. */
export function chosenBatch(args: CommandArguments): (catalog: Catalog) => Promise<FoundBatch> {
  const table = asUsage(() => parseTableName(args.positional('table')))
  const partition = args.optionalPositional('partition')
  if (partition !== undefined) asUsage(() => checkPartition({ ...table, partition }))
  const choice = choiceOf(args)
  return async catalog => {
    const { ref, entry } = await choosePartition(catalog, { ...table, partition }, choice)
    const words = `batch ${entry.batchId}${partition === undefined ? `, partition ${ref.partition}` : ''}`
    return { ref, batch: await catalog.load(ref, entry.batchId), words }
  }
}

function choiceOf(args: CommandArguments): BatchChoice {
  const [batch, anchor, asOf] = [args.text('batch'), args.text('anchor'), args.text('as-of')]
  if ([batch, anchor, asOf].filter(given => given !== undefined).length > 1) {
    throw new UsageError('More than one of --batch, --anchor and --as-of is given', 'Give one of them.')
  }
  const asOfMs = asOf === undefined ? undefined : timestampOfText(asOf)
  if (asOf !== undefined && asOfMs === undefined) {
    throw new UsageError(`--as-of is "${asOf}"`, 'Write RFC 3339 with an offset: 2026-06-30T06:00:00Z.')
  }
  return { batchId: batch === undefined ? undefined : batchIdOf(batch), anchor, asOfMs }
}

/** Of `--columns a,b`; undefined: all. */
export function columnsOf(args: CommandArguments, { manifest }: LoadedBatch): readonly Column[] | undefined {
  const names = args.text('columns')
  return names === undefined
    ? undefined
    : wantedColumns(
        manifest,
        names.split(',').map(name => name.trim()),
      )
}
