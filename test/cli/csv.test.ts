import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseCsv } from '../../src/cli/csv.ts'

const quote = (field: string): string => `"${field.replaceAll('"', '""')}"`

describe('parseCsv', () => {
  it('reads back what was written, whatever is in the fields', () => {
    const field = fc.oneof(fc.string(), fc.constantFrom('a,b', 'say "hi"', 'two\nlines', 'cr\r\nlf', '', ' '))
    fc.assert(
      fc.property(
        fc
          .integer({ min: 2, max: 4 })
          .chain(n => fc.array(fc.array(field, { minLength: n, maxLength: n }), { minLength: 1 })),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        (records, end, endsWithBreak) => {
          const text = records.map(record => record.map(quote).join(',')).join(end) + (endsWithBreak ? end : '')
          const [header, ...rest] = records
          expect(parseCsv(text)).toEqual({ header, records: rest })
        },
      ),
    )
  })

  it('takes fields without quotes, a mark of byte order and blank lines', () => {
    expect(parseCsv('\uFEFFuser,time,label\r\nana,2026-01-02T03:04:05Z,\r\n\r\nben,x,1\r\n')).toEqual({
      header: ['user', 'time', 'label'],
      records: [
        ['ana', '2026-01-02T03:04:05Z', ''],
        ['ben', 'x', '1'],
      ],
    })
    expect(parseCsv('a,b\n1,').records).toEqual([['1', '']])
  })

  it('refuses a stray quote, a record of another length and an empty file', () => {
    for (const text of ['a,b\nx"y,2', 'a,b\n"x"y,2', 'a,b\n"x,2', 'a,b\n1', 'a,b\n1,2,3', '']) {
      expect(() => parseCsv(text), text).toThrow(expect.objectContaining({ code: 'file-unreadable' }))
    }
  })
})
