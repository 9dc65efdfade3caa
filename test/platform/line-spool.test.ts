import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LineSpool } from '../../src/platform/line-spool.ts'
import { sortLines } from '../../src/platform/sort-lines.ts'
import { splitLines } from '../../src/platform/split-lines.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-spool-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

async function texts(lines: AsyncIterable<Uint8Array>): Promise<string[]> {
  const all: string[] = []
  for await (const line of lines) all.push(Buffer.from(line).toString())
  return all
}

async function* from<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

describe('a spool of lines', () => {
  it('gives each slot its lines in the order they came, however long they are', async () => {
    const spool = new LineSpool(folder, 'raw')
    const lines = Array.from({ length: 3_000 }, (_, index) => `${index}:${'é'.repeat((index * 37) % 400)}`)
    for (const [index, line] of lines.entries()) spool.add(index % 3, Buffer.from(line))
    for (const slot of [2, 0, 1]) {
      expect(await texts(spool.lines(slot))).toEqual(lines.filter((_, index) => index % 3 === slot))
    }
    spool.add(1, Buffer.from('later'))
    expect((await texts(spool.lines(1))).at(-1)).toBe('later')
    expect(spool.slots()).toEqual([0, 1, 2])
    expect(await texts(spool.lines(7))).toEqual([])
  })

  it('leaves files that zcat reads, and removes them', async () => {
    const [spool, another] = [new LineSpool(folder, 'raw'), new LineSpool(folder, 'raw')]
    const long = 'a'.repeat(200_000)
    for (const slot of [5, 6]) {
      spool.add(slot, Buffer.from(long))
      another.add(slot, Buffer.from('another'))
    }
    const [own = ''] = readdirSync(folder)
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^raw-/)])
    expect(gunzipSync(readFileSync(join(folder, own, '5.ndjson.gz'))).toString()).toBe(`${long}\n`)
    spool.removeSlot(5)
    expect(readdirSync(join(folder, own))).toEqual(['6.ndjson.gz'])
    expect(await texts(spool.lines(5))).toEqual([])
    spool.remove()
    expect(readdirSync(folder)).toEqual([])
    expect(spool.slots()).toEqual([])
    expect(await texts(another.lines(5))).toEqual(['another'])
  })
})

it('splits chunks into lines, wherever the chunks are cut', async () => {
  const lines = fc.array(
    fc.string().map(text => text.replaceAll('\n', '')),
    { minLength: 1 },
  )
  await fc.assert(
    fc.asyncProperty(lines, fc.integer({ min: 1, max: 7 }), async (expected, size) => {
      const bytes = Buffer.from(expected.map(line => `${line}\n`).join(''))
      const chunks: Uint8Array[] = []
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
      expect(await texts(splitLines(from(chunks)))).toEqual(expected.map(line => Buffer.from(line).toString()))
    }),
  )
  expect(await texts(splitLines(from([Buffer.from('a\nb')])))).toEqual(['a', 'b'])
})

it('sorts lines, stable, whether they fit in one run or not, and leaves no file', async () => {
  const words = fc.array(fc.record({ key: fc.integer({ min: 0, max: 9 }), text: fc.string({ maxLength: 5 }) }))
  await fc.assert(
    fc.asyncProperty(words, fc.integer({ min: 1, max: 400 }), async (items, runBytesMax) => {
      const lines = items.map(item => Buffer.from(JSON.stringify(item)))
      const read = (line: Uint8Array) => JSON.parse(Buffer.from(line).toString()) as { readonly key: number }
      const options = { read, compare: (a: { key: number }, b: { key: number }) => a.key - b.key, folder, name: 'sort' }
      const sorted: unknown[] = []
      for await (const { item } of sortLines(from(lines), { ...options, runBytesMax })) sorted.push(item)
      expect(sorted).toEqual(items.toSorted((a, b) => a.key - b.key))
      expect(readdirSync(folder)).toEqual([])
    }),
    { numRuns: 60 },
  )
})

it('sorts no more in memory than a run, however many there are', async () => {
  let reads = 0
  const read = (line: Uint8Array) => (reads++, Number(Buffer.from(line).toString()))
  const lines = Array.from({ length: 10 }, (_, index) => Buffer.from(String(19 - index)))
  const options = { read, compare: (a: number, b: number) => a - b, folder, name: 'sort', runBytesMax: 6 }
  const sorted: number[] = []
  for await (const { item } of sortLines(from(lines), options)) sorted.push(item)
  expect(sorted).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19])
  // Three runs of three lines went to files, and are read once more from there.
  expect(reads).toBe(10 + 9)
})
