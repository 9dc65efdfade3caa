import { describe, expect, it } from 'vitest'
import { dayText, periodStart } from '../../src/performance/period.ts'

const at = (text: string): number => Date.parse(text)

describe('periodStart', () => {
  it('is midnight UTC of the day', () => {
    expect(periodStart(at('2001-03-05T23:59:59.999Z'), 'day')).toBe(at('2001-03-05T00:00:00Z'))
    expect(periodStart(at('2001-03-06T01:00:00+02:00'), 'day')).toBe(at('2001-03-05T00:00:00Z'))
  })

  it('is the Monday of the week, the Monday itself included', () => {
    expect(dayText(periodStart(at('2001-03-04T23:59:59Z'), 'week'))).toBe('2001-02-26')
    expect(dayText(periodStart(at('2001-03-05T00:00:00Z'), 'week'))).toBe('2001-03-05')
    expect(dayText(periodStart(at('1969-12-31T00:00:00Z'), 'week'))).toBe('1969-12-29')
  })
})
