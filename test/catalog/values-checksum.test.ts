import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Column, Row } from '../../src/catalog/columns.ts'
import { valuesChecksum, valuesLine } from '../../src/catalog/values-checksum.ts'

const COLUMNS: readonly Column[] = [
  { name: 'id', type: 'string' },
  { name: 'at', type: 'timestamp' },
  { name: 'n', type: 'int64' },
  { name: 'x', type: 'double' },
  { name: 'ok', type: 'boolean' },
  { name: 'list', type: 'list<string>' },
  { name: 'map', type: 'map<string,int64>' },
  { name: 'j', type: 'json' },
]
const ROWS: readonly Row[] = [
  {
    id: 'b',
    at: 1000,
    n: 2n ** 60n,
    x: 0.1,
    ok: true,
    list: ['a,"', null],
    map: { ü: 1, b: null },
    j: { b: [1, null], a: 'x' },
  },
  { id: '\\N\t\r\n', at: null, n: -1, x: -0, ok: false, list: [], map: {}, j: '\\N' },
  { id: '', at: null, n: null, x: null, ok: null, list: null, map: null, j: null },
]

const LINES = [
  'b\t1000\t1152921504606846976\t3fb999999999999a\ttrue\t["a,\\"",\\N]\t{"b":\\N,"ü":1}\t{"a":"x","b":[3ff0000000000000,\\N]}',
  '\\\\N\\t\\r\\n\t\\N\t-1\t8000000000000000\tfalse\t[]\t{}\t"\\\\N"',
  '\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N',
]

it('has one line of text for a row', () => {
  expect(ROWS.map(row => valuesLine(COLUMNS, row))).toEqual(LINES)
})

it('is SHA-256 over the names and the sorted lines, whatever the order of rows and columns', async () => {
  const ordered = COLUMNS.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const lines = ROWS.map(row => valuesLine(ordered, row)).sort()
  const text = [ordered.map(({ name }) => name).join('\t'), ...lines, ''].join('\n')
  const expected = createHash('sha256').update(text).digest('hex')
  expect(await valuesChecksum(COLUMNS, ROWS)).toBe(expected)
  expect(await valuesChecksum(COLUMNS.toReversed(), ROWS.toReversed())).toBe(expected)
  expect(await valuesChecksum(COLUMNS, ROWS.slice(1))).not.toBe(expected)
})

it('sorts lines by their bytes, which UTF-16 does not', async () => {
  const columns: readonly Column[] = [{ name: 'id', type: 'string' }]
  const expected = createHash('sha256').update('id\n\u{FFFD}\n\u{1F600}\n').digest('hex')
  expect(await valuesChecksum(columns, [{ id: '\u{1F600}' }, { id: '\u{FFFD}' }])).toBe(expected)
})

it('has the lines that docs/catalog.md shows', () => {
  const docs = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'catalog.md'), 'utf8')
  const columns = COLUMNS.filter(({ name }) => ['at', 'id', 'j', 'n', 'x'].includes(name))
  const ordered = columns.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const rows: readonly Row[] = [
    { at: 1000, id: 'b', j: { b: [1, null], a: 'x' }, n: 2n ** 60n, x: 0.1 },
    { at: null, id: '\\N\t', j: '\\N', n: -1, x: -0 },
  ]
  for (const row of rows) expect(docs).toContain(`\`${valuesLine(ordered, row).replaceAll('\t', '→')}\``)
})
