import { describe, expect, it } from 'vitest'
import { fromAttributes, toAttributes } from '../../src/store/dynamodb-attributes.ts'
import { typicalItem } from './item-factory.ts'

describe('the attributes of an item', () => {
  it('read back as the item', () => {
    const item = typicalItem('a', { other: { ttl: { N: '1' } } })
    expect(fromAttributes(toAttributes(item))).toEqual(item)
  })

  it('are never those of `other` where the layout has one of that name', () => {
    const other = { v: { N: '99' }, st: { S: 'text' }, imports: { SS: ['x'] }, fresh: { N: '1' }, note: { S: 'kept' } }
    const item = typicalItem('a', { other, imports: [], fresh: undefined })
    const attributes = toAttributes(item)
    expect(attributes).toMatchObject({ v: { N: '1' }, st: { B: item.st }, note: { S: 'kept' } })
    expect(attributes).not.toHaveProperty('imports')
    expect(attributes).not.toHaveProperty('fresh')
  })
})
