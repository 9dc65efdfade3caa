// Parts in text of who knows whom: read as their readers do, and never more of them in memory than a row.
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Column } from '../../src/catalog/columns.ts'
import { rowFormat } from '../../src/catalog/row-formats.ts'
import { countTextRows, type TextPart } from '../../src/catalog/text-part.ts'
import { ALL_TYPES, allTypesRows } from './row-factories.ts'

const TWO: readonly Column[] = [
  { name: 'id', type: 'string' },
  { name: 'n', type: 'int64' },
]
type Format = TextPart['format']
const FORMATS = ['ndjson.gz', 'csv.gz'] as const
const count = (format: Format, text: string | Uint8Array, columns = TWO) =>
  countTextRows({ format, columns, body: gzipSync(text) })

describe.each(FORMATS)('%s', format => {
  test('that we have written has the rows that were written', async () => {
    await fc.assert(
      fc.asyncProperty(allTypesRows, async rows => {
        const body = rowFormat('a.b', { format, columns: ALL_TYPES }).write(ALL_TYPES, rows)
        expect(await countTextRows({ format, columns: ALL_TYPES, body })).toBe(rows.length)
      }),
      { numRuns: 60 },
    )
  })

  test('is counted over the bounds of its pieces, of whatever bytes a character has', async () => {
    const rows = Array.from({ length: 40_000 }, (_, n) => ({ id: `é"\n,${'€'.repeat(n % 7)}`, n }))
    const body = rowFormat('a.b', { format, columns: TWO }).write(TWO, rows)
    const seen: number[] = []
    const whenInflated = (bytes: number) => seen.push(bytes)
    let last = 0
    const whenRow = (row: number) => (last = row)
    expect(await countTextRows({ format, columns: TWO, body, whenInflated, whenRow })).toBe(rows.length)
    expect(last).toBe(rows.length)
    expect(seen.length).toBeGreaterThan(2)
  })

  test('is refused where it is no gzip, or one without its end', async () => {
    const whole = gzipSync(format === 'csv.gz' ? `id,n\n${'a,1\n'.repeat(1000)}` : '{}\n'.repeat(1000))
    for (const body of [Buffer.from('garbag'), whole.subarray(0, -9), new Uint8Array(3), new Uint8Array(0)]) {
      await expect(countTextRows({ format, columns: TWO, body })).rejects.toMatchObject({
        code: 'part-differs',
        message: 'It is no whole gzip',
      })
    }
  })

  test('is refused where it is no UTF-8, of which other readers make nothing', async () => {
    const text = Buffer.concat([Buffer.from(format === 'csv.gz' ? 'id,n\n' : '{"id":"'), Buffer.from([0xe9, 0x22])])
    await expect(count(format, text)).rejects.toMatchObject({
      code: 'part-differs',
      message: expect.stringContaining('no UTF-8'),
    })
  })

  test('is not read on once a row is longer than any is, or somebody has had enough', async () => {
    const endless = Buffer.alloc(40 * 1024 ** 2, 'x')
    let inflated = 0
    const whenInflated = (bytes: number) => (inflated += bytes)
    const long = countTextRows({ format, columns: TWO, body: gzipSync(endless), whenInflated })
    await expect(long).rejects.toMatchObject({
      code: 'part-too-big',
      message: expect.stringMatching(/line \d has more than 16777216/),
    })
    expect(inflated).toBeLessThan(18 * 1024 ** 2)
    const enough = () => {
      throw new Error('enough')
    }
    await expect(
      countTextRows({ format, columns: TWO, body: gzipSync(endless), whenInflated: enough }),
    ).rejects.toThrow('enough')
  })
})

test.each<[string, Format, string, string]>([
  ['a value of another type', 'ndjson.gz', '{"id":"a","n":1}\n{"n":"x"}', 'Line 2 cannot be read: "n" is not int64'],
  ['a line that is no object', 'ndjson.gz', '{}\n[]\n', 'Line 2 '],
  ['an empty line', 'ndjson.gz', '{}\n\n{}\n', 'Line 2 '],
  ['a value of another type', 'csv.gz', 'n,id\n1,a\n1.5,b\n', 'Line 3 cannot be read: "n" is not int64'],
  ['no column', 'csv.gz', 'id\na\n', 'Line 1 cannot be read: the column "n" is not there'],
  ['nothing at all', 'csv.gz', '', 'Line 1 '],
  ['a quote without its end', 'csv.gz', 'id,n\n"a,1\n', 'Line 2 '],
  ['too few fields', 'csv.gz', 'id,n\na\n', 'Line 2 '],
])('%s in %s is told by line and column', async (_what, format, text, message) => {
  await expect(count(format, text)).rejects.toMatchObject({
    code: 'part-differs',
    message: expect.stringContaining(message),
  })
})

test('the last line may lack its end, in a file of no rows there is nothing', async () => {
  expect(await count('ndjson.gz', '{"n":1}\n{"n":2}')).toBe(2)
  expect(await count('ndjson.gz', '')).toBe(0)
  expect(await count('csv.gz', 'id,n\n"",')).toBe(1)
  expect(await count('csv.gz', 'id,n\n')).toBe(0)
})
