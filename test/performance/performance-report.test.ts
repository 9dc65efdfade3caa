import { describe, expect, it } from 'vitest'
import type { MetricName } from '../../src/performance/metrics.ts'
import { performanceReport, type ReportHead, worseBy } from '../../src/performance/performance-report.ts'
import type { RealisedFigures } from '../../src/performance/realised.ts'
import type { Mark } from '../../src/performance/timeline.ts'
import { noJoins } from '../../src/performance/judged.ts'

const DAY = 86_400_000

const head: ReportHead = {
  model: 'churn',
  output: 'probability',
  metric: 'auc',
  by: 'day',
  outcomes: 'order.placed.gift',
  way: 'snapshots',
  horizonMs: 2 * DAY,
  counts: { ...noJoins(), outcomes: 0, withoutLabel: 0, outsideTime: 0 },
}

function figures(
  day: number,
  value: number,
  changes: { batchId?: string; pairs?: number; error?: number | null } = {},
) {
  const { batchId = 'b1', pairs = 100, error = 0.01 } = changes
  return { start: day * DAY, batchId, pairs, meanPredicted: 0.2, meanSeen: 0.3, metrics: { auc: { value, error } } }
}

function report(periods: readonly (RealisedFigures & { readonly start: number })[], marks: readonly Mark[] = []) {
  const versions = [...new Set(periods.map(({ batchId }) => batchId))].map(batchId => ({
    ...figures(0, 0.7, { batchId }),
    start: null,
  }))
  const training = new Map([['b1', [{ slice: 'May', value: 0.74 }]]])
  return performanceReport(head, { realised: { periods, versions }, training, marks })
}

const mark = (day: number, text: string): Mark => ({ at: day * DAY, kind: 'promote', batchId: 'b2', who: 'ana', text })

describe('performanceReport', () => {
  it('tells a fall by three errors of the difference, and what changed in the two periods', () => {
    const marks = [mark(4.5, 'after'), mark(2.9, 'just before'), mark(3.5, 'within'), mark(1.5, 'long ago')]
    const { falls, marks: inOrder } = report(
      [figures(1, 0.7), figures(2, 0.7), figures(3, 0.65), figures(4, 0.6)],
      marks,
    )
    expect(falls).toMatchObject([
      { start: 3 * DAY, before: { start: 2 * DAY }, marks: [{ text: 'just before' }, { text: 'within' }] },
      { start: 4 * DAY, marks: [{ text: 'within' }, { text: 'after' }] },
    ])
    expect(falls[0]?.errors).toBeCloseTo(0.05 / Math.hypot(0.01, 0.01), 9)
    expect(inOrder.map(({ text }) => text)).toEqual(['long ago', 'just before', 'within', 'after'])
  })

  it('takes for no fall what chance does, what is better, and what has no error', () => {
    expect(report([figures(1, 0.7), figures(2, 0.66)]).falls).toEqual([])
    expect(report([figures(1, 0.7), figures(2, 0.9)]).falls).toEqual([])
    expect(report([figures(1, 0.7), figures(2, 0.2, { error: null })]).falls).toEqual([])
  })

  it('holds a period against the version that predicted most of the one before, across a gap', () => {
    const periods = [figures(1, 0.9, { batchId: 'b2', pairs: 3 }), figures(1, 0.7, { pairs: 90 }), figures(5, 0.68)]
    expect(report(periods).falls).toEqual([])
    const other = [figures(1, 0.9, { batchId: 'b2', pairs: 95 }), figures(1, 0.7, { pairs: 90 }), figures(5, 0.68)]
    expect(report(other).falls).toMatchObject([{ before: { batchId: 'b2' }, after: { batchId: 'b1' } }])
  })

  it('has what training said beside what was seen, versions in the order in which they came', () => {
    const { versions } = report([
      figures(1, 0.7, { batchId: 'b9' }),
      figures(2, 0.7),
      figures(3, 0.7, { batchId: 'b9' }),
    ])
    expect(versions).toMatchObject([
      { batchId: 'b9', training: [] },
      { batchId: 'b1', training: [{ slice: 'May', value: 0.74 }], realised: { value: 0.7 }, outcomes: 100 },
    ])
  })

  it('knows which way is worse', () => {
    const worse = (metric: MetricName, before: number, after: number): number =>
      Math.sign(worseBy({ value: before, error: 1 }, { value: after, error: 1 }, metric) ?? 0)
    expect([worse('auc', 0.7, 0.6), worse('accuracy', 0.7, 0.6)]).toEqual([1, 1])
    expect([worse('log-loss', 0.3, 0.5), worse('mae', 1, 2), worse('rmse', 1, 2), worse('brier', 0.1, 0.2)]).toEqual([
      1, 1, 1, 1,
    ])
    // Too low by as much as it was too high is no worse; farther from nought is.
    expect([worse('calibration', 0.1, -0.1), worse('calibration', 0.1, -0.2)]).toEqual([0, 1])
  })
})
