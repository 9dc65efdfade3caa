import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import type { Column, Row } from '../../src/catalog/columns.ts'
import { ROW_GROUP_ROWS, writeParquet } from '../../src/catalog/parquet-rows.ts'
import { ROW_FORMATS, type RowFormatName, rowFormat } from '../../src/catalog/row-formats.ts'
import { ALL_TYPES, allTypesRows } from './row-factories.ts'

const formatOf = (format: RowFormatName, columns = ALL_TYPES) => rowFormat('shop.users', { format, columns })

async function readBack(format: RowFormatName, rows: readonly Row[], columns = ALL_TYPES): Promise<Row[]> {
  const { write, read } = formatOf(format, columns)
  const all: Row[] = []
  for await (const some of read(columns, write(columns, rows))) all.push(...some)
  return all
}

const textOf = (bytes: Uint8Array): string => gunzipSync(bytes).toString('utf8')

describe.each(ROW_FORMATS)('%s', format => {
  it('gives back every row that went in', async () => {
    await fc.assert(
      fc.asyncProperty(allTypesRows, async rows => {
        expect(await readBack(format, rows)).toEqual(rows)
      }),
      { numRuns: 60 },
    )
  })

  it('gives back any one column alone, of rows that have it', async () => {
    const column = fc.constantFrom(...ALL_TYPES)
    await fc.assert(
      fc.asyncProperty(allTypesRows, column, async (rows, { name, type }) => {
        const { write, readColumns } = formatOf(format)
        const found = await readColumns([{ name, type }], write(ALL_TYPES, rows))
        expect(found).toEqual({ rows: rows.length, data: [rows.map(row => row[name])] })
        const alone = rows.map(row => ({ [name]: row[name] ?? null }))
        expect(await readBack(format, alone, [{ name, type }])).toEqual(alone)
      }),
      { numRuns: 40 },
    )
  })

  it.each<[string, Row]>([
    ['text for a number', { orders: '7' }],
    ['an integer that a number does not hold', { orders: 2 ** 53 }],
    ['an integer beyond 64 bits', { orders: 2n ** 63n }],
    ['NaN', { mean: Number.NaN }],
    ['a number for text', { userId: 7 }],
    ['half a surrogate pair', { userId: '\ud83d' }],
    ['a number for a flag', { gift: 1 }],
    ['a time as text', { at: '2001-06-30T00:00:00Z' }],
    ['a list with something else in it', { visits: [1, 'x'] }],
    ['a list for a map', { shares: [1] }],
    ['a column that is none', { spend: 1 }],
    ['NaN in JSON', { state: { a: [Number.NaN] } }],
    ['an integer in JSON that a number does not hold', { state: { a: { b: (2n ** 60n) as never } } }],
    ['a date in a list of JSON', { notes: [{ at: new Date(0) as never }] }],
  ])('refuses %s', (_, row) => {
    expect(() => formatOf(format).write(ALL_TYPES, [{ userId: 'fine' }, row])).toThrow(
      expect.objectContaining({ code: 'row-invalid', message: expect.stringContaining('Row 1 ') }),
    )
  })
})

test('text formats refuse an instant that RFC 3339 has no text for', () => {
  const late = [{ at: Date.UTC(9999, 11, 31, 23, 59, 59, 999) + 1 }]
  for (const format of ['ndjson.gz', 'csv.gz'] as const) {
    expect(() => formatOf(format).write(ALL_TYPES, late)).toThrow(expect.objectContaining({ code: 'row-invalid' }))
  }
})

test('an opaque table has no format of rows', () => {
  expect(() => rowFormat('models.churn', { format: 'zip', columns: ALL_TYPES })).toThrow('zip, which has no rows')
  expect(() => rowFormat('shop.events', { format: 'ndjson.gz', columns: [] })).toThrow('no columns')
})

const PLAIN: readonly Column[] = [
  { name: 'id', type: 'string' },
  { name: 'n', type: 'int64' },
  { name: 'x', type: 'double' },
  { name: 'ok', type: 'boolean' },
  { name: 'at', type: 'timestamp' },
  { name: 'list', type: 'list<int64>' },
]
const PLAIN_ROWS: Row[] = [
  { id: '', n: 2n ** 60n, x: -0, ok: true, at: 0, list: [1, 2n ** 60n] },
  { id: null, n: -7, x: 0.1, ok: null, at: null, list: null },
  { id: 'a "b", c', n: null, x: null, ok: false, at: 1_782_800_000_123, list: [] },
]

test('the text of NDJSON is this', () => {
  expect(textOf(formatOf('ndjson.gz', PLAIN).write(PLAIN, PLAIN_ROWS))).toBe(
    [
      '{"id":"","n":"1152921504606846976","x":-0.0,"ok":true,"at":"1970-01-01T00:00:00.000Z","list":[1,"1152921504606846976"]}',
      '{"id":null,"n":-7,"x":0.1,"ok":null,"at":null,"list":null}',
      '{"id":"a \\"b\\", c","n":null,"x":null,"ok":false,"at":"2026-06-30T06:13:20.123Z","list":[]}',
      '',
    ].join('\n'),
  )
})

test('the text of CSV is this', () => {
  expect(textOf(formatOf('csv.gz', PLAIN).write(PLAIN, PLAIN_ROWS))).toBe(
    [
      'id,n,x,ok,at,list',
      '"",1152921504606846976,-0.0,true,1970-01-01T00:00:00.000Z,"[1,""1152921504606846976""]"',
      ',-7,0.1,,,',
      '"a ""b"", c",,,false,2026-06-30T06:13:20.123Z,[]',
      '',
    ].join('\n'),
  )
})

