import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { csvRecords, csvText } from '../../src/cli/csv.ts'
import { collect } from '../archive/factories.ts'

const quote = (field: string): string => `"${field.replaceAll('"', '""')}"`

async function recordsOf(...chunks: readonly string[]): Promise<readonly (readonly string[])[]> {
  async function* source() {
    yield* chunks
  }
  return collect(csvRecords(source()))
}

/** Cut into chunks of that many UTF-16 units. */
function cut(text: string, size: number): string[] {
  return Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
    text.slice(index * size, (index + 1) * size),
  )
}

describe('csvRecords', () => {
  it('reads back what was written, whatever is in the fields and wherever chunks end', async () => {
    const field = fc.oneof(fc.string(), fc.constantFrom('a,b', 'say "hi"', 'two\nlines', 'cr\r\nlf', '', ' '))
    await fc.assert(
      fc.asyncProperty(
        fc
          .integer({ min: 2, max: 4 })
          .chain(n => fc.array(fc.array(field, { minLength: n, maxLength: n }), { minLength: 1 })),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.integer({ min: 1, max: 9 }),
        async (records, end, endsWithBreak, size) => {
          const text = records.map(record => record.map(quote).join(',')).join(end) + (endsWithBreak ? end : '')
          expect(await recordsOf(...cut(text, size))).toEqual(records)
        },
      ),
    )
  })

  it('takes fields without quotes, a mark of byte order and blank lines', async () => {
    const text = '\uFEFFuser,time,label\r\nana,2026-01-02T03:04:05Z,\r\n\r\nben,x,1\r\n'
    for (const size of [1, 2, 5, text.length]) {
      expect(await recordsOf(...cut(text, size))).toEqual([
        ['user', 'time', 'label'],
        ['ana', '2026-01-02T03:04:05Z', ''],
        ['ben', 'x', '1'],
      ])
    }
    expect(await recordsOf('a,b\n1,')).toEqual([
      ['a', 'b'],
      ['1', ''],
    ])
  })

  it('refuses a stray quote, a record of another length and an empty file', async () => {
    for (const text of ['a,b\nx"y,2', 'a,b\n"x"y,2', 'a,b\n"x,2', 'a,b\n1', 'a,b\n1,2,3', '', '\n\n']) {
      await expect(recordsOf(text), text).rejects.toMatchObject({ code: 'file-unreadable' })
    }
  })

  it('does not wait for a quote that nobody closed', async () => {
    let pulled = 0
    async function* endless() {
      yield 'a,b\n"'
      for (; ; pulled++) yield 'x'.repeat(64 * 1024)
    }
    await expect(collect(csvRecords(endless()))).rejects.toMatchObject({ code: 'file-unreadable' })
    expect(pulled).toBeLessThan(20)
  })
})

describe('csvText', () => {
  const textOf = async (...chunks: readonly Uint8Array[]) => {
    async function* source() {
      yield* chunks
    }
    return (await collect(csvText(source()))).join('')
  }

  it('is the same wherever chunks end', async () => {
    const bytes = Buffer.from('\uFEFFuser,item\nJosé,茶🍵\n')
    for (let end = 0; end <= bytes.length; end++) {
      expect(await textOf(bytes.subarray(0, end), bytes.subarray(end))).toBe(bytes.toString('utf8'))
    }
  })

  it('replaces no letter of another encoding, and none that is torn', async () => {
    await expect(textOf(Buffer.from('user\nJosé\n', 'latin1'))).rejects.toMatchObject({
      code: 'file-unreadable',
      message: 'The CSV is not UTF-8',
    })
    await expect(textOf(Buffer.from('é').subarray(0, 1))).rejects.toThrow('not UTF-8')
  })
})
