// What was measured, as one call of GetMetricData asks for it: what Lambda and Kinesis measure by themselves, and what the functions print.
import { HOUR_MS, MINUTE_MS } from '../platform/duration.ts'
import { functionName } from './function-name.ts'
import { COMPACTION_SILENT_MAX_MS, METRIC_PERIOD_MS } from './limits.ts'
import { functionBatches, modelBatchQueries } from './model-batches.ts'
import type { MetricPoint, MetricQuery, MetricReader } from './ports.ts'
import {
  type CompactionReading,
  type FunctionBatches,
  type FunctionMeasures,
  isRead,
  type PredictionsReading,
  type Reading,
  reading,
} from './readings.ts'

export interface MeasuresRequest {
  readonly pipeline: string
  readonly stage: string
  readonly streamName: string
  readonly keys: readonly string[]
  readonly models: readonly string[]
  readonly nowMs: number
  readonly sinceMs: number
}

export interface Measures {
  functions(key: string): Reading<FunctionMeasures>
  readonly incoming: Reading<readonly MetricPoint[]>
  readonly compaction: Reading<CompactionReading>
  readonly predictions: Reading<PredictionsReading | undefined>
  batches(model: string): Reading<readonly FunctionBatches[]>
}

const LAMBDA = 'AWS/Lambda'
const COUNTS = ['Invocations', 'Errors', 'Throttles'] as const

export async function readMeasures(metrics: MetricReader, request: MeasuresRequest): Promise<Measures> {
  const { keys, models, streamName, pipeline, nowMs, sinceMs } = request
  const nameOf = (key: string): string => functionName(pipeline, request.stage, key)
  const lambda = (key: string, name: string, statistic: MetricQuery['statistic']): MetricQuery => ({
    namespace: LAMBDA,
    name,
    dimensions: { FunctionName: nameOf(key) },
    statistic,
    periodMs: METRIC_PERIOD_MS,
  })
  const queries = keys.flatMap(key => [
    ...COUNTS.map(name => lambda(key, name, 'Sum')),
    lambda(key, 'IteratorAge', 'Maximum'),
  ])
  const incoming: MetricQuery = {
    namespace: 'AWS/Kinesis',
    name: 'IncomingRecords',
    dimensions: { StreamName: streamName },
    statistic: 'Sum',
    periodMs: METRIC_PERIOD_MS,
  }
  const predictions = (status: 'ok' | 'refused'): MetricQuery => ({
    namespace: 'Millrace',
    name: `prediction.${status}`,
    dimensions: { service: pipeline, function: 'recompute' },
    statistic: 'Sum',
    periodMs: METRIC_PERIOD_MS,
  })
  const hoursLeft: MetricQuery = {
    namespace: 'Millrace',
    name: 'hoursLeft',
    dimensions: { service: pipeline, function: 'compact' },
    statistic: 'Maximum',
    periodMs: HOUR_MS,
  }
  const others = [incoming, predictions('ok'), predictions('refused')]
  const batches = models.map(model => modelBatchQueries(pipeline, model))
  const whole = await reading(() => metrics.read([...queries, ...others, ...batches.flat()], range(sinceMs, nowMs)))
  // Over a span of its own: the one that is asked for may be shorter than the time between two runs.
  const compaction = await reading(() =>
    metrics.read([hoursLeft, lambda('compact', 'Invocations', 'Sum')], range(nowMs - COMPACTION_SILENT_MAX_MS, nowMs)),
  )
  const perFunction = COUNTS.length + 1
  return {
    functions: key =>
      mapped(whole, points => {
        const from = keys.indexOf(key) * perFunction
        const [invocations = [], errors = [], throttles = [], ages = []] = points.slice(from, from + perFunction)
        return { invocations: sum(invocations), errors: sum(errors), throttles: sum(throttles), ages }
      }),
    incoming: mapped(whole, points => points[queries.length] ?? []),
    compaction: mapped(compaction, ([left = [], runs = []]) => ({ hoursLeft: left.at(-1)?.value, runs: sum(runs) })),
    predictions: mapped(whole, points => newestPredictions(points[queries.length + 1], points[queries.length + 2])),
    batches: model =>
      mapped(whole, points => {
        const before = batches.slice(0, models.indexOf(model)).flat().length
        return functionBatches(points.slice(queries.length + others.length + before))
      }),
  }
}

/** Of one minute: what came before it was said by a model that may not be in production any more. */
function newestPredictions(
  ok: readonly MetricPoint[] = [],
  refused: readonly MetricPoint[] = [],
): PredictionsReading | undefined {
  const newest = [ok.at(-1), refused.at(-1)].flatMap(point => (point === undefined ? [] : [point.atMs]))
  if (newest.length === 0) return undefined
  const atMs = Math.max(...newest)
  const countAt = (points: readonly MetricPoint[]): number => points.find(point => point.atMs === atMs)?.value ?? 0
  return { atMs, ok: countAt(ok), refused: countAt(refused) }
}

/** Whole minutes, the one that runs included. */
function range(fromMs: number, toMs: number): { readonly fromMs: number; readonly toMs: number } {
  return {
    fromMs: Math.floor(fromMs / MINUTE_MS) * MINUTE_MS,
    toMs: Math.ceil((toMs + 1) / MINUTE_MS) * MINUTE_MS,
  }
}

function mapped<A, B>(found: Reading<A>, map: (value: A) => B): Reading<B> {
  return isRead(found) ? { value: map(found.value) } : found
}

function sum(points: readonly MetricPoint[]): number {
  return points.reduce((total, { value }) => total + value, 0)
}
