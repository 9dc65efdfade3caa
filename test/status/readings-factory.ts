// A deployment that is well in everything, for tests that take one thing away from it.
import type { DeployedMapping, MetricPoint } from '../../src/status/ports.ts'
import type { FunctionReading, Readings } from '../../src/status/readings.ts'

export const NOW_MS = Date.UTC(2026, 0, 2, 12)
export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS

export const point = (minutesAgo: number, value: number): MetricPoint => ({
  atMs: NOW_MS - minutesAgo * MINUTE_MS,
  value,
})

export const mapping = (state: string, minutesAgo = 600): DeployedMapping => ({
  id: 'm-1',
  streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/shop-dev-events',
  state,
  changedMs: NOW_MS - minutesAgo * MINUTE_MS,
})

export function functionReading(key: string, changes: Partial<FunctionReading> = {}): FunctionReading {
  const isConsumer = key === 'recompute' || key === 'archive'
  return {
    key,
    deployed: { value: { updatedMs: NOW_MS - 48 * HOUR_MS } },
    mappings: isConsumer ? { value: [mapping('Enabled')] } : undefined,
    switched: isConsumer ? { value: undefined } : undefined,
    measured: { value: { invocations: 60, errors: 0, throttles: 0, ages: isConsumer ? [point(1, 400)] : [] } },
    ...changes,
  }
}

export function wellReadings(changes: Partial<Readings> = {}): Readings {
  const keys = ['recompute', 'archive', 'serve', 'ingest', 'snapshot', 'compact', 'catalog']
  return {
    nowMs: NOW_MS,
    sinceMs: NOW_MS - HOUR_MS,
    functions: keys.map(key => functionReading(key)),
    incoming: { value: [point(2, 10), point(1, 10)] },
    newestArchivedMs: { value: NOW_MS - 30_000 },
    deadLetters: { value: { count: 0, isComplete: true, reasons: [] } },
    givenUp: { value: { count: 0, isComplete: true, newestMs: undefined } },
    doubt: { value: { count: 0, isComplete: true } },
    compaction: { value: { hoursLeft: undefined, runs: 2 } },
    models: [{ name: 'churn', owner: 'ana', production: { value: undefined }, batches: { value: [] } }],
    predictions: { value: { atMs: NOW_MS - MINUTE_MS, ok: 20, refused: 0 } },
    snapshot: { value: { partition: 'day=2026-01-02', batchId: 'b-1', at: NOW_MS - 9 * HOUR_MS, rows: 1234 } },
    definitions: { value: { recordedAt: NOW_MS - HOUR_MS, isSame: true } },
    ...changes,
  }
}

/** The well readings with one function changed. */
export function withFunction(key: string, changes: Partial<FunctionReading>): Readings {
  const readings = wellReadings()
  return {
    ...readings,
    functions: readings.functions.map(each => (each.key === key ? functionReading(key, changes) : each)),
  }
}
