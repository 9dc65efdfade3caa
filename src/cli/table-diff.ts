// `millrace table diff`: what is different between two batches of a partition, or between the batches of two partitions.
import { isBatchId } from '../catalog/batch-id.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { LoadedBatch } from '../catalog/load-batch.ts'
import { checkPartition, type PartitionRef, tableKey } from '../catalog/names.ts'
import { compareBatches } from '../compose/compare-batches.ts'
import { parseRfc3339Ms } from '../event/event-time.ts'
import type { Command } from './command.ts'
import { CommandError } from './errors.ts'
import { diffLines } from './table-diff-text.ts'
import { asUsage, partitionOf } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

const EXAMPLES_MAX = 1_000
const EXAMPLES_DEFAULT = 5

export const command: Command = {
  name: 'table diff',
  summary: 'Show what is different between two batches: rows by their key, columns, and how numbers are distributed.',
  positionals: ['table', 'partition', 'other?'],
  options: {
    from: {
      type: 'string',
      value: 'BATCH',
      description:
        'A batch ID, an anchor, or a time. Default: the batch before, or the current one where two partitions are named.',
    },
    to: { type: 'string', value: 'BATCH', description: 'The same of the other one. Default: the current one.' },
    key: {
      type: 'string',
      value: 'COLUMN',
      multiple: true,
      description: 'Names a row; may be repeated. Default: user_id.',
    },
    examples: {
      type: 'string',
      value: 'N',
      description: `Show so many rows of each kind. Default: ${EXAMPLES_DEFAULT}.`,
    },
    ...STAGE_OPTION,
  },
  async run(context, args) {
    const ref = partitionOf(args)
    const other = args.optionalPositional('other')
    const otherRef =
      other === undefined ? ref : asUsage(() => ({ ...ref, partition: checkPartition({ ...ref, partition: other }) }))
    const examplesMax = args.wholeNumber('examples', { min: 0, max: EXAMPLES_MAX }) ?? EXAMPLES_DEFAULT
    const [fromText, toText] = [args.text('from'), args.text('to')]
    const diff = await withConnection(context, args, async ({ catalog }) => {
      const to = await catalog.load(otherRef, choiceOf(toText))
      const isBefore = other === undefined && fromText === undefined
      const from = isBefore
        ? await batchBefore(catalog, ref, to.record.batchId)
        : await catalog.load(ref, choiceOf(fromText))
      return compareBatches(
        { ref, batch: from },
        { ref: otherRef, batch: to },
        { keys: args.texts('key'), examplesMax },
      )
    })
    context.result(diff, () => diffLines(diff))
  },
}

function choiceOf(text: string | undefined) {
  if (text === undefined || isBatchId(text)) return { batchId: text }
  const asOfMs = parseRfc3339Ms(text)
  return asOfMs === undefined ? { anchor: text } : { asOfMs }
}

/** The last one that was current before this one was, and that has its bytes. */
async function batchBefore(catalog: Catalog, ref: PartitionRef, batchId: string): Promise<LoadedBatch> {
  const history = await catalog.history(ref)
  const since = history.findIndex(entry => entry.batchId === batchId)
  const seen = new Set([batchId])
  for (const entry of history.slice(since + 1)) {
    if (seen.has(entry.batchId)) continue
    seen.add(entry.batchId)
    if ((await catalog.batch(ref, entry.batchId)).state === 'hot') return catalog.load(ref, entry.batchId)
  }
  throw new CommandError(
    `${tableKey(ref)}, partition ${ref.partition}, has no batch before ${batchId} to compare with`,
    {
      code: 'batch-not-found',
      next: 'Name another partition, or a batch with --from.',
    },
  )
}
