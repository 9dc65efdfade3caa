import { describe, expect, it } from 'vitest'
import { rowPayloads, type RowShape } from '../../src/cli/row-payload.ts'
import { choice, flag, number, text } from '../../src/event/field.ts'
import { event, type TimeSource } from '../../src/event/contract.ts'
import { move } from '../../src/event/upgrade-steps.ts'

const order = (time: TimeSource = 'placedAt') =>
  event('order.placed', {
    id: 'orderId',
    user: 'customer.id',
    time,
    lateness: '6h',
    fields: {
      amount: number({ scale: 2, path: 'total.gross' }),
      item: text(),
      channel: choice('web', 'app'),
      gift: flag({ optional: true }),
    },
  })

const COLUMNS = ['orderId', 'customer.id', 'placedAt', 'amount', 'item', 'channel', 'gift']
const CELLS = ['7', '42', '2026-01-02T03:04:05Z', '12.50', 'tea', 'web', 'True']

function payloadOf(cells: readonly unknown[], shape: Partial<RowShape> = {}): unknown {
  const given = { contract: order(), typePath: 'type', columns: COLUMNS, columnOf: new Map(), isText: true, ...shape }
  return JSON.parse(Buffer.from(rowPayloads(given)(cells)).toString())
}

const PAYLOAD = {
  type: 'order.placed',
  orderId: '7',
  customer: { id: '42' },
  placedAt: '2026-01-02T03:04:05Z',
  total: { gross: 12.5 },
  item: 'tea',
  channel: 'web',
  gift: true,
}

describe('a row of text', () => {
  it('becomes the JSON that its contract reads, by paths and by names of fields', () => {
    expect(payloadOf(CELLS)).toEqual(PAYLOAD)
  })

  it('takes id, user and time for what the contract calls them, and a map before any name', () => {
    expect(payloadOf(CELLS, { columns: ['id', 'user', 'time', 'amount', 'item', 'channel', 'gift'] })).toEqual(PAYLOAD)
    const columns = ['No.', 'Customer', 'When', 'Sum', 'What', 'channel', 'gift']
    const columnOf = new Map([
      ['id', 'No.'],
      ['customer.id', 'Customer'],
      ['time', 'When'],
      ['amount', 'Sum'],
      ['item', 'What'],
    ])
    expect(payloadOf(CELLS, { columns, columnOf })).toEqual(PAYLOAD)
  })

  it('has no member for an empty cell, and keeps what the contract does not name as text', () => {
    const columns = [...COLUMNS, 'note', 'shop.city']
    expect(payloadOf(['7', '42', '2026-01-02T03:04:05Z', '', '007', 'web', '', '1.0', 'Lund'], { columns })).toEqual({
      type: 'order.placed',
      orderId: '7',
      customer: { id: '42' },
      placedAt: '2026-01-02T03:04:05Z',
      item: '007',
      channel: 'web',
      note: '1.0',
      shop: { city: 'Lund' },
    })
  })

  it('has members of no contract by the names of their columns, whatever data frames call them', () => {
    const columns = ['', ...COLUMNS, 'Ship Date', 'v1.']
    expect(payloadOf(['0', ...CELLS, 'x', 'y'], { columns })).toEqual({
      ...PAYLOAD,
      '': '0',
      'Ship Date': 'x',
      'v1.': 'y',
    })
  })

  it('has one cell as several members where the map says so', () => {
    const columnOf = new Map([
      ['id', 'key'],
      ['user', 'key'],
    ])
    const columns = ['key', ...COLUMNS.slice(2)]
    const payload = payloadOf(['42', ...CELLS.slice(2)], { columns, columnOf })
    expect(payload).toEqual({ ...PAYLOAD, orderId: '42' })
  })

  it('is read by older names and older versions of the contract too', () => {
    const contract = event('order.placed', {
      id: 'orderId',
      user: 'customer.id',
      time: { path: 'placedAt', unit: 's' },
      lateness: '6h',
      fields: { amount: number(), gift: flag({ path: 'extras.gift' }) },
      renamed: { amount: ['total'] },
      // So large that JavaScript keeps them in the order in which they are written.
      version: { path: 'version', current: 3e12, absent: 1e12 },
      upgrade: {
        [2e12]: [move('price', 'amount'), move('more', 'extras')],
        [1e12]: [move('sum', 'price'), move('s', 'a'), move('at', 'placedAt')],
      },
    })
    const row = (columns: readonly string[], ...cells: readonly string[]) =>
      payloadOf(['7', '42', ...cells], { contract, columns: ['orderId', 'customer.id', ...columns] })
    expect(row(['placedAt', 'total', 'extras.gift', 'version'], '9', '1.50', 'true', '3')).toMatchObject({
      total: 1.5,
      extras: { gift: true },
      version: '3',
    })
    const old = row(['placedAt', 'sum', 'more.gift', 'smount'], '9', '1.50', 'false', '1')
    expect(old).toMatchObject({ placedAt: 9, sum: 1.5, more: { gift: false }, smount: '1' })
  })

  it('leaves what is no number and no flag as it is, for the contract to refuse', () => {
    expect(payloadOf(['7', '42', 'x', '1,5', 'tea', 'web', 'yes'])).toMatchObject({
      total: { gross: '1,5' },
      gift: 'yes',
    })
  })

  it('is a number where the contract declares the unit of the time', () => {
    const contract = order({ path: 'placedAt', unit: 's' })
    expect(payloadOf(['7', '42', '1767323045', '1', 'a', 'web', ''], { contract })).toMatchObject({
      placedAt: 1767323045,
    })
  })

  it('keeps a type of its own', () => {
    const columns = [...COLUMNS, 'type']
    expect(payloadOf([...CELLS, 'visit'], { columns })).toMatchObject({ type: 'visit' })
    expect(payloadOf([...CELLS, ''], { columns })).toMatchObject({ type: 'order.placed' })
  })
})

