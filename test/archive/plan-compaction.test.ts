import { describe, expect, it } from 'vitest'
import { isToCompact, type RawHour } from '../../src/archive/plan-compaction.ts'

const MINUTE_MS = 60_000
const at = (text: string) => Date.parse(`2026-01-02T${text}Z`)
const hour = (name: string, changes: Partial<RawHour> = {}): RawHour => ({
  hour: name,
  newestMs: at('12:59:59.000'),
  batchId: undefined,
  ...changes,
})

describe('an hour is compacted', () => {
  it('from one hour after its end on', () => {
    expect(isToCompact(hour('2026010212'), at('13:59:59.999'))).toBe(false)
    expect(isToCompact(hour('2026010212'), at('14:00:00.000'))).toBe(true)
    expect(isToCompact(hour('2026010214'), at('14:00:00.000'))).toBe(false)
    expect(isToCompact(hour('2025123123'), at('01:00:00.000'))).toBe(false)
    expect(isToCompact(hour('2025123123', { newestMs: 0 }), at('01:00:00.000'))).toBe(true)
  })

  it('once the archive writes to it no more', () => {
    const newestMs = at('20:00:00.000')
    expect(isToCompact(hour('2026010212', { newestMs }), newestMs + 15 * MINUTE_MS - 1)).toBe(false)
    expect(isToCompact(hour('2026010212', { newestMs }), newestMs + 15 * MINUTE_MS)).toBe(true)
  })

  it('no more where all raw objects are older than its batch, by more than clocks differ', () => {
    const batchId = '20260102150000-7h3k9c2m'
    const isAgain = (newestMs: number) => isToCompact(hour('2026010212', { batchId, newestMs }), at('23:00:00.000'))
    expect(isAgain(at('14:00:00.000'))).toBe(false)
    expect(isAgain(at('14:00:00.001'))).toBe(true)
    expect(isAgain(at('16:00:00.000'))).toBe(true)
  })
})
