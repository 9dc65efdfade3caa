// `millrace table history`: which batch of a partition was current when, by whom and why, newest first.
import { tableKey } from '../catalog/names.ts'
import { tableNotFound } from '../catalog/table-schema.ts'
import type { Command } from './command.ts'
import { describeEntry, partitionOf, TABLE_POSITIONALS } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

const LIMIT_DEFAULT = 20
const LIMIT_MAX = 100_000

export const command: Command = {
  name: 'table history',
  summary: 'Show the commits and rollbacks of a partition, newest first.',
  positionals: TABLE_POSITIONALS,
  options: {
    limit: { type: 'string', value: 'N', description: `Show so many at most. Default: ${LIMIT_DEFAULT}.` },
    ...STAGE_OPTION,
  },
  async run(context, args) {
    const ref = partitionOf(args)
    const limit = args.wholeNumber('limit', { min: 1, max: LIMIT_MAX }) ?? LIMIT_DEFAULT
    const entries = await withConnection(context, args, async ({ catalog }) => {
      const found = await catalog.history(ref, { limit })
      if (found.length === 0 && (await catalog.schema(ref)) === undefined) throw tableNotFound(ref)
      return found
    })
    const json = { table: tableKey(ref), partition: ref.partition, entries: entries.map(entry => ({ ...entry })) }
    context.result(json, () =>
      entries.length === 0
        ? [`Nothing was ever committed to ${tableKey(ref)}, partition ${ref.partition}.`]
        : entries.map((entry, index) => `${describeEntry(entry)}${index === 0 ? '  (current)' : ''}`),
    )
  },
}
