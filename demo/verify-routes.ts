// Whether all of it is right: every route recomputed from the archive, by code that shares nothing with the fold, and held against
// its item. What `millrace verify --all` does.
import { withHistoryViews } from '../src/cli/history-views.ts'
import { describeReport, verifyFailure } from '../src/cli/verify-text.ts'
import pipeline from '../src/pipeline/index.ts'
import { compilePipeline } from '../src/predictions/compile-pipeline.ts'
import { verifyUsers } from '../src/replay/verify.ts'
import { USER_BUCKETS } from '../src/platform/hash.ts'
import type { DemoCloud } from './cloud.ts'
import type { Phases } from './phases.ts'

/** The stream was drained before, so the archive is as far as the items. */
const WAIT_MS = 10_000

export async function verifyRoutes({ connection }: DemoCloud, demo: Phases): Promise<void> {
  const progress = demo.progress('buckets of routes', USER_BUCKETS)
  const which = { kind: 'all' } as const
  const report = await withHistoryViews(connection, pipeline.name, views =>
    verifyUsers({
      ...connection,
      ...views,
      compiled: compilePipeline(pipeline),
      which,
      atMs: connection.clock(),
      waitMs: WAIT_MS,
      onBucket: () => progress.advance(1),
    }),
  )
  progress.done()
  for (const line of describeReport(report, which)) demo.say(line)
  const failure = verifyFailure(report)
  if (failure !== undefined) throw failure
}
