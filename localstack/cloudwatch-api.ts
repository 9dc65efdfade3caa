// CloudWatch's GetMetricData in the JSON protocol that its client speaks: as much of it as `millrace status` asks for. What it does
// not know it refuses, so that nobody takes an empty answer for one.
import type { IncomingMessage, ServerResponse } from 'node:http'
import * as z from 'zod/mini'
import { sendJson } from './http-answer.ts'
import type { Metrics, MinuteStatistics } from './metrics.ts'
import { ENGLISH } from './read-properties.ts'

/** What calls of CloudWatch begin with in the target header. */
export const CLOUDWATCH_TARGET = 'GraniteServiceVersion20100801.'

const SECOND_MS = 1000
const MINUTE_SECONDS = 60

const STATISTICS = {
  Sum: ({ sum }: MinuteStatistics) => sum,
  SampleCount: ({ count }: MinuteStatistics) => count,
  Average: ({ sum, count }: MinuteStatistics) => sum / count,
  Minimum: ({ min }: MinuteStatistics) => min,
  Maximum: ({ max }: MinuteStatistics) => max,
} as const

const requestSchema = z.object({
  MetricDataQueries: z
    .array(
      z.strictObject({
        Id: z.string().check(z.regex(/^[a-z][A-Za-z0-9_]{0,254}$/)),
        Label: z.optional(z.string()),
        ReturnData: z.optional(z.literal(true)),
        MetricStat: z.strictObject({
          Metric: z.strictObject({
            Namespace: z.string(),
            MetricName: z.string(),
            Dimensions: z.optional(z.array(z.strictObject({ Name: z.string(), Value: z.string() }))),
          }),
          Period: z.number().check(z.positive(), z.multipleOf(MINUTE_SECONDS)),
          Stat: z.enum(['Sum', 'SampleCount', 'Average', 'Minimum', 'Maximum']),
          Unit: z.optional(z.undefined()),
        }),
      }),
    )
    .check(z.maxLength(500)),
  /** Seconds. */
  StartTime: z.number(),
  EndTime: z.number(),
  ScanBy: z.optional(z.enum(['TimestampAscending', 'TimestampDescending'])),
})

type MetricDataRequest = z.infer<typeof requestSchema>

export function cloudwatchApi(metrics: Metrics) {
  return async (request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> => {
    const operation = String(request.headers['x-amz-target']).slice(CLOUDWATCH_TARGET.length)
    if (operation !== 'GetMetricData') {
      return sendJson(response, 501, { message: `The local cloud has no ${operation} of CloudWatch` })
    }
    const parsed = requestSchema.safeParse(jsonOf(body), ENGLISH)
    if (parsed.success) return sendJson(response, 200, metricData(parsed.data, metrics))
    const message = `The local cloud cannot answer this: ${z.prettifyError(parsed.error)}`
    sendJson(response, 400, { __type: 'InvalidParameterValueException', message })
  }
}

function metricData(request: MetricDataRequest, metrics: Metrics): object {
  return {
    MetricDataResults: request.MetricDataQueries.map(query => ({
      Id: query.Id,
      Label: query.Label ?? query.MetricStat.Metric.MetricName,
      ...valuesOf(query.MetricStat, request, metrics),
      StatusCode: 'Complete',
    })),
    Messages: [],
  }
}

function valuesOf(
  {
    Metric: { Namespace, MetricName, Dimensions = [] },
    Period,
    Stat,
  }: MetricDataRequest['MetricDataQueries'][0]['MetricStat'],
  { StartTime, EndTime, ScanBy = 'TimestampDescending' }: MetricDataRequest,
  metrics: Metrics,
): { readonly Timestamps: readonly number[]; readonly Values: readonly number[] } {
  const dimensions = Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value]))
  const from = Math.floor(StartTime / Period) * Period
  const metric = { namespace: Namespace, name: MetricName, dimensions }
  const periods = new Map<number, MinuteStatistics>()
  for (const minute of metrics.minutes(metric, from * SECOND_MS, EndTime * SECOND_MS)) {
    const seconds = Math.floor(minute.atMs / SECOND_MS / Period) * Period
    const period = periods.get(seconds)
    periods.set(seconds, period === undefined ? minute : merged(period, minute))
  }
  const points = [...periods].map(([seconds, period]) => [seconds, STATISTICS[Stat](period)] as const)
  if (ScanBy === 'TimestampDescending') points.reverse()
  return { Timestamps: points.map(([seconds]) => seconds), Values: points.map(([, value]) => value) }
}

function merged(a: MinuteStatistics, b: MinuteStatistics): MinuteStatistics {
  return {
    atMs: a.atMs,
    sum: a.sum + b.sum,
    count: a.count + b.count,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
  }
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
