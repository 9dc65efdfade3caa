// What was measured, by CloudWatch's GetMetricData: as many queries in one call as it takes, page by page.
import { CloudWatchClient, type CloudWatchClientConfig, paginateGetMetricData } from '@aws-sdk/client-cloudwatch'
import type { MetricPoint, MetricQuery, MetricReader } from './ports.ts'
import { serviceError } from './service-error.ts'

/** CloudWatch's own limit on one GetMetricData. */
const QUERIES_PER_CALL_MAX = 500
const SECOND_MS = 1000

export interface CloudWatchMetrics extends MetricReader {
  close(): void
}

export function cloudWatchMetrics(config: CloudWatchClientConfig): CloudWatchMetrics {
  const client = new CloudWatchClient(config)
  return {
    read: async (queries, range) => {
      const points: MetricPoint[][] = []
      for (let from = 0; from < queries.length; from += QUERIES_PER_CALL_MAX) {
        points.push(...(await readSome(client, queries.slice(from, from + QUERIES_PER_CALL_MAX), range)))
      }
      return points
    },
    close: () => client.destroy(),
  }
}

async function readSome(
  client: CloudWatchClient,
  queries: readonly MetricQuery[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Promise<MetricPoint[][]> {
  const points = queries.map((): MetricPoint[] => [])
  const input = {
    MetricDataQueries: queries.map(toQuery),
    StartTime: new Date(fromMs),
    EndTime: new Date(toMs),
    ScanBy: 'TimestampAscending' as const,
  }
  try {
    for await (const { MetricDataResults = [] } of paginateGetMetricData({ client }, input)) {
      for (const { Id = '', Timestamps = [], Values = [] } of MetricDataResults) {
        const own = points[Number(Id.slice(1))]
        for (const [index, at] of Timestamps.entries()) own?.push({ atMs: at.getTime(), value: Values[index] ?? 0 })
      }
    }
  } catch (error) {
    throw serviceError(error, 'cloudwatch:GetMetricData', { kind: 'metric', name: 'of Lambda and Millrace' })
  }
  return points
}

function toQuery({ namespace, name, dimensions, statistic, periodMs }: MetricQuery, index: number) {
  return {
    Id: `q${index}`,
    MetricStat: {
      Metric: {
        Namespace: namespace,
        MetricName: name,
        Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
      },
      Period: periodMs / SECOND_MS,
      Stat: statistic,
    },
  }
}
