// Ids that are not where they are looked for at first: numbers that became doubles, and names of partitions.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadRows, storeRows } from '../../src/catalog/table-rows.ts'
import type { Column, Row } from '../../src/catalog/columns.ts'
import { collect } from '../archive/factories.ts'
import { type ForgetWorld, forgetWorld, REASON } from './forget-world.ts'

const ID = '4711'

let world: ForgetWorld

beforeEach(() => {
  world = forgetWorld()
})

afterEach(() => world.remove())

const customers = { db: 'team', table: 'customers', partition: 'day=1' }

async function stored(columns: readonly Column[], rows: readonly Row[], format = 'parquet'): Promise<void> {
  await world.catalog.createTable(customers, { columns, format, owner: 'team' })
  await storeRows(world.catalog, customers, { rows, ...REASON })
}

const left = () => collect(loadRows(world.catalog, customers))

describe('an id that became a double', () => {
  it.each(['parquet', 'csv.gz', 'ndjson.gz'])(
    'is found in %s, as pandas makes one of a column with gaps',
    async format => {
      const rows = [4711, null, 12, 47.11].map(customer => ({ customer }))
      await stored([{ name: 'customer', type: 'double' }], rows, format)
      expect(await world.forget({ userId: ID })).toMatchObject({ isComplete: true, places: { tables: { rows: 1 } } })
      expect(await left()).toEqual([{ customer: null }, { customer: 12 }, { customer: 47.11 }])
    },
  )

  it('is found in lists and maps', async () => {
    const columns = [
      { name: 'list', type: 'list<double>' },
      { name: 'map', type: 'map<string,double>' },
    ] as const
    const rows = [
      { list: [1, 4711], map: null },
      { list: null, map: { a: 4711 } },
      { list: [4711.5], map: { a: -4711 } },
    ]
    await stored(columns, rows)
    expect(await world.forget({ userId: ID })).toMatchObject({ isComplete: true, places: { tables: { rows: 2 } } })
    expect(await left()).toEqual([rows[2]])
  })

  it('is whole, and what its digits say', async () => {
    const values = [-0, 1e21, 2 ** 60, 1.5]
    await stored(
      [{ name: 'customer', type: 'double' }],
      values.map(customer => ({ customer })),
    )
    for (const userId of [
      '-0',
      '0',
      '1e+21',
      '1e21',
      String(10n ** 21n),
      '1152921504606847000',
      '1.5',
      'NaN',
      'null',
    ]) {
      expect(await world.forget({ userId }), userId).toMatchObject({ isComplete: true, replaced: [] })
    }
    expect(await left()).toHaveLength(values.length)
    expect(await world.forget({ userId: String(2n ** 60n) })).toMatchObject({ places: { tables: { rows: 1 } } })
  })
})

describe('a partition that is called by the user', () => {
  const store = async (partition: string): Promise<void> => {
    const ref = { db: 'team', table: 'scores', partition }
    await world.catalog.createTable(ref, {
      columns: [{ name: 'score', type: 'double' }],
      format: 'parquet',
      owner: 'team',
    })
    await storeRows(world.catalog, ref, { rows: [{ score: 0.5 }], ...REASON })
  }

  it('is left, with what to do, and the report does not say the id', async () => {
    for (const partition of [`user=${ID}`, `year=2026/user=${ID}`, ID, `user=${ID}0`, `note=x-${ID}`, `${ID}=x`])
      await store(partition)
    const report = await world.forget({ userId: ID })
    expect(report.isComplete).toBe(false)
    expect(report.left.map(({ where }) => where)).toEqual([
      'team.scores/<user>',
      'team.scores/user=<user>',
      'team.scores/year=2026/user=<user>',
    ])
    expect(report.left[0]?.why).toContain('table retain')
    expect(JSON.stringify(report)).not.toContain(ID)
  })

  it('is told from a date, and from what a key is said to hold', async () => {
    for (const partition of ['year=12/month=12/day=12', 'shop=12', 'user=12']) await store(partition)
    const report = await world.forget({ userId: '12', keysWithoutUsers: ['shop'] })
    expect(report.left.map(({ where }) => where)).toEqual(['team.scores/user=<user>'])
    expect(await world.forget({ userId: '12', keysWithoutUsers: ['team.scores'] })).toMatchObject({ isComplete: true })
  })

  it('is in no receipt of what was purged there', async () => {
    await world.catalog.createTable(customers, {
      columns: [{ name: 'who', type: 'string' }],
      format: 'parquet',
      owner: 'team',
    })
    const ref = { ...customers, partition: `user=${ID}` }
    await storeRows(world.catalog, ref, { rows: [{ who: ID }, { who: '12' }], ...REASON })
    const report = await world.forget({ userId: ID })
    expect(report.replaced).toMatchObject([{ partition: 'user=<user>', rows: 1 }])
    expect(world.receipts.length).toBeGreaterThan(0)
    expect(world.receipts.join()).not.toContain(ID)
    expect(await collect(loadRows(world.catalog, ref))).toEqual([{ who: '12' }])
  })
})
