// The compaction function: every hour by the schedule, the hours of the archive that are over become batches of the catalogue.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compactHours } from '../archive/compact-hours.ts'
import { MINUTE_MS } from '../platform/duration.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import { type LambdaHandler, lambdaHandler, timeForCallsMs } from './lambda-handler.ts'
import { createRuntime } from './runtime.ts'
import { archiveStore, deployedStores } from './stores.ts'

/** An hour of ten million records takes some minutes; with less left none is begun, and the next run goes on. */
const LEFT_FOR_AN_HOUR_MS = 7 * MINUTE_MS

export function compactHandler(pipeline: Pipeline): LambdaHandler {
  return lambdaHandler(deadline => {
    const { clients, environment, telemetry, world } = createRuntime(pipeline.name, 'compact')
    const limits = { timeLeftMs: () => timeForCallsMs(deadline) }
    const { catalog } = deployedStores(clients, environment, world, limits)
    const archive = archiveStore(clients.s3, environment.archiveBucket, world, limits)
    return {
      telemetry,
      handle: async () => {
        const spoolDir = await mkdtemp(join(tmpdir(), 'millrace-compact-'))
        try {
          const { hours, hoursLeft } = await compactHours(
            { ...world, catalog, archive, db: pipeline.name, spoolDir },
            {
              who: 'functions/compact',
              why: 'hourly',
              isTimeUp: () => deadline.remainingMs() < LEFT_FOR_AN_HOUR_MS,
            },
          )
          const records = hours.reduce((sum, hour) => sum + (hour.records ?? 0), 0)
          telemetry.count('hoursCompacted', hours.length)
          telemetry.count('recordsCompacted', records)
          telemetry.count('hoursLeft', hoursLeft)
          const result = { hours: hours.length, records, hoursLeft }
          telemetry.info('archive compacted', result)
          return result
        } finally {
          await rm(spoolDir, { recursive: true })
        }
      },
    }
  })
}
