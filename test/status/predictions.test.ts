import { describe, expect, it } from 'vitest'
import { judge } from '../../src/status/judge.ts'
import { STATUS_LIMITS } from '../../src/status/limits.ts'
import { readMeasures } from '../../src/status/measures.ts'
import type { MetricPoint, MetricReader } from '../../src/status/ports.ts'
import type { Readings } from '../../src/status/readings.ts'
import { HOUR_MS, NOW_MS, point, wellReadings } from './readings-factory.ts'

const REQUEST = {
  pipeline: 'shop',
  stage: 'dev',
  streamName: 'shop-dev-events',
  keys: ['recompute', 'serve'],
  models: [],
  nowMs: NOW_MS,
  sinceMs: NOW_MS - HOUR_MS,
}

async function predictionsOf(points: Readonly<Record<string, readonly MetricPoint[]>>) {
  const metrics: MetricReader = {
    read: async queries =>
      queries.map(({ name, namespace, dimensions, statistic }) => {
        const isPrediction = name.startsWith('prediction.')
        if (!isPrediction) return name === 'IncomingRecords' ? [point(1, 1000)] : [point(0, 77)]
        expect({ namespace, statistic, ...dimensions }).toEqual({
          namespace: 'Millrace',
          statistic: 'Sum',
          service: 'shop',
          function: 'recompute',
        })
        return points[name.slice('prediction.'.length)] ?? []
      }),
  }
  return (await readMeasures(metrics, REQUEST)).predictions
}

const lineOf = (changes: Partial<Readings>) =>
  judge(wellReadings(changes), STATUS_LIMITS).find(({ name }) => name === 'predictions')

describe('predictions that the model refuses', () => {
  it('are those of the newest minute that has any, refused or not', async () => {
    expect(await predictionsOf({})).toEqual({ value: undefined })
    expect(await predictionsOf({ ok: [point(3, 5), point(2, 7)], refused: [point(3, 9)] })).toEqual({
      value: { atMs: point(2, 0).atMs, ok: 7, refused: 0 },
    })
    expect(await predictionsOf({ ok: [point(3, 5)], refused: [point(3, 1), point(2, 9)] })).toEqual({
      value: { atMs: point(2, 0).atMs, ok: 0, refused: 9 },
    })
    expect(await predictionsOf({ ok: [point(2, 5)], refused: [point(2, 4)] })).toEqual({
      value: { atMs: point(2, 0).atMs, ok: 5, refused: 4 },
    })
  })

  it('need somebody, by one of them', () => {
    const atMs = NOW_MS - 60_000
    expect(lineOf({ predictions: { value: { atMs, ok: 99, refused: 1 } } })).toMatchObject({
      verdict: 'unwell',
      text: expect.stringContaining('1 of 100 refused'),
      values: { ok: 99, refused: 1 },
    })
    expect(lineOf({ predictions: { value: { atMs, ok: 0, refused: 0 } } })?.verdict).toBe('well')
    expect(lineOf({ predictions: { value: undefined } })?.verdict).toBe('well')
    expect(lineOf({ predictions: { problem: 'down', next: undefined } })?.verdict).toBe('unknown')
  })

  it('are no line where there is no model, and name no model where there are several', () => {
    expect(lineOf({ models: [] })).toBeUndefined()
    const model = { name: 'churn', owner: 'ana', production: { value: undefined }, batches: { value: [] } }
    const refused = { value: { atMs: NOW_MS, ok: 0, refused: 1 } }
    expect(lineOf({ models: [model, { ...model, name: 'spend' }], predictions: refused })?.next).toContain(
      'models.NAME',
    )
  })
})
