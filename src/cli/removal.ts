// What the commands that remove bytes of the catalogue's batches have in common: a receipt for each removal, and how what went is shown.
import type { PurgedBatch } from '../catalog/purge-batches.ts'
import { type BatchRemoval, batchRemoval } from '../compose/batch-removal.ts'
import type { Connection } from '../compose/connect.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { CommandContext } from './command.ts'
import { stageOf } from './stage.ts'
import { reasonOf } from './table-location.ts'

export function removalOf(
  context: CommandContext,
  args: CommandArguments,
  { connection, pipeline }: { readonly connection: Connection; readonly pipeline: Pipeline },
): BatchRemoval {
  const stage = stageOf(args, pipeline.name)
  return batchRemoval(connection, { pipeline: pipeline.name, stage, clock: context.clock, ...reasonOf(context, args) })
}

/** The batches one by one, up to this many: the rest is a number. */
const SHOWN_MAX = 20

export function purgedLines(purged: readonly PurgedBatch[], verb: string): readonly string[] {
  const [objects, bytes] = [purged.map(each => each.objects), purged.map(each => each.bytes)].map(sum)
  const more = purged.length - SHOWN_MAX
  return [
    `${purged.length} batches ${verb}: ${objects} objects, ${bytes} bytes`,
    ...purged
      .slice(0, SHOWN_MAX)
      .map(
        each => `  ${each.batchId}  ${each.partition}  ${each.rows} rows, ${each.objects} objects, ${each.bytes} bytes`,
      ),
    ...(more > 0 ? [`  and ${more} more: --json lists them all`] : []),
  ]
}

export function receiptLines({ receipts, table }: BatchRemoval): readonly string[] {
  return receipts.length === 0 ? [] : [`What was removed: batch ${receipts.join(', ')} of ${table}`]
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0)
}