describe('a row of Parquet', () => {
  const parquet = (cells: readonly unknown[], shape: Partial<RowShape> = {}) =>
    payloadOf(cells, { isText: false, ...shape })

  it('has instants as RFC 3339 or in the unit of the contract, and integers of 64 bits without a digit lost', () => {
    const at = new Date('2026-01-02T03:04:05.678Z')
    const cells = [2n ** 60n, 42n, at, 12.5, 'tea', 'web', true]
    const expected = { ...PAYLOAD, orderId: String(2n ** 60n), customer: { id: 42 }, placedAt: at.toISOString() }
    expect(parquet(cells)).toEqual(expected)
    const placedAt = at.getTime()
    expect(parquet(cells, { contract: order({ path: 'placedAt', unit: 'ms' }) })).toMatchObject({ placedAt })
    expect(parquet(cells, { contract: order({ path: 'placedAt', unit: 's' }) })).toMatchObject({
      placedAt: placedAt / 1000,
    })
  })

  it('takes members from a column that is a struct', () => {
    const columns = ['orderId', 'customer', 'placedAt', 'meta']
    const cells = ['7', { id: 'ana', tags: [1n, null], none: null }, new Date(0), { source: 'x' }]
    expect(parquet(cells, { columns, typePath: 'meta.type' })).toEqual({
      orderId: '7',
      customer: { id: 'ana', tags: [1, null] },
      placedAt: '1970-01-01T00:00:00.000Z',
      meta: { source: 'x', type: 'order.placed' },
    })
  })

  it('has no member for null and NaN; an infinity and an instant that is none are left to the contract', () => {
    const cells = ['7', 'ana', new Date(Number.NaN), Number.POSITIVE_INFINITY, null, Number.NaN, undefined]
    expect(parquet(cells)).toEqual({
      type: 'order.placed',
      orderId: '7',
      customer: { id: 'ana' },
      placedAt: 'Invalid Date',
      total: { gross: 'Infinity' },
    })
  })
})

describe('columns', () => {
  const refused = (columns: readonly string[]) => () => payloadOf([], { columns })

  it('without an id, a user or a time are refused, with the name to give', () => {
    expect(refused(['orderId', 'placedAt'])).toThrow(
      'no column for the user, which the contract reads at "customer.id"',
    )
    expect(refused(['customer.id', 'placedAt'])).toThrow('no column for the id')
    expect(refused(['orderId', 'customer.id'])).toThrow('no column for the time')
    expect(refused(['orderId;customer.id'])).toThrow('; there are orderId;customer.id')
  })

  it('that would be one member are refused, and so is a name that no JSON of upstream has', () => {
    expect(refused([...COLUMNS, 'total.gross'])).toThrow('are both "total.gross"')
    expect(refused([...COLUMNS, 'customer'])).toThrow('are both "customer"')
    expect(refused([...COLUMNS, '__proto__.x'])).toThrow('cannot be "__proto__.x"')
    expect(refused([...COLUMNS, 'constructor'])).toThrow('cannot be "constructor"')
  })

  it('that are mapped to nearly a word of the contract are refused; another path is taken', () => {
    const mapped = (target: string) => () => payloadOf(CELLS, { columnOf: new Map([[target, 'item']]) })
    expect(mapped('itm')).toThrow('--map names "itm", which order.placed does not read')
    expect(mapped('costumer.id')).toThrow('does not read')
    expect(mapped('a b')).toThrow('The column "item" cannot be "a b"')
    expect(mapped('goods.name')()).toMatchObject({ goods: { name: 'tea' } })
    const columnOf = new Map([['times', 'placedAt']])
    const nested = { contract: order('times.at'), columnOf, isText: false }
    expect(payloadOf(CELLS.with(2, '{}'), nested)).toMatchObject({ times: '{}' })
    expect(mapped('total.gross')).toThrow('are both "total.gross"')
  })
})
