// What the functions say of their models, found among all that one call of GetMetricData answers.
import { expect, it } from 'vitest'
import { METRICS } from '../../src/compose/metric-definitions.ts'
import { readMeasures } from '../../src/status/measures.ts'
import type { MetricPoint, MetricReader } from '../../src/status/ports.ts'
import { HOUR_MS, MINUTE_MS, NOW_MS, point } from './readings-factory.ts'

const OLD = 20251231080000
const NEW = 20260102090000
const NEWER = 20260102100000

/** `points` by model, function and statistic. */
async function measured(points: Readonly<Record<string, readonly MetricPoint[]>>) {
  const metrics: MetricReader = {
    read: async queries =>
      queries.map(({ name, namespace, dimensions, statistic, periodMs }) => {
        if (name !== 'modelBatch') return [point(0, 77)]
        const { service, function: key, model } = dimensions
        expect({ namespace, periodMs, service }).toEqual({
          namespace: 'Millrace',
          periodMs: MINUTE_MS,
          service: 'shop',
        })
        return points[`${model} ${key} ${statistic}`] ?? []
      }),
  }
  return readMeasures(metrics, {
    pipeline: 'shop',
    stage: 'dev',
    streamName: 'shop-dev-events',
    keys: ['recompute', 'serve'],
    models: ['churn', 'spend'],
    nowMs: NOW_MS,
    sinceMs: NOW_MS - HOUR_MS,
  })
}

it('gives to each model what each function said of it in the newest minute, and takes nothing from the others', async () => {
  const measures = await measured({
    'churn serve Minimum': [point(3, OLD), point(2, OLD)],
    'churn serve Maximum': [point(3, OLD), point(2, NEW)],
    'spend recompute Minimum': [point(9, NEWER)],
    'spend recompute Maximum': [point(9, NEWER)],
  })
  const { atMs } = point(2, 0)
  expect(measures.batches('churn')).toEqual({ value: [{ key: 'serve', atMs, oldest: OLD, newest: NEW }] })
  expect(measures.batches('spend')).toEqual({
    value: [{ key: 'recompute', atMs: point(9, 0).atMs, oldest: NEWER, newest: NEWER }],
  })
  expect(measures.predictions).toMatchObject({ value: { ok: 77, refused: 77 } })
})

it('asks for the batch of every function that prints it', async () => {
  const points = Object.fromEntries(
    METRICS.modelBatch.functions.flatMap(key =>
      ['Minimum', 'Maximum'].map(statistic => [`churn ${key} ${statistic}`, [point(1, NEW)]]),
    ),
  )
  expect((await measured(points)).batches('churn')).toMatchObject({
    value: METRICS.modelBatch.functions.map(key => ({ key })),
  })
})
