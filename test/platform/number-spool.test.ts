// Numbers by column come back as they were added, from memory and from files.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NumberSpool } from '../../src/platform/number-spool.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'number-spool-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('gives each column in its order, however many there are', () => {
  const spool = new NumberSpool(folder, 'numbers')
  const counts = [0, 1, 4_095, 4_096, 4_097, 10_000]
  for (let index = 0; index < 10_000; index++) {
    for (const [column, count] of counts.entries()) if (index < count) spool.add(column, index / (column + 1))
  }
  for (const [column, count] of counts.entries()) {
    expect([...spool.numbers(column)]).toEqual(Array.from({ length: count }, (_, index) => index / (column + 1)))
  }
  spool.add(1, Number.NaN)
  expect([...spool.numbers(1)]).toEqual([0, Number.NaN])
  spool.remove()
  expect(readdirSync(folder)).toEqual([])
})

test('makes no file of what fits in memory', () => {
  const spool = new NumberSpool(join(folder, 'nowhere'), 'numbers')
  spool.add(0, 1.5)
  expect([...spool.numbers(0)]).toEqual([1.5])
  spool.remove()
  expect(existsSync(join(folder, 'nowhere'))).toBe(false)
})
