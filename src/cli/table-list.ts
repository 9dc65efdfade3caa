// `millrace table list`: every table of the catalogue, with what its definition says.
import { type TableRef, tableKey } from '../catalog/names.ts'
import { mapWithLimit } from '../platform/concurrency.ts'
import type { Command } from './command.ts'
import { textTable } from './text-table.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

const READS_MAX = 8

export const command: Command = {
  name: 'table list',
  summary: 'List the tables of the catalogue.',
  positionals: [],
  options: {
    db: { type: 'string', value: 'NAME', description: 'Of this database only.' },
    ...STAGE_OPTION,
  },
  async run(context, args) {
    const db = args.text('db')
    const tables = await withConnection(context, args, async ({ catalog }) => {
      const refs = (await catalog.tables()).filter(ref => db === undefined || ref.db === db)
      const described = async (ref: TableRef) => ({ table: tableKey(ref), ...(await catalog.schema(ref)) })
      return mapWithLimit(refs, READS_MAX, described)
    })
    context.result({ tables }, () =>
      tables.length === 0
        ? ['There are no tables.']
        : textTable(
            ['table', 'format', 'columns', 'owner', 'about'],
            tables.map(({ table, format = '', columns = [], owner = '', about = '' }) => [
              table,
              format,
              columns.length,
              owner,
              about,
            ]),
          ),
    )
  },
}
