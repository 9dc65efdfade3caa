import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { lineParts, linesOfPart, PART_BYTES_MAX } from '../../src/archive/line-parts.ts'
import { collect } from './factories.ts'

async function* from<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

it('closes a part at 16 MiB of lines, each with the number of its own, and gives the lines back', async () => {
  const lines = [9, 7, 2, 1].map(mib => Buffer.alloc(mib * 1024 * 1024 - 1, 'x'))
  const parts = await collect(lineParts(from(lines), number => `part-07-000${number}`))
  expect(parts.map(({ name, rows }) => [name, rows])).toEqual([
    ['part-07-0000', 2],
    ['part-07-0001', 2],
  ])
  const back = parts.flatMap(({ name = '', body }) => linesOfPart({ name, body }))
  expect(back.map(line => line.length)).toEqual(lines.map(line => line.length))
})

it('makes no part of no line', async () => {
  expect(await collect(lineParts(from([]), String))).toEqual([])
})

it('refuses a part that is no gzip, has half a line, or inflates without end', () => {
  const part = (body: Uint8Array) => () => linesOfPart({ name: 'part-00-0000', body })
  expect(part(Buffer.from('{}\n'))).toThrow('is not lines in gzip')
  expect(part(gzipSync('{}\n{'))).toThrow('does not end with a whole line')
  expect(part(gzipSync(Buffer.alloc(PART_BYTES_MAX * 2 + 1, '\n')))).toThrow('is not lines in gzip')
})
