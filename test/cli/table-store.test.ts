// What `table store` refuses, and that nothing of it stays: a type, a column or a partition is for ever.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { jsonOf, openShop, type Shop } from './shop-world.ts'

const PIPELINE = `
import { count, event, features, pipeline } from 'millrace'
const visit = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {} })
export default pipeline({ name: 'shop', events: [visit], features: features({ a: count(visit) }), models: [] })
`
const CSV = `id,postcode,n,at,note
a,01067,1,2026-06-30T06:00:00Z,"Hello, ""world"""
b,,,,
`

let shop: Shop
beforeAll(async () => {
  shop = await openShop({ source: PIPELINE })
  await writeFile(file('users.csv'), CSV)
  await millrace('store', 'users.csv', 'shop.people', '--key', 'year=2026', '--create')
})
afterAll(() => shop.close())

const millrace = (...words: string[]) => shop.millrace('table', ...words)
const json = async (...words: string[]) => jsonOf(await millrace(...words, '--json'))
const file = (name: string) => join(shop.folder, name)

it('refuses an instant that there is not, with its line and column', async () => {
  for (const at of ['2026-02-30T00:00:00Z', '2026-06-30T24:00:00Z']) {
    await writeFile(file('instants.csv'), `id,at\na,2026-06-30T06:00:00Z\nb,${at}\n`)
    expect(await json('store', 'instants.csv', 'shop.people', 'year=2030')).toMatchObject({
      exitCode: 1,
      json: { error: { code: 'part-differs', message: 'Line 3 cannot be read: "at" is not timestamp' } },
    })
  }
})

it.each(['shop.users', 'shop.events', 'shop.training_default', 'models.churn', 'removals.shop', 'definitions.shop'])(
  'writes nothing into %s, which Millrace itself writes',
  async table => {
    const words = ['store', 'users.csv', table, 'day=2099-12-31', '--create']
    for (const more of [[], ['--dry-run']]) {
      expect(await json(...words, ...more)).toMatchObject({
        exitCode: 1,
        json: { error: { code: 'table-reserved' } },
      })
    }
    const [db = '', name = ''] = table.split('.')
    expect(await shop.connection.catalog.schema({ db, table: name })).toBeUndefined()
  },
)

it.each([
  [['all', '--type', 'postcode=double', '--type', 'note=int64'], 1, 'part-differs'],
  [['all', '--format', 'csv.gz', '--type', 'id=json'], 1, 'part-differs'],
  [['a#b'], 2, 'usage'],
  [['year='], 2, 'usage'],
  [['--key', 'Year=2026'], 2, 'usage'],
  [['--key', 'year=2026', '--key', 'year=2027'], 2, 'usage'],
  [['--key', 'year=a/b'], 2, 'usage'],
])('%j makes no table', async (words, exitCode, code) => {
  expect(await json('store', 'users.csv', 'shop.never', ...words, '--create')).toMatchObject({
    exitCode,
    json: { error: { code } },
  })
  expect(await shop.connection.catalog.schema({ db: 'shop', table: 'never' })).toBeUndefined()
})

it('makes no table of a file of which the last row is wrong, nor of wrong names, and adds no column of it', async () => {
  const rows = Array.from({ length: 3_000 }, (_, n) => `a,${n}`)
  await writeFile(file('late.csv'), ['id,extra', ...rows, 'z,many', ''].join('\n'))
  await writeFile(file('names.csv'), 'id,a b\n1,2\n')
  const late = ['--create', '--type', 'extra=int64']
  const refused = { code: 'part-differs', message: 'Line 3002 cannot be read: "extra" is not int64' }
  expect(await json('store', 'late.csv', 'shop.never', 'all', ...late)).toMatchObject({ json: { error: refused } })
  expect(await json('store', 'late.csv', 'shop.people', 'year=2031', ...late)).toMatchObject({
    json: { error: refused },
  })
  expect(await json('store', 'names.csv', 'shop.never', 'all', '--create')).toMatchObject({
    json: { error: { code: 'column-invalid' } },
  })
  expect(await shop.connection.catalog.schema({ db: 'shop', table: 'never' })).toBeUndefined()
  const people = await shop.connection.catalog.schema({ db: 'shop', table: 'people' })
  expect(people?.columns.map(({ name }) => name)).not.toContain('extra')
})

it('refuses a file that has a column twice', async () => {
  await writeFile(file('twice.csv'), 'id,n, id\na,1,b\n')
  const words = ['store', 'twice.csv', 'shop.people', 'year=2032']
  for (const more of [[], ['--create'], ['--dry-run']]) {
    expect(await json(...words, ...more)).toMatchObject({
      exitCode: 1,
      json: { error: { code: 'column-twice', message: 'Two columns of the file are called "id"' } },
    })
  }
})

it.each([
  ['{"deep":{"a":[9007199254740993]}}', 'Line 2: in "deep" is an integer that a number does not hold'],
  ['{"deep":[{"a": -1152921504606846977 }]}', 'Line 2: in "deep" is an integer that a number does not hold'],
  ['{"deep":9007199254740993}', 'Line 2: "deep" is an integer that a number does not hold'],
  ['{"deep":"\xff"}', 'Line 2 is not UTF-8'],
])('refuses a line that it could not keep: %j', async (line, message) => {
  await writeFile(file('deep.ndjson'), Buffer.from(`{"deep":{"a":1}}\n${line}\n`, 'latin1'))
  expect(await json('store', 'deep.ndjson', 'shop.never', 'all', '--create')).toMatchObject({
    exitCode: 1,
    json: { error: { code: 'file-unreadable', message } },
  })
})

it('keeps long digits of doubles in JSON, which are no integers that were meant to the last one', async () => {
  const deep = ['{"a":[1e17,0.12345678901234568,-1.5e-300]}', '{"a":[123456789012345680000]}']
  await writeFile(file('long.ndjson'), deep.map(text => `{"deep":${text}}\n`).join(''))
  await millrace('store', 'long.ndjson', 'shop.long', 'all', '--create')
  expect((await json('load', 'shop.long')).json.rows).toEqual(deep.map(text => ({ deep: JSON.parse(text) })))
})

it('takes key=value as the value of that key', async () => {
  const words = ['store', 'users.csv', 'shop.people', '--key', 'year=year=2033']
  expect((await json(...words)).json).toMatchObject({ partition: 'year=2033' })
})
