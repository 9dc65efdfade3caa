// How far each column of numbers has moved between two batches.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Column } from '../../src/catalog/columns.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { DistributionDiffs } from '../../src/snapshot/diff-distributions.ts'

const COLUMNS: readonly Column[] = [
  { name: 'user_id', type: 'string' },
  { name: 'visits', type: 'int64' },
  { name: 'spend', type: 'double' },
  { name: 'gone', type: 'double' },
]

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'diff-distributions-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('counts, deciles and index are those of all values, from files as from memory', () => {
  const random = seededRandom(3)
  const diffs = new DistributionDiffs(folder, { from: COLUMNS, to: COLUMNS.slice(0, 3) })
  const rows = <T>(rowOf: (index: number) => T): T[] => Array.from({ length: 10_000 }, (_, index) => rowOf(index))
  const from = rows(index => ({ user_id: `u${index}`, visits: index % 10, spend: random(), gone: 1 }))
  const to = rows(index => ({ visits: BigInt(index % 10), spend: index % 2 === 0 ? null : random() + 0.5 }))
  for (let start = 0; start < 10_000; start += 2_500) {
    diffs.add('from', from.slice(start, start + 2_500))
    diffs.add('to', to.slice(start, start + 2_500))
  }
  const [visits, spend, ...others] = diffs.result()
  expect(others).toEqual([])
  expect(visits).toMatchObject({ name: 'visits', psi: 0, reading: 'steady' })
  expect(visits?.from).toMatchObject({
    kind: 'number',
    count: 10_000,
    missing: 0,
    deciles: [0, 1, 2, 3, 4, 5, 6, 7, 8],
  })
  expect(visits?.from.kind === 'number' ? visits.from.mean : 0).toBeCloseTo(4.5, 9)
  expect(visits?.to).toEqual(visits?.from)
  expect(spend).toMatchObject({ name: 'spend', reading: 'moved-much', to: { count: 10_000, missing: 5_000 } })
  diffs.remove()
  expect(readdirSync(folder)).toEqual([])
})

test('of a column with nothing there it is unknown how far it has moved', () => {
  const diffs = new DistributionDiffs(folder, { from: COLUMNS.slice(0, 2), to: COLUMNS.slice(0, 2) })
  diffs.add('to', [{ user_id: 'a', visits: 1 }])
  expect(diffs.result()).toMatchObject([{ from: { kind: 'empty', count: 0 }, psi: null, reading: 'unknown' }])
})
