import { expect, test } from 'vitest'
import { checkPartition, parseTableName, tableKey } from '../../src/catalog/names.ts'

test('joins database and table by one dot, and reads them back', () => {
  expect(tableKey({ db: 'models', table: 'late-arrival' })).toBe('models.late-arrival')
  expect(parseTableName('models.late-arrival')).toEqual({ db: 'models', table: 'late-arrival' })
})

test.each([
  '',
  'shop',
  'shop.users.more',
  'Shop.users',
  'shop.',
  '.users',
  'shop/x.users',
  'shop#.users',
  'sh op.users',
])('refuses the table %j', text => {
  expect(() => parseTableName(text)).toThrow(expect.objectContaining({ code: 'name-invalid' }))
})

test.each(['date=2001-06-30', 'production', '20010630T00', 'a.b_c'])('takes the partition %s', partition => {
  expect(checkPartition({ db: 'a', table: 'b', partition })).toBe(partition)
})

test.each(['', '.', '..', 'a//b', '/a', 'a/', 'a/../b', 'a#b', 'a\u0000b', 'a\nb', 'ü', ' a', 'x'.repeat(129)])(
  'refuses the partition %j',
  partition => {
    expect(() => checkPartition({ db: 'a', table: 'b', partition })).toThrow(
      expect.objectContaining({ code: 'name-invalid' }),
    )
  },
)
