import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Judged } from '../../src/performance/judged.ts'
import { realised } from '../../src/performance/realised.ts'
import { slowAuc } from './slow-metrics.ts'
import { each, inSpoolDir } from './performance-world.ts'

const DAY = 86_400_000
const judgedOutcomes: fc.Arbitrary<Judged[]> = fc.array(
  fc.record({
    userId: fc.constant('ana'),
    time: fc.nat(3 * DAY),
    label: fc.integer({ min: 0, max: 1 }),
    weight: fc.constant(1),
    batchId: fc.constantFrom('b1', 'b2'),
    prediction: fc.integer({ min: 0, max: 9 }).map(n => n / 9),
  }),
  { maxLength: 40 },
)

describe('realised', () => {
  it('has the figures of each version and day, and of each version over all, whatever fits into memory', async () => {
    await fc.assert(
      fc.asyncProperty(judgedOutcomes, fc.constantFrom(1, 100, 100_000), async (judged, runBytesMax) => {
        const found = await inSpoolDir(spoolDir => realised(each(judged), { by: 'day', spoolDir, runBytesMax }))
        const groups = [...found.periods, ...found.versions]
        const wanted = judged.flatMap(({ time, batchId }) => [
          `${Math.floor(time / DAY) * DAY} ${batchId}`,
          `null ${batchId}`,
        ])
        expect(groups.map(({ start, batchId }) => `${start} ${batchId}`).sort()).toEqual([...new Set(wanted)].sort())
        for (const { start, batchId, pairs, metrics } of groups) {
          const own = judged.filter(
            one => one.batchId === batchId && (start === null || Math.floor(one.time / DAY) * DAY === start),
          )
          expect(pairs).toBe(own.length)
          const both = new Set(own.map(({ label }) => label)).size === 2
          if (both) expect(metrics.auc?.value).toBeCloseTo(slowAuc(own).value, 9)
          else expect(metrics.auc).toBeUndefined()
        }
        expect(found.periods.map(({ start }) => start)).toEqual(
          found.periods.map(({ start }) => start).toSorted((a, b) => a - b),
        )
      }),
      { numRuns: 60 },
    )
  })
})
