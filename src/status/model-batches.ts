// Which batch of a model each function that asks it has, from what those functions print. The least and the greatest of a minute are
// asked for, since the containers of one function need not agree.
import { METRIC_PERIOD_MS } from './limits.ts'
import type { MetricPoint, MetricQuery } from './ports.ts'
import type { FunctionBatches } from './readings.ts'

/** As in the table of metrics: `modelBatch`. */
const MODEL_FUNCTIONS = ['recompute', 'serve'] as const
const STATISTICS = ['Minimum', 'Maximum'] as const

export function modelBatchQueries(pipeline: string, model: string): MetricQuery[] {
  return MODEL_FUNCTIONS.flatMap(key =>
    STATISTICS.map(statistic => ({
      namespace: 'Millrace',
      name: 'modelBatch',
      dimensions: { service: pipeline, function: key, model },
      statistic,
      periodMs: METRIC_PERIOD_MS,
    })),
  )
}

/** `points`: of the queries of one model, in their order; more may follow. */
export function functionBatches(points: readonly (readonly MetricPoint[])[]): FunctionBatches[] {
  return MODEL_FUNCTIONS.flatMap((key, index) => {
    const [least, greatest] = [points[2 * index]?.at(-1), points[2 * index + 1]?.at(-1)]
    // Of the same minute, as both are statistics of the same readings.
    if (least === undefined || greatest === undefined) return []
    return [{ key, atMs: greatest.atMs, oldest: least.value, newest: greatest.value }]
  })
}
