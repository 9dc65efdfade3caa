// The laws say nothing of what their definitions and events do not reach: overflown keys, estimates, joined bins, what is null.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AggregateName } from '../../../src/features/feature.ts'
import { EXACT } from '../../../src/replay/obvious-answer.ts'
import { obviousAnswers } from '../../../src/replay/obvious-features.ts'
import { events } from '../arbitrary-events.ts'
import { definition } from '../arbitrary-features.ts'
import { PROPERTY_MS_MAX } from '../property-runs.ts'

const SAMPLES = 600
const SEED = 1

describe('what the laws are tried on', () => {
  it(
    'has every aggregate with a value of it, and every way out of the ordinary',
    () => {
      const valued = new Set<AggregateName>()
      const reached = { others: 0, estimates: 0, joined: 0, nulls: 0, flags: 0, ranges: 0 }
      for (const [{ set }, list] of fc.sample(fc.tuple(definition, events), { numRuns: SAMPLES, seed: SEED })) {
        const newest = list.reduce((at, event) => Math.max(at, event.ts), 0)
        for (const [name, { value, allowance }] of Object.entries(obviousAnswers(set, list, newest))) {
          const feature = set.features[name]
          if (value === null) reached.nulls++
          if (typeof value === 'boolean') reached.flags++
          if (feature?.kind === 'derived' && allowance !== EXACT) reached.ranges++
          if (feature?.kind !== 'aggregate') continue
          const { aggregate, stateParameters } = feature
          if (value !== null && value !== 0) valued.add(aggregate)
          if (typeof value === 'object' && value !== null && 'other' in value) reached.others++
          if (aggregate === 'distinct' && Number(value) > Number(stateParameters['exactTo'])) reached.estimates++
          if (aggregate === 'percentile' && allowance.relative > 1.1 * Number(stateParameters['error']))
            reached.joined++
        }
      }
      const names: readonly AggregateName[] = [
        ...(['count', 'sum', 'mean', 'min', 'max', 'variance', 'stddev', 'first', 'last', 'firstK', 'lastK'] as const),
        ...(['topK', 'distinct', 'percentile', 'histogram', 'recency', 'decayed', 'streak'] as const),
      ]
      expect([...valued].sort()).toEqual([...names].sort())
      expect(Math.min(...Object.values(reached))).toBeGreaterThan(5)
    },
    PROPERTY_MS_MAX,
  )
})
