import { expect, test } from 'vitest'
import type { TableSchema } from '../../src/catalog/items.ts'
import { partitionName } from '../../src/catalog/partition-name.ts'
import { catalogWorld, PLAIN, REASON, textOf, textParts, USERS } from './factories.ts'

const KEYED: TableSchema = { ...PLAIN, partitionKeys: ['year', 'country'] }

test.each([
  [['2026', 'de'], 'year=2026/country=de'],
  [[2026, 'de'], 'year=2026/country=de'],
  [{ country: 'de', year: 2026 }, 'year=2026/country=de'],
])('%j is %s', (values, name) => {
  expect(partitionName(USERS, KEYED, values)).toBe(name)
})

test('without partition keys, the values are the name', () => {
  expect(partitionName(USERS, PLAIN, ['2016'])).toBe('2016')
  expect(partitionName(USERS, PLAIN, ['2016', 'de'])).toBe('2016/de')
})

test.each([
  [KEYED, ['2026'], 'partition-invalid'],
  [KEYED, ['2026', 'de', 'x'], 'partition-invalid'],
  [KEYED, { year: 2026 }, 'partition-invalid'],
  [KEYED, { year: 2026, country: 'de', month: 1 }, 'partition-invalid'],
  [KEYED, ['20/26', 'de'], 'partition-invalid'],
  [KEYED, ['20#26', 'de'], 'partition-invalid'],
  [KEYED, ['2026', 'd e'], 'name-invalid'],
  [PLAIN, { year: 2026 }, 'partition-invalid'],
  [PLAIN, [], 'partition-invalid'],
  [PLAIN, Array.from({ length: 9 }, (_, index) => index), 'name-invalid'],
  [PLAIN, ['x'.repeat(128), 'y'.repeat(128)], 'name-invalid'],
] as const)('%j with %j is refused: %s', (schema, values, code) => {
  expect(() => partitionName(USERS, schema, values)).toThrow(expect.objectContaining({ code }))
})

test('a table takes only partitions of its keys, which never change', async () => {
  const { catalog } = catalogWorld()
  await catalog.createTable(USERS, KEYED)
  const ref = { ...USERS, partition: 'year=2026/country=de' }
  await catalog.store(ref, { parts: textParts('a'), ...REASON })
  expect(await textOf(await catalog.load(ref))).toEqual(['a'])
  expect((await catalog.partitions(USERS)).map(({ partition }) => partition)).toEqual([ref.partition])
  for (const partition of ['2026', 'year=2026', 'country=de/year=2026', 'year=2026/country=de/x=1']) {
    const stored = catalog.store({ ...USERS, partition }, { parts: textParts('b'), ...REASON })
    await expect(stored).rejects.toMatchObject({ code: 'partition-invalid' })
  }
  for (const partitionKeys of [undefined, ['year'], ['country', 'year']]) {
    await expect(catalog.createTable(USERS, { ...PLAIN, partitionKeys })).rejects.toMatchObject({
      code: 'table-differs',
    })
  }
  await expect(
    catalog.createTable({ db: 'shop', table: 'other' }, { ...PLAIN, partitionKeys: ['Year'] }),
  ).rejects.toMatchObject({ code: 'name-invalid' })
})
