import { describe, expect, it } from 'vitest'
import { ITEM_BYTES_MAX } from '../../src/predictions/item-limits.ts'
import { itemBytes, itemBytesTarget, itemTooBig, readUnits, writeUnits } from '../../src/store/item-size.ts'
import type { StoredItem } from '../../src/store/user-item.ts'
import { typicalItem } from './item-factory.ts'

const none = new Uint8Array()
const BARE: StoredItem = {
  userId: '',
  v: 1,
  at: 0,
  asOf: 0,
  definitions: '',
  models: {},
  imports: [],
  dedup: none,
  st: none,
  ft: none,
  pr: none,
  sum: none,
  other: {},
}
/** userId, v, at, asOf, definitions, models, dedup, st, ft, pr, sum */
const NAMES = 6 + 1 + 2 + 4 + 11 + 6 + 5 + 2 + 2 + 2 + 3
/** v = 1: exponent and one pair; at and asOf = 0: one byte each; an empty map: 3. */
const BARE_BYTES = NAMES + 2 + 1 + 1 + 3

describe('the size of an item', () => {
  it('is that of its attribute names and values', () => {
    expect(itemBytes(BARE)).toBe(BARE_BYTES)
    expect(itemBytes({ ...BARE, userId: 'Zoë' })).toBe(BARE_BYTES + 4)
    expect(itemBytes({ ...BARE, definitions: '3f9c2a71d0b4' })).toBe(BARE_BYTES + 12)
    expect(itemBytes({ ...BARE, st: new Uint8Array(100) })).toBe(BARE_BYTES + 100)
    // 1 45 16 06 4(0) and zeros: five pairs aligned at the decimal point, after the exponent.
    expect(itemBytes({ ...BARE, fresh: 1_451_606_400_000 })).toBe(BARE_BYTES + 5 + 1 + 5)
    expect(itemBytes({ ...BARE, imports: ['abc', 'de'] })).toBe(BARE_BYTES + 7 + 5)
    expect(itemBytes({ ...BARE, models: { churn: 'ab' } })).toBe(BARE_BYTES + 1 + 5 + 2)
  })

  it('counts attributes that it does not know in DynamoDB form', () => {
    const sizes: readonly (readonly [unknown, number])[] = [
      [{ S: 'ä' }, 2],
      [{ BOOL: true }, 1],
      [{ NULL: true }, 1],
      [{ B: new Uint8Array(9) }, 9],
      [{ N: '0' }, 1],
      [{ N: '-7' }, 3],
      [{ N: '1200' }, 2],
      [{ N: '1.23E+2' }, 3],
      [{ SS: ['a', 'bc'] }, 3],
      [{ NS: ['1', '22'] }, 4],
      [{ BS: [new Uint8Array(2), new Uint8Array(3)] }, 5],
      [{ L: [] }, 3],
      [{ L: [{ S: 'abc' }] }, 7],
      [{ M: { k: { M: {} } } }, 8],
    ]
    for (const [value, bytes] of sizes) {
      expect(itemBytes({ ...BARE, other: { xy: value } }), JSON.stringify(value)).toBe(BARE_BYTES + 2 + bytes)
    }
  })

  it('may be the limit and not a byte more', () => {
    const full = { ...BARE, st: new Uint8Array(ITEM_BYTES_MAX - BARE_BYTES) }
    expect(itemTooBig(full)).toBeUndefined()
    const over = { ...full, pr: new Uint8Array(1) }
    expect(itemTooBig(over)).toEqual({ reason: 'item-too-big', bytes: ITEM_BYTES_MAX + 1, bytesMax: ITEM_BYTES_MAX })
    expect(itemTooBig(over, ITEM_BYTES_MAX + 1)).toBeUndefined()
  })

  it('costs a write unit for each KiB begun, and a read unit for each 4 KiB begun', () => {
    expect([0, 1, 1024, 1025, 4096].map(writeUnits)).toEqual([1, 1, 1, 2, 4])
    expect([0, 1, 4096, 4097].map(readUnits)).toEqual([1, 1, 1, 2])
  })

  it('shall have 4 KB at up to 20 features, 16 KB at 250, and what lies on the line through both', () => {
    expect([0, 20, 135, 250].map(itemBytesTarget)).toEqual([4096, 4096, 10_240, 16_384])
    expect(itemBytesTarget(480)).toBe(28_672)
  })

  it('of a typical item is a fraction of the target of 4 KB', () => {
    expect(itemBytes(typicalItem('typical'))).toBeLessThan(2048)
  })
})
