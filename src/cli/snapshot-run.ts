// `millrace snapshot run`: what the nightly function does, now and from here.
import { parseRfc3339Ms } from '../event/event-time.ts'
import { createPredictor } from '../compose/predictor.ts'
import { toRfc3339 } from '../platform/clock.ts'
import { compilePipeline } from '../predictions/compile-pipeline.ts'
import { driftLines } from '../snapshot/drift-text.ts'
import { SNAPSHOT_TABLE, snapshotPartition, takeSnapshot } from '../snapshot/take-snapshot.ts'
import type { Command } from './command.ts'
import { UsageError } from './errors.ts'
import { REASON_OPTIONS, reasonOf } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

export const command: Command = {
  name: 'snapshot run',
  summary: 'Evaluate every user at one instant and commit them as a batch.',
  positionals: [],
  options: {
    ...STAGE_OPTION,
    at: { type: 'string', value: 'TIME', description: 'The instant (RFC 3339). Default: now.' },
    ...REASON_OPTIONS,
  },
  changesThings: true,
  async run(context, args) {
    const at = args.text('at')
    const instantMs = at === undefined ? context.clock() : parseRfc3339Ms(at)
    if (instantMs === undefined) throw new UsageError(`--at is "${at}"`, 'Write it as 2026-01-02T03:04:05Z.')
    await withConnection(context, args, async (connection, pipeline) => {
      const ref = { db: pipeline.name, table: SNAPSHOT_TABLE, partition: snapshotPartition(instantMs) }
      if (context.isDryRun) {
        const current = await connection.catalog.current(ref)
        const supersedes = current?.batchId ?? null
        context.result(
          { ...ref, instantMs, isDryRun: true, supersedes },
          () =>
            `Would write ${ref.db}.${ref.table}/${ref.partition}, ${supersedes === null ? 'which has no batch yet' : `superseding batch ${supersedes}`}`,
        )
        return
      }
      const compiled = compilePipeline(pipeline)
      const predictor = createPredictor(compiled, { ...connection, refreshMs: Number.POSITIVE_INFINITY, onError: fail })
      const { entry, ...report } = await takeSnapshot(
        { ...connection, compiled, predictor },
        {
          instantMs,
          ...reasonOf(context, args),
          onProgress: users => void (context.isJson || context.stderr.write(`${users} users\n`)),
        },
      )
      context.result({ batchId: entry.batchId, ...report }, () => [
        `${report.users} users at ${toRfc3339(instantMs)}: batch ${entry.batchId} of ${ref.db}.${ref.table}/${ref.partition}`,
        ...(report.corruptItems === 0 ? [] : [`${report.corruptItems} items could not be read and are not in it`]),
        ...driftLines(report.drift),
      ])
    })
  },
}

function fail(error: unknown): void {
  throw error
}
