// `millrace table verify`: whether what is stored is what was committed, byte for byte. It ends with 1 where anything differs, so that a
// schedule hears of it.
import { mapWithLimit } from '../platform/concurrency.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { type PartitionRef, tableKey, type TableRef } from '../catalog/names.ts'
import { readTableBatches } from '../catalog/table-batches.ts'
import { existingTable } from '../catalog/table-schema.ts'
import { type Difference, type VerifiedBatch, verifyBatch } from '../catalog/verify-batch.ts'
import type { Connection } from '../compose/connect.ts'
import { ANCHOR_OPTION, AS_OF_OPTION, BATCH_OPTION, batchChoiceOf } from './batch-choice.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { Command } from './command.ts'
import { CommandError, UsageError } from './errors.ts'
import { partitionOf, tableOf } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

/** Each has up to two parts in memory. */
const BATCHES_IN_FLIGHT_MAX = 4
const SHOWN_MAX = 100
/** A batch may be as its writer made it, and nothing that a reader understands. */
const BYTES_ONLY = 'Looked at bytes and hashes only: --rows reads every value as well'

export const command: Command = {
  name: 'table verify',
  summary: 'Hold every byte of a batch, or of all of a table, against its papers.',
  positionals: ['table', 'partition?'],
  options: {
    ...BATCH_OPTION,
    ...ANCHOR_OPTION,
    ...AS_OF_OPTION,
    all: { type: 'boolean', description: 'Every batch that has its bytes, and not the current ones only.' },
    rows: { type: 'boolean', description: 'Read every value as well; without it, bytes and hashes only.' },
    ...STAGE_OPTION,
  },
  async run(context, args) {
    const ref = tableOf(args)
    const wanted = wantedOf(args)
    const verified = await withConnection(context, args, async ({ catalog, catalogStores }) => {
      const targets = await targetsOf(catalog, catalogStores.store, ref, wanted)
      const progress = context.progress('Verifying', targets.length)
      const ports = { ...catalogStores, isReadingRows: args.flag('rows') }
      const found = await mapWithLimit(targets, BATCHES_IN_FLIGHT_MAX, async ({ batchId, ...target }) => {
        const batch = await verifyBatch(ports, target, batchId)
        progress.advance(1)
        return batch
      })
      progress.done()
      return found
    })
    const wrong = verified.filter(({ differences }) => differences.length > 0)
    const total = (of: (batch: VerifiedBatch) => number): number => verified.reduce((sum, batch) => sum + of(batch), 0)
    const totals = {
      parts: total(({ parts }) => parts),
      rows: total(({ rows }) => rows),
      bytes: total(({ bytes }) => bytes),
    }
    const looked = args.flag('rows') ? 'rows' : 'bytes'
    const json = { table: tableKey(ref), looked, batches: verified.length, ...totals, wrong: wrong.length, verified }
    context.result(json, () => [
      `${verified.length} batches of ${tableKey(ref)}: ${totals.parts} parts, ${totals.rows} rows, ${totals.bytes} bytes`,
      ...verified.flatMap(describe),
      ...(wrong.length === 0 ? ['Nothing differs'] : []),
      ...(looked === 'bytes' ? [BYTES_ONLY] : []),
    ])
    if (wrong.length > 0) throw differs(wrong)
  },
}

type Wanted = { readonly partition: PartitionRef | undefined; readonly isAll: boolean } & ReturnType<
  typeof batchChoiceOf
>

function wantedOf(args: CommandArguments): Wanted {
  const choice = batchChoiceOf(args)
  const partition = args.optionalPositional('partition') === undefined ? undefined : partitionOf(args)
  const isChosen = Object.values(choice).some(given => given !== undefined)
  if (isChosen && (partition === undefined || args.flag('all'))) {
    throw new UsageError('One batch is of one partition', 'Name the partition, and leave --all out.')
  }
  return { ...choice, partition, isAll: args.flag('all') }
}

type Target = PartitionRef & { readonly batchId: string }

async function targetsOf(
  catalog: Catalog,
  store: Connection['catalogStores']['store'],
  ref: TableRef,
  { partition: one, isAll, ...choice }: Wanted,
): Promise<readonly Target[]> {
  if (isAll) {
    await existingTable(store, ref)
    const { batches } = await readTableBatches(store, ref)
    return [...batches.values()]
      .filter(({ home, namedIn }) => namedIn.size > 0 && (one === undefined || home === one.partition))
      .map(({ home, batchId }) => ({ ...ref, partition: home, batchId }))
  }
  if (one !== undefined) return [{ ...one, batchId: (await catalog.choose(one, choice)).batchId }]
  await existingTable(store, ref)
  const current = await catalog.partitions(ref)
  return current.map(({ partition, entry: { batchId } }) => ({ ...ref, partition, batchId }))
}

function describe({ partition, batchId, state, differences, unnamed }: VerifiedBatch): readonly string[] {
  const more = differences.length - SHOWN_MAX
  return [
    ...differences.slice(0, SHOWN_MAX).map(each => `  ${partition}  ${batchId}  ${differenceText(each)}`),
    ...(more > 0 ? [`  and ${more} more: --json lists them all`] : []),
    ...(state === 'hot' ? [] : [`  ${partition}  ${batchId}  is ${state}: nothing to verify`]),
    ...unnamed.map(name => `  ${partition}  ${batchId}  ${name} is not of the batch, and no reader sees it`),
  ]
}

function differenceText({ of, what, expected, found }: Difference): string {
  if (what === 'gone') return `${of} is gone`
  if (what === 'unreadable') return `${of} cannot be read: ${found}`
  return `${of}: ${what} ${found} instead of ${expected}`
}

function differs(wrong: readonly VerifiedBatch[]): CommandError {
  const [first] = wrong
  const isAsCommitted = wrong.every(batch =>
    batch.differences.every(({ what }) => what === 'unreadable' || what === 'rows'),
  )
  return new CommandError(`${wrong.length} batches differ from their papers, ${first?.batchId} first`, {
    code: 'batch-damaged',
    next: isAsCommitted
      ? 'Roll their partitions back, and store them again: their bytes are those that were committed.'
      : 'Roll their partitions back, and restore the objects from the versions of the bucket.',
  })
}
