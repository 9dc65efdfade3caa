// `millrace archive compact`: what the hourly function does, now and from here.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CompactedHour, compactHours } from '../archive/compact-hours.ts'
import { EVENTS_TABLE } from '../archive/history-tables.ts'
import type { Command } from './command.ts'
import { REASON_OPTIONS, reasonOf } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

export const command: Command = {
  name: 'archive compact',
  summary: 'Write the hours of the archive that are over as batches, each record once, by user bucket.',
  positionals: [],
  options: { ...STAGE_OPTION, ...REASON_OPTIONS },
  changesThings: true,
  async run(context, args) {
    const { clock, isDryRun, isJson, stderr } = context
    await withConnection(context, args, async (connection, { name: db }) => {
      const spoolDir = await mkdtemp(join(tmpdir(), 'millrace-compact-'))
      try {
        const { hours } = await compactHours(
          { ...connection, clock, db, spoolDir },
          {
            ...reasonOf(context, args),
            isDryRun,
            onHour: hour => void (isJson || isDryRun || stderr.write(`${describe(hour)}\n`)),
          },
        )
        context.result({ db, table: EVENTS_TABLE, isDryRun, hours }, () => [
          ...(isDryRun ? hours.map(describe) : []),
          hours.length === 0
            ? 'Nothing to compact: every hour that is over has a batch with all of its raw objects.'
            : `${isDryRun ? 'Would write' : 'Wrote'} ${hours.length} ${hours.length === 1 ? 'hour' : 'hours'} of ${db}.${EVENTS_TABLE}`,
        ])
      } finally {
        await rm(spoolDir, { recursive: true })
      }
    })
  },
}

function describe({ partition, batchId, rawObjects, records }: CompactedHour): string {
  const batch = batchId === undefined ? '' : `, ${records} records: batch ${batchId}`
  return `${partition}: ${rawObjects} more raw objects${batch}`
}
