import { describe, expect, it } from 'vitest'
import { daysBefore } from '../../src/performance/measure.ts'

const HOUR = 3_600_000

describe('daysBefore', () => {
  it('are the days whose snapshots can be within the horizon, their own included', () => {
    const days = (horizonHours: number, ...of: readonly number[]) => [...daysBefore(of, horizonHours * HOUR)]
    expect(days(48, 10)).toEqual([8, 9, 10])
    expect(days(36, 10)).toEqual([8, 9, 10])
    expect(days(1, 10)).toEqual([9, 10])
    expect(days(24, 10, 11)).toEqual([9, 10, 11])
  })
})
