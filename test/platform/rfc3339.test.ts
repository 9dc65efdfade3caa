import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseRfc3339Ms } from '../../src/platform/rfc3339.ts'

const [FIRST_MS, LAST_MS] = [Date.parse('0000-01-01T00:00:00Z'), Date.parse('9999-12-31T23:59:59.999Z')]

test('reads what Date writes, of every year that RFC 3339 can write', () => {
  fc.assert(
    fc.property(fc.integer({ min: FIRST_MS, max: LAST_MS }), ms => {
      expect(parseRfc3339Ms(new Date(ms).toISOString())).toBe(ms)
    }),
    { examples: [[FIRST_MS], [LAST_MS], [-1], [0], [Date.parse('0099-12-31T23:59:59.999Z')]] },
  )
})

test('cuts finer fractions off towards the past, before 1970 too', () => {
  expect(parseRfc3339Ms('1969-12-31T23:59:59.9985Z')).toBe(-2)
  expect(parseRfc3339Ms('1970-01-01T00:00:00.0019Z')).toBe(1)
})

test.each(['2026-02-30T00:00:00Z', '2026-06-30T24:00:00Z', '2026-06-30T06:00:00', '0100-02-29T00:00:00Z'])(
  'does not read %s',
  text => {
    expect(parseRfc3339Ms(text)).toBeUndefined()
  },
)