describe('files of other writers', () => {
  const read = async (format: RowFormatName, text: string, columns = PLAIN): Promise<Row[]> => {
    const all: Row[] = []
    for await (const rows of formatOf(format, columns).read(columns, gzipSync(text))) all.push(...rows)
    return all
  }
  const two = PLAIN.slice(0, 2)

  it('may have their columns in another order, other line ends, and spell true as R and Python do', async () => {
    const columns = PLAIN.slice(0, 4)
    expect(await read('csv.gz', 'ok,x,n,id\r\nTRUE,1e3,2,a\r\nFalse,.5,"",b', columns)).toEqual([
      { id: 'a', n: 2, x: 1000, ok: true },
      { id: 'b', n: null, x: 0.5, ok: false },
    ])
    expect(await read('ndjson.gz', '{"n":"12","more":1}\n{}', two)).toEqual([
      { id: null, n: 12 },
      { id: null, n: null },
    ])
  })

  it.each<[string, RowFormatName, string]>([
    ['a quote that is never closed', 'csv.gz', 'id,n\n"a,1\n'],
    ['text behind a closing quote', 'csv.gz', 'id,n\n"a"b,1\n'],
    ['a stray quote', 'csv.gz', 'id,n\na"b,1\n'],
    ['too few fields', 'csv.gz', 'id,n\na\n'],
    ['a column that is not there', 'csv.gz', 'id\na\n'],
    ['two columns of one name', 'csv.gz', 'id,n,id\na,1,b\n'],
    ['a fraction for an integer', 'csv.gz', 'id,n\na,1.5\n'],
    ['no JSON', 'ndjson.gz', '{"id":"a","n":\n'],
    ['a list for an object', 'ndjson.gz', '["a",1]\n'],
    ['an integer that was rounded on its way', 'ndjson.gz', '{"n":9007199254740993}\n'],
  ])('are refused with %s', async (_, format, text) => {
    await expect(read(format, text, two)).rejects.toMatchObject({
      code: 'part-differs',
      message: expect.stringMatching(/^Line [12] /),
    })
  })

  it.each(['2026-02-30T00:00:00Z', '2026-06-30T24:00:00Z', '2026-06-30T06:00:00', '0000-01-01T00:00:00+01:00'])(
    'are refused with the instant %s, with line and column',
    async text => {
      const columns: Column[] = [{ name: 'at', type: 'timestamp' }]
      const refused = { code: 'part-differs', message: expect.stringMatching(/^Line [12] .*"at" is not timestamp/) }
      await expect(read('csv.gz', `at\n${text}\n`, columns)).rejects.toMatchObject(refused)
      await expect(read('ndjson.gz', `{"at":"${text}"}\n`, columns)).rejects.toMatchObject(refused)
    },
  )
})

describe('DuckDB', () => {
  let folder: string
  let duckdb: DuckDBInstance
  const query = async (sql: string) => {
    const connection = await duckdb.connect()
    try {
      return (await connection.runAndReadAll(sql)).getRowObjectsJson()
    } finally {
      connection.closeSync()
    }
  }
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'formats-'))
    duckdb = await DuckDBInstance.create(':memory:')
  })
  afterAll(() => {
    duckdb.closeSync()
    rmSync(folder, { recursive: true })
  })

  const TYPES = "{id: 'VARCHAR', n: 'BIGINT', x: 'DOUBLE', ok: 'BOOLEAN', \"at\": 'TIMESTAMPTZ', list: 'JSON'}"
  const PATHS = {
    'ndjson.gz': (path: string) => `read_json('${path}', format = 'newline_delimited', columns = ${TYPES})`,
    'csv.gz': (path: string) =>
      `read_csv('${path}', header = true, allow_quoted_nulls = false, quote = '"', escape = '"', columns = ${TYPES})`,
    parquet: (path: string) => `read_parquet('${path}')`,
  }

  it.each(ROW_FORMATS)('reads the same values of %s, and tells null from empty text', async format => {
    const path = join(folder, `part-00000.${format}`)
    writeFileSync(path, formatOf(format, PLAIN).write(PLAIN, PLAIN_ROWS))
    const rows = await query(
      `select id, n, x, signbit(x) as negative, ok, epoch_ms("at") as ms, list[1]::varchar as first from ${PATHS[format](path)}`,
    )
    expect(rows).toMatchObject([
      { id: '', n: String(2n ** 60n), x: -0, negative: true, ok: true, ms: '0' },
      { id: null, n: '-7', x: 0.1, ok: null, ms: null },
      { id: 'a "b", c', n: null, x: null, ok: false, ms: '1782800000123' },
    ])
  })

  it('leaves out row groups by their statistics: damage in them is not met', async () => {
    const columns: readonly Column[] = [
      { name: 'id', type: 'string' },
      { name: 'n', type: 'int64' },
    ]
    const rows = Array.from({ length: 2 * ROW_GROUP_ROWS }, (_, n) => ({ id: `user-${String(n).padStart(9, '0')}`, n }))
    const bytes = writeParquet(columns, rows)
    const path = join(folder, 'damaged.parquet')
    // The first group is the first half.
    const damaged = bytes.slice()
    damaged.fill(0xff, 4, Math.floor(bytes.length * 0.45))
    writeFileSync(path, damaged)
    const last = rows.length - 3
    expect(await query(`select n from '${path}' where n = ${last}`)).toEqual([{ n: String(last) }])
    expect(await query(`select n from '${path}' where id = '${rows[last]?.id}'`)).toEqual([{ n: String(last) }])
    await expect(query(`select n from '${path}' where n = 3`)).rejects.toThrow()
  })
})
