import { describe, expect, it } from 'vitest'
import { planCompaction, type RawHour } from '../../src/archive/plan-compaction.ts'

const MINUTE_MS = 60_000
const at = (text: string) => Date.parse(`2026-01-02T${text}Z`)
const hour = (name: string, changes: Partial<RawHour> = {}): RawHour => ({
  hour: name,
  newestMs: at('12:59:59.000'),
  batchId: undefined,
  ...changes,
})

describe('the plan of a compaction', () => {
  it('has an hour from one hour after its end on', () => {
    const hours = [hour('2026010212')]
    expect(planCompaction(hours, at('13:59:59.999'))).toEqual([])
    expect(planCompaction(hours, at('14:00:00.000'))).toEqual(['2026010212'])
    expect(planCompaction([hour('2026010214')], at('14:00:00.000'))).toEqual([])
  })

  it('waits while the archive still writes to the hour', () => {
    const newestMs = at('20:00:00.000')
    const hours = [hour('2026010212', { newestMs })]
    expect(planCompaction(hours, newestMs + 15 * MINUTE_MS - 1)).toEqual([])
    expect(planCompaction(hours, newestMs + 15 * MINUTE_MS)).toEqual(['2026010212'])
  })

  it('leaves an hour alone whose raw objects are all older than its batch, by more than clocks differ', () => {
    const batchId = '20260102150000-7h3k9c2m'
    const plan = (newestMs: number) => planCompaction([hour('2026010212', { batchId, newestMs })], at('23:00:00.000'))
    expect(plan(at('14:00:00.000'))).toEqual([])
    expect(plan(at('14:00:00.001'))).toEqual(['2026010212'])
    expect(plan(at('16:00:00.000'))).toEqual(['2026010212'])
  })

  it('goes from the oldest hour to the newest', () => {
    const hours = ['2026010211', '2026010209', '2025123123', '2026010210'].map(name => hour(name, { newestMs: 0 }))
    expect(planCompaction(hours, at('23:00:00.000'))).toEqual(['2025123123', '2026010209', '2026010210', '2026010211'])
  })
})
