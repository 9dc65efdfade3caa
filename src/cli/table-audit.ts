// `millrace table audit`: who changed what, when and why, over all partitions of a table or over all tables, in one order.
import { type AuditEntry, readAudit } from '../catalog/audit.ts'
import { tableKey } from '../catalog/names.ts'
import { existingTable } from '../catalog/table-schema.ts'
import { toRfc3339 } from '../platform/clock.ts'
import { instantOption } from './batch-choice.ts'
import type { Command } from './command.ts'
import { optionalTableOf } from './table-location.ts'
import { textTable } from './text-table.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

const LIMIT_DEFAULT = 100
const LIMIT_MAX = 1_000_000

export const command: Command = {
  name: 'table audit',
  summary: 'Show who changed what of a table, or of all tables, when and why.',
  positionals: ['table?'],
  options: {
    since: { type: 'string', value: 'TIME', description: 'Nothing before it (RFC 3339).' },
    until: { type: 'string', value: 'TIME', description: 'Nothing after it (RFC 3339).' },
    limit: { type: 'string', value: 'N', description: `The last so many. Default: ${LIMIT_DEFAULT}.` },
    ...STAGE_OPTION,
  },
  async run(context, args) {
    const only = optionalTableOf(args)
    const limit = args.wholeNumber('limit', { min: 1, max: LIMIT_MAX }) ?? LIMIT_DEFAULT
    const options = { sinceMs: instantOption(args, 'since'), untilMs: instantOption(args, 'until') }
    const all = await withConnection(context, args, async ({ catalog, catalogStores: { store } }) => {
      if (only !== undefined) await existingTable(store, only)
      return readAudit(store, only === undefined ? await catalog.tables() : [only], options)
    })
    const entries = all.slice(-limit)
    const json = { table: only === undefined ? null : tableKey(only), found: all.length, entries }
    context.result(json, () => (entries.length === 0 ? 'Nothing was changed.' : lines(entries, all.length)))
  },
}

function lines(entries: readonly AuditEntry[], found: number): readonly string[] {
  const rows = entries.map(({ at, table, kind, partition, batchId, about, who, why }) => [
    toRfc3339(at),
    kind,
    partition === null ? table : `${table}/${partition}`,
    batchId ?? '',
    about ?? '',
    `${who}: ${why}`,
  ])
  return [
    ...textTable(['when', 'what', 'where', 'batch', 'about', 'who and why'], rows),
    ...(found > entries.length ? [`The last ${entries.length} of ${found}: --limit`] : []),
  ]
}
