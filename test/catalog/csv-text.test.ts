import fc from 'fast-check'
import { expect, test } from 'vitest'
import { csvField, type CsvField, CsvParser } from '../../src/catalog/csv-text.ts'

function parsed(pieces: readonly string[]): CsvField[][] {
  const parser = new CsvParser()
  return [...pieces.flatMap(piece => parser.take(piece, false)), ...parser.take('', true)]
}

const field = fc.option(fc.string({ unit: fc.constantFrom('a', '"', ',', '\r', '\n', ' ', 'ü') }), { nil: null })
const records = fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { maxLength: 6 })

test('gives back every field, with any line ends, cut into pieces anywhere', () => {
  const cuts = fc.array(fc.nat({ max: 60 }), { maxLength: 6 })
  fc.assert(
    fc.property(records, cuts, fc.constantFrom('\n', '\r\n', '\r'), fc.boolean(), (rows, at, end, isEnded) => {
      const lines = rows.map(row => row.map(each => (each === null ? '' : csvField(each))).join(','))
      // Without an end a last line of one null is no line.
      const text = lines.join(end) + (isEnded || lines.at(-1) === '' ? end : '')
      const places = [0, ...at.filter(place => place < text.length).toSorted((a, b) => a - b), text.length]
      const pieces = places.slice(1).map((place, index) => text.slice(places[index], place))
      expect(parsed(pieces)).toEqual(rows.length === 0 ? parsed([text]) : rows)
    }),
    { numRuns: 300 },
  )
})

test('a field that is in no need of quotes has none', () => {
  expect(['a', 'a b', '=1+1', 'ü', '', ' a', 'a\t', '"', 'a,b', 'a\nb'].map(csvField)).toEqual([
    'a',
    'a b',
    '=1+1',
    'ü',
    '""',
    '" a"',
    '"a\t"',
    '""""',
    '"a,b"',
    '"a\nb"',
  ])
})
