import { expect, test } from 'vitest'
import type { TableSchema } from '../../src/catalog/items.ts'
import { partitionName } from '../../src/catalog/partition-name.ts'
import { catalogWorld, PLAIN, REASON, textOf, textParts, USERS } from './factories.ts'

const KEYED: TableSchema = { ...PLAIN, partitionKeys: ['year', 'country'] }

test.each([
  [['2026', 'de'], 'year=2026/country=de'],
  [[2026, 'de'], 'year=2026/country=de'],
  [{ country: 'de', year: 2026 }, 'year=2026/country=de'],
  // As it is written in the name, a value is the same value.
  [['year=2026', 'country=de'], 'year=2026/country=de'],
  [['year=2026', 'de'], 'year=2026/country=de'],
  [{ country: 'country=de', year: 'year=2026' }, 'year=2026/country=de'],
  [['2026', 'a=b'], 'year=2026/country=a=b'],
  [['year=2026', 'country=country'], 'year=2026/country=country'],
  [[-1, 'NaN'], 'year=-1/country=NaN'],
])('%j is %s', (values, name) => {
  expect(partitionName(USERS, KEYED, values)).toBe(name)
})

test('without partition keys, the values are the name', () => {
  expect(partitionName(USERS, PLAIN, ['2016'])).toBe('2016')
  expect(partitionName(USERS, PLAIN, ['2016', 'de'])).toBe('2016/de')
  expect(partitionName(USERS, PLAIN, ['year=2016', 7])).toBe('year=2016/7')
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

test.each([
  [null, 'the value of "year" is null'],
  [undefined, 'the value of "year" is undefined'],
  [true, 'the value of "year" is boolean'],
  [new Date(0), 'the value of "year" is object'],
  [Number.NaN, 'the value of "year" is NaN'],
  [Number.POSITIVE_INFINITY, 'the value of "year" is Infinity'],
  [2016.5, 'the value of "year" is 2016.5'],
  [2 ** 53, 'the value of "year" is 9007199254740992'],
  ['', 'the value of "year" is empty'],
  ['year=', 'the value of "year" is empty'],
  ['country=de', 'the value of "year" is "country=de", which is of "country"'],
])('the value %j is refused of a table with keys, and without: %s', (value, what) => {
  const refused = { code: 'partition-invalid', message: expect.stringContaining(what) }
  const values = [value, 'de'] as readonly string[]
  expect(() => partitionName(USERS, KEYED, values)).toThrow(expect.objectContaining(refused))
  if (typeof value === 'string' && value !== '') return
  expect(() => partitionName(USERS, PLAIN, values)).toThrow(expect.objectContaining({ code: 'partition-invalid' }))
})

test.each([
  [KEYED, 'year=/country=de'],
  [KEYED, 'year=2026/country='],
  [PLAIN, 'year='],
])('a name with an empty value is refused before anything is written', async (schema, partition) => {
  const { catalog, objects } = catalogWorld()
  await catalog.createTable(USERS, schema)
  const stored = catalog.store({ ...USERS, partition }, { parts: textParts('b'), ...REASON })
  await expect(stored).rejects.toMatchObject({
    code: 'partition-invalid',
    message: expect.stringContaining('is empty'),
  })
  expect(objects.objects.size).toBe(0)
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
