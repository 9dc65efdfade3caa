// Rows paired by their key, against a comparison that anybody can follow.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Column, Row } from '../../src/catalog/columns.ts'
import { type BatchDiff, diffBatches, type DiffOptions } from '../../src/catalog/diff-batches.ts'
import type { LoadedBatch } from '../../src/catalog/load-batch.ts'
import { storeRows } from '../../src/catalog/table-rows.ts'
import { type CatalogWorld, catalogWorld, DAY, REASON } from './factories.ts'

const COLUMNS: readonly Column[] = [
  { name: 'user_id', type: 'string' },
  { name: 'visits', type: 'int64' },
  { name: 'tags', type: 'map<string,double>' },
]

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'diff-batches-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let world: CatalogWorld
beforeEach(() => {
  world = catalogWorld()
})

async function batch(rows: readonly Row[], columns = COLUMNS, partRowsMax = 3): Promise<LoadedBatch> {
  await world.catalog.createTable(DAY, { columns, format: 'parquet', owner: 'ana' })
  const { batchId } = await storeRows(world.catalog, DAY, { rows, partRowsMax, ...REASON })
  return world.catalog.load(DAY, batchId)
}

async function diff(from: readonly Row[], to: readonly Row[], options: Partial<DiffOptions> = {}): Promise<BatchDiff> {
  return diffBatches(await batch(from), await batch(to), { folder, ...options })
}

const user = (id: string, visits: number | bigint | null, tags: Readonly<Record<string, number>> = {}): Row => ({
  user_id: id,
  visits,
  tags,
})

test('counts what was added, removed, changed and left, and shows some', async () => {
  const from = [user('a', 1), user('b', 2, { x: 1, y: 2 }), user('c', null), user('d', 2n ** 60n)]
  const to = [user('d', 2n ** 60n), user('b', 2, { y: 2, x: 1 }), user('c', 3, { z: 1 }), user('e', 5)]
  const { rows, changedIn, examples, keys } = await diff(from, to)
  expect(keys).toEqual(['user_id'])
  expect(rows).toEqual({ from: 4, to: 4, added: 1, removed: 1, changed: 1, same: 2, repeatedKeys: 0 })
  expect(changedIn).toEqual({ visits: 1, tags: 1 })
  expect(examples).toEqual({
    added: ['"e"'],
    removed: ['"a"'],
    changed: [
      {
        key: '"c"',
        columns: [
          { name: 'visits', from: 'null', to: '3' },
          { name: 'tags', from: '{}', to: '{"z":1}' },
        ],
      },
    ],
  })
  expect(readdirSync(folder)).toEqual([])
})

test('is what a comparison in memory gives, whatever the order of rows, their parts and the files', async () => {
  const rows = fc.uniqueArray(
    fc.record({ user_id: fc.string({ maxLength: 3 }), visits: fc.integer({ min: 0, max: 2 }), tags: fc.constant({}) }),
    { selector: row => row.user_id, maxLength: 12 },
  )
  await fc.assert(
    fc.asyncProperty(rows, rows, fc.integer({ min: 1, max: 4 }), async (from, to, slots) => {
      world = catalogWorld()
      const visits = new Map(from.map(row => [row.user_id, row.visits]))
      const shared = to.filter(row => visits.has(row.user_id))
      const changed = shared.filter(row => visits.get(row.user_id) !== row.visits).length
      expect((await diff(from, to, { slots })).rows).toEqual({
        from: from.length,
        to: to.length,
        added: to.length - shared.length,
        removed: from.length - shared.length,
        changed,
        same: shared.length - changed,
        repeatedKeys: 0,
      })
    }),
    { numRuns: 25 },
  )
})

test('pairs rows of one key with their equals first, and says that keys repeat', async () => {
  const from = [user('a', 1), user('a', 2), user('a', 3)]
  const { rows, examples } = await diff(from, [user('a', 3), user('a', 1), user('a', 4), user('a', 5)])
  expect(rows).toMatchObject({ same: 2, changed: 1, added: 1, removed: 0, repeatedKeys: 5 })
  expect(examples.changed).toMatchObject([{ columns: [{ name: 'visits', from: '2', to: '4' }] }])
  const byBoth = await diff(from, [user('a', 3)], { keys: ['user_id', 'visits'] })
  expect(byBoth.rows).toMatchObject({ same: 1, removed: 2, repeatedKeys: 0 })
})

test('shows no more examples than it is asked for', async () => {
  const many = Array.from({ length: 30 }, (_, index) => user(`u${index}`, 1))
  expect((await diff(many, [], { examplesMax: 2 })).examples.removed).toHaveLength(2)
})

describe('columns', () => {
  test('that came, went or have another type are told, and not compared', async () => {
    const from = await batch([user('a', 1)])
    const other = catalogWorld()
    world = other
    const to = await batch(
      [{ user_id: 'a', visits: '1', spend: 2.5 }],
      [
        { name: 'user_id', type: 'string' },
        { name: 'visits', type: 'string' },
        { name: 'spend', type: 'double' },
      ],
    )
    const { columns, rows } = await diffBatches(from, to, { folder })
    expect(columns).toEqual({
      added: [{ name: 'spend', type: 'double' }],
      removed: [{ name: 'tags', type: 'map<string,double>' }],
      retyped: [{ name: 'visits', from: 'int64', to: 'string' }],
    })
    expect(rows).toMatchObject({ same: 1, changed: 0 })
  })

  test('that name a row are in both', async () => {
    const [from, to] = [await batch([user('a', 1)]), await batch([user('a', 1)])]
    const unknown = { code: 'diff-key-unknown', next: expect.stringContaining('user_id, visits, tags') }
    await expect(diffBatches(from, to, { folder, keys: ['id'] })).rejects.toMatchObject(unknown)
    const columns: Column[] = [{ name: 'visits', type: 'int64' }]
    world = catalogWorld()
    const keyless = await batch([{ visits: 1 }], columns)
    await expect(diffBatches(keyless, keyless, { folder })).rejects.toMatchObject({ code: 'diff-key-unknown' })
  })
})

test('tells of all rows once, as they are read', async () => {
  const seen: string[] = []
  const from = ['a', 'b', 'c', 'd'].map(id => user(id, 1))
  const onRows: DiffOptions['onRows'] = (side, rows) =>
    seen.push(`${side} ${JSON.stringify(rows.map(row => row['user_id']))}`)
  await diff(from, [user('e', 1)], { onRows })
  expect(seen).toEqual(['from ["a","b","c"]', 'from ["d"]', 'to ["e"]'])
})
