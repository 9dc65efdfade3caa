// `millrace table show`: what a table is, and what is current in its partitions.
import type { Catalog } from '../catalog/catalog.ts'
import type { CurrentPartition } from '../catalog/commit-log.ts'
import type { TableSchema } from '../catalog/items.ts'
import { parseTableName, tableKey, type TableRef } from '../catalog/names.ts'
import { tableNotFound } from '../catalog/table-schema.ts'
import { toRfc3339 } from '../platform/clock.ts'
import { mapWithLimit } from '../platform/concurrency.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../platform/duration.ts'
import type { Command } from './command.ts'
import { asUsage } from './table-location.ts'
import { textTable } from './text-table.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

const READS_MAX = 8
const LIMIT_DEFAULT = 20
const LIMIT_MAX = 100_000

export const command: Command = {
  name: 'table show',
  summary: 'Show the definition of a table, and what is current in its partitions.',
  positionals: ['table'],
  options: {
    limit: { type: 'string', value: 'N', description: `The last partitions by name. Default: ${LIMIT_DEFAULT}.` },
    ...STAGE_OPTION,
  },
  async run(context, args) {
    const ref = asUsage(() => parseTableName(args.positional('table')))
    const limit = args.wholeNumber('limit', { min: 0, max: LIMIT_MAX }) ?? LIMIT_DEFAULT
    const { schema, all, partitions } = await withConnection(context, args, async ({ catalog }) => {
      const found = await catalog.schema(ref)
      if (found === undefined) throw tableNotFound(ref)
      const current = await catalog.partitions(ref)
      const shown = limit === 0 ? [] : current.slice(-limit).toReversed()
      const read = await mapWithLimit(shown, READS_MAX, each => partitionOf(catalog, ref, each))
      return { schema: found, all: current.length, partitions: read }
    })
    const nowMs = context.clock()
    context.result({ table: tableKey(ref), ...schema, partitionCount: all, partitions }, () => [
      ...definitionLines(ref, schema),
      '',
      ...(partitions.length === 0 ? [`${all} partitions`] : partitionLines(partitions, nowMs)),
      ...(partitions.length < all && partitions.length > 0 ? [`${partitions.length} of ${all} partitions`] : []),
    ])
  },
}

interface ShownPartition {
  readonly partition: string
  readonly batchId: string
  /** Of the commit, ms. */
  readonly at: number
  readonly who: string
  readonly rows: number
  readonly bytes: number
  readonly state: string
}

async function partitionOf(
  catalog: Catalog,
  ref: TableRef,
  { partition, entry }: CurrentPartition,
): Promise<ShownPartition> {
  const { batchId, at, who } = entry
  const { rows, bytes, state } = await catalog.batch({ ...ref, partition }, batchId)
  return { partition, batchId, at, who, rows, bytes, state }
}

function definitionLines(ref: TableRef, { columns, format, owner, about, partitionKeys }: TableSchema): string[] {
  const keys = partitionKeys === undefined ? 'any name' : partitionKeys.map(key => `${key}=…`).join('/')
  return [
    `${tableKey(ref)}${about === undefined ? '' : `: ${about}`}`,
    `  format ${format}, owner ${owner}, partitions ${keys}`,
    ...textTable(
      ['  column', 'type'],
      columns.map(({ name, type }) => [`  ${name}`, type]),
    ),
  ]
}

function partitionLines(partitions: readonly ShownPartition[], nowMs: number): readonly string[] {
  return textTable(
    ['partition', 'batch', 'rows', 'bytes', 'committed', 'age', 'by', 'state'],
    partitions.map(({ partition, batchId, rows, bytes, at, who, state }) => [
      partition,
      batchId,
      rows,
      bytes,
      toRfc3339(at),
      ageText(nowMs - at),
      who,
      state,
    ]),
  )
}

/** In the largest unit of which there are two. */
function ageText(ms: number): string {
  const units = [
    [DAY_MS, 'd'],
    [HOUR_MS, 'h'],
    [MINUTE_MS, 'min'],
  ] as const
  const [unitMs, unit] = units.find(([each]) => ms >= 2 * each) ?? [SECOND_MS, 's']
  return `${Math.max(0, Math.floor(ms / unitMs))} ${unit}`
}
