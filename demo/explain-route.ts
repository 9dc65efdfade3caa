// Why a route's prediction moved: what `millrace users explain ROUTE --since TIME` prints, from just before the live arrivals on.
import { createPinnedPredictor } from '../src/compose/predictor.ts'
import { withHistoryViews } from '../src/cli/history-views.ts'
import { describeExplanation } from '../src/cli/users-explain-text.ts'
import pipeline from '../src/pipeline/index.ts'
import { compilePipeline } from '../src/predictions/compile-pipeline.ts'
import { explainUser } from '../src/replay/explain-user.ts'
import type { DemoCloud } from './cloud.ts'
import type { Phases } from './phases.ts'

export async function explainRoute(
  { connection }: DemoCloud,
  userId: string,
  sinceMs: number,
  demo: Phases,
): Promise<void> {
  const compiled = compilePipeline(pipeline)
  const { catalog, clock } = connection
  const explanation = await withHistoryViews(connection, pipeline.name, views =>
    explainUser({
      ...connection,
      ...views,
      compiled,
      predictWith: versions => createPinnedPredictor(compiled, { catalog, versions }),
      userId,
      nowMs: clock(),
      atMs: undefined,
      sinceMs,
    }),
  )
  for (const line of describeExplanation(explanation)) demo.say(line)
}
