import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRfc3339Ms, timeReader } from '../../src/event/event-time.ts'
import { PROBLEM } from '../../src/event/problem.ts'

const AT = Date.UTC(2026, 0, 2, 3, 4, 5)

describe('RFC 3339', () => {
  it.each([
    ['2026-01-02T03:04:05Z', AT],
    ['2026-01-02t03:04:05z', AT],
    ['2026-01-02 03:04:05Z', AT],
    ['2026-01-02T03:04:05.6Z', AT + 600],
    ['2026-01-02T03:04:05.67Z', AT + 670],
    ['2026-01-02T03:04:05.6789Z', AT + 678],
    ['2026-01-02T03:04:05.999999999Z', AT + 999],
    ['2026-01-02T04:04:05+01:00', AT],
    ['2026-01-01T21:34:05-05:30', AT],
    ['2026-01-02T03:04:05-00:00', AT],
    ['1970-01-01T00:00:00Z', 0],
    ['1970-01-01T00:30:00+01:00', -1_800_000],
    ['1969-12-31T23:30:00-01:00', 1_800_000],
    ['0085-01-01T00:00:00Z', -59_484_758_400_000],
    ['2000-02-29T00:00:00Z', Date.UTC(2000, 1, 29)],
    ['2400-02-29T00:00:00Z', Date.UTC(2400, 1, 29)],
    ['2016-12-31T23:59:60Z', Date.UTC(2017, 0, 1)],
    ['2016-12-31T18:59:60.25-05:00', Date.UTC(2017, 0, 1) + 250],
    ['9999-12-31T23:59:59.999Z', 253_402_300_799_999],
  ])('reads %s', (text, ms) => {
    expect(parseRfc3339Ms(text)).toBe(ms)
  })

  it.each([
    '',
    '2026-01-02',
    '2026-01-02T03:04:05',
    '2026-01-02T03:04Z',
    '2026-01-02T03:04:05+01',
    '2026-01-02T03:04:05+0100',
    '2026-01-02T03:04:05+24:00',
    '2026-01-02T03:04:05+01:60',
    '2026-01-02T03:04:05.Z',
    '2026-01-02T03:04:05,5Z',
    '2026-01-02T03:04:05Z ',
    ' 2026-01-02T03:04:05Z',
    '2026-01-02T03:04:05ZZ',
    '2026-01-02_03:04:05Z',
    '2026-13-02T03:04:05Z',
    '2026-00-02T03:04:05Z',
    '2026-01-00T03:04:05Z',
    '2026-04-31T03:04:05Z',
    '2026-02-29T03:04:05Z',
    '2100-02-29T03:04:05Z',
    '3000-02-29T03:04:05Z',
    '2026-01-02T24:00:00Z',
    '2026-01-02T03:60:05Z',
    '2026-01-02T03:04:61Z',
    '2026-01-02T03:04:60Z',
    '2026-01-02T23:59:60+01:00',
    '+2026-01-02T03:04:05Z',
    '2026-1-2T03:04:05Z',
    '２026-01-02T03:04:05Z',
    '2026-01-02T03:04:05.' + '1'.repeat(100) + 'Z',
    'Fri, 02 Jan 2026 03:04:05 GMT',
  ])('does not read %j', text => {
    expect(parseRfc3339Ms(text)).toBeUndefined()
  })

  it('reads back what Date writes, at any offset', () => {
    const instants = fc.integer({ min: 0, max: 253_402_300_799_999 - 86_400_000 })
    fc.assert(
      fc.property(instants, fc.integer({ min: -1439, max: 1439 }), (ms, offsetMinutes) => {
        const local = new Date(ms + offsetMinutes * 60_000).toISOString().slice(0, -1)
        fc.pre(!local.startsWith('-'))
        const [hours, minutes] = [Math.floor(Math.abs(offsetMinutes) / 60), Math.abs(offsetMinutes) % 60]
        const offset = `${offsetMinutes < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`
        expect(parseRfc3339Ms(local + offset)).toBe(ms)
      }),
      { numRuns: 1000 },
    )
  })

  it('agrees with Date on which days there are', () => {
    for (let year = 1970; year < 2110; year++) {
      for (let month = 1; month <= 12; month++) {
        for (const day of [28, 29, 30, 31, 32]) {
          const isReal = new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day
          const text = `${year}-${String(month).padStart(2, '0')}-${day}T00:00:00Z`
          expect(parseRfc3339Ms(text) !== undefined).toBe(isReal)
        }
      }
    }
  })
})

describe('a time with a unit', () => {
  const seconds = timeReader({ path: 'at', unit: 's' })
  const milliseconds = timeReader({ path: 'at', unit: 'ms' })

  it('truncates to milliseconds by decimal meaning', () => {
    expect(seconds(1_700_000_000.123)).toBe(1_700_000_000_123)
    expect(seconds(1_700_000_000.9999)).toBe(1_700_000_000_999)
    expect(seconds(1.001)).toBe(1001)
    expect(milliseconds(1_700_000_000_123.9)).toBe(1_700_000_000_123)
    expect(milliseconds(0)).toBe(0)
  })

  it('keeps every millisecond that was written in seconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_000_000_000_000 }), ms => {
        expect(seconds(Number(`${Math.floor(ms / 1000)}.${String(ms % 1000).padStart(3, '0')}`))).toBe(ms)
      }),
    )
  })

  it('refuses what is no such time', () => {
    expect(seconds('1700000000')).toBe(PROBLEM.notTimeNumber)
    expect(seconds(Number.POSITIVE_INFINITY)).toBe(PROBLEM.notTimeNumber)
    expect(seconds(-0.001)).toBe(PROBLEM.timeBefore1970)
    expect(milliseconds(-1)).toBe(PROBLEM.timeBefore1970)
    expect(seconds(1_700_000_000_000)).toBe(PROBLEM.timeTooLarge)
    expect(milliseconds(1_700_000_000_000_000)).toBe(PROBLEM.timeTooLarge)
    expect(timeReader('at')(1_700_000_000)).toBe(PROBLEM.timeWithoutUnit)
    expect(timeReader('at')('1969-12-31T00:00:00Z')).toBe(PROBLEM.timeBefore1970)
    expect(timeReader('at')(null)).toBe(PROBLEM.notTimeText)
  })
})
