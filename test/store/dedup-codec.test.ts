import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compareRecentIds,
  type DedupState,
  EMPTY_DEDUP,
  type RecentId,
  type TypeDedup,
} from '../../src/affected/dedup-state.ts'
import { storedProblem, sumOfStored } from '../../src/store/checksums.ts'
import {
  IDS_PER_TYPE_MAX,
  MARKS_MAX,
  packDedup,
  SEQUENCE_DIGITS_MAX,
  TYPES_MAX,
  unpackDedup,
} from '../../src/store/dedup-codec.ts'
import { CorruptItemError } from '../../src/store/errors.ts'
import { anyText } from './any-text.ts'
import { withBitFlipped } from './damage.ts'
import { typicalParts } from './item-factory.ts'

const instant = fc.oneof(fc.nat(5), fc.integer({ min: 1_400_000_000_000, max: 1_500_000_000_000 }), fc.maxSafeNat())
const idHash = fc.oneof(
  fc.constantFrom('0000000000000000', 'ffffffffffffffff', '0123456789abcdef'),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map(bytes => Buffer.from(bytes).toString('hex')),
)
const recentId: fc.Arbitrary<RecentId> = fc.record({ ts: instant, idHash })

/** Ascending, distinct; the lowest may be the floor. */
const typeDedup: fc.Arbitrary<TypeDedup> = fc
  .tuple(fc.uniqueArray(recentId, { maxLength: 40, selector: id => `${id.ts}/${id.idHash}` }), fc.boolean())
  .map(([found, hasFloor]) => {
    const [lowest, ...others] = found.sort(compareRecentIds)
    return hasFloor && lowest !== undefined ? { ids: others, floor: lowest } : { ids: found, floor: undefined }
  })

const name = anyText(16)
const mark = fc.record({
  sequence: fc.oneof(
    fc.constantFrom('0', '1', '255', '256', '9'.repeat(56), '9'.repeat(SEQUENCE_DIGITS_MAX)),
    fc.bigInt({ min: 0n, max: 10n ** 56n }).map(String),
  ),
  arrivalMs: instant,
})
const state: fc.Arbitrary<DedupState> = fc.record({
  types: fc.array(fc.tuple(name, typeDedup), { maxLength: 5 }).map(entries => new Map(entries)),
  marks: fc.array(fc.tuple(name, mark), { maxLength: 5 }).map(entries => new Map(entries)),
  settledMs: fc.option(fc.nat(2 ** 50), { nil: undefined }),
})

const TYPICAL = typicalParts().dedup
/** 2^53 - 1 as a varint. */
const LAST_INSTANT = [255, 255, 255, 255, 255, 255, 255, 15]
const ID: RecentId = { ts: 5, idHash: '00000000000000aa' }

function withIds(ids: readonly RecentId[], floor?: RecentId): DedupState {
  return { ...EMPTY_DEDUP, types: new Map([['t', { ids, floor }]]) }
}

function withMark(sequence: string, arrivalMs = 0): DedupState {
  return { ...EMPTY_DEDUP, marks: new Map([['k', { sequence, arrivalMs }]]) }
}

describe('a packed dedup state', () => {
  it('unpacks to what was packed, and packs to the same bytes again', () => {
    fc.assert(
      fc.property(state, value => {
        const packed = packDedup(value)
        const unpacked = unpackDedup(packed)
        expect(unpacked).toEqual(value)
        expect(packDedup(unpacked)).toEqual(packed)
      }),
      { numRuns: 200 },
    )
  })

  it('does not depend on the order in which types and marks were met', () => {
    const turned: DedupState = {
      types: new Map([
        ['b', { ids: [], floor: undefined }],
        ['a', { ids: [ID], floor: undefined }],
      ]),
      marks: new Map([
        ['2', { sequence: '2', arrivalMs: 2 }],
        ['1', { sequence: '1', arrivalMs: 1 }],
      ]),
      settledMs: 0,
    }
    const straight = {
      types: new Map([...turned.types].reverse()),
      marks: new Map([...turned.marks].reverse()),
      settledMs: 0,
    }
    expect(packDedup(turned)).toEqual(packDedup(straight))
  })

  it('takes 4 bytes when there is nothing to remember, about 12 for an id and 65 for a mark', () => {
    expect([...packDedup(EMPTY_DEDUP)]).toEqual([1, 0, 0, 0])
    const bytes = packDedup(TYPICAL).length
    expect(bytes).toBeLessThan(20 * 12 + 65 + 35)
  })

  it('is refused, with a reason and never another error, whatever the bytes', () => {
    const reasons = new Set<string>()
    const read = (bytes: Uint8Array): void => {
      try {
        // What it does accept, it would write again as it is: there is one packing only.
        expect([...packDedup(unpackDedup(bytes))]).toEqual([...bytes])
      } catch (error) {
        if (!(error instanceof CorruptItemError)) throw error
        reasons.add(error.reason.replaceAll(/\d+/g, 'N'))
      }
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), read), { numRuns: 1000 })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => read(Uint8Array.of(1, ...bytes))),
      { numRuns: 1000 },
    )
    const mutated = fc.tuple(state, fc.nat(), fc.integer({ min: 1, max: 255 }))
    fc.assert(
      fc.property(mutated, ([value, at, mask]) => {
        const bytes = packDedup(value)
        const index = at % bytes.length
        bytes[index] = (bytes[index] ?? 0) ^ mask
        read(bytes)
      }),
      { numRuns: 1000 },
    )
    expect(reasons.size).toBeGreaterThan(10)
  })

  it('with any single bit flipped is found by its CRC', () => {
    const packed = packDedup(TYPICAL)
    const sum = sumOfStored(packed)
    for (let bit = 0; bit < packed.length * 8; bit++) {
      expect(storedProblem('dedup', withBitFlipped(packed, bit), sum)).toBe('dedup: its CRC-32 does not agree')
    }
  })

  it('cut off anywhere, or with bytes after it, is refused', () => {
    const packed = packDedup(TYPICAL)
    for (let length = 0; length < packed.length; length++) {
      expect(() => unpackDedup(packed.subarray(0, length))).toThrow(CorruptItemError)
    }
    expect(() => unpackDedup(Uint8Array.of(...packed, 0))).toThrow('dedup: 1 bytes too many')
  })

  it('in another order or form than ours is refused', () => {
    const cases: readonly (readonly [string, readonly number[], string])[] = [
      ['a newer version', [2, 0, 0, 0], 'version 2, this code reads 1'],
      ['names out of order', [1, 0, 2, 1, 0x62, 0, 0, 1, 0x61, 0, 0, 0], 'types are not in order'],
      ['a name twice', [1, 0, 2, 1, 0x61, 0, 0, 1, 0x61, 0, 0, 0], 'types are not in order'],
      ['a floor that is neither there nor not', [1, 0, 1, 1, 0x61, 2, 0, 0], 'the floor is over 1'],
      ['an id at the floor', [1, 0, 1, 1, 0x61, 1, 5, ...Array(8).fill(7), 1, 0, ...Array(8).fill(7), 0], 'ascending'],
      ['ids turned round', [1, 0, 1, 1, 0x61, 0, 2, 5, ...Array(8).fill(7), 0, ...Array(8).fill(6), 0], 'ascending'],
      [
        'an id after the last instant there is',
        [1, 0, 1, 1, 0x61, 1, ...LAST_INSTANT, ...Array(8).fill(7), 1, 1, ...Array(8).fill(7), 0],
        'the time of an id is over 2^53 - 1',
      ],
      ['more ids than bytes', [1, 0, 1, 1, 0x61, 0, 0x80, 0x20], 'the number of ids is over'],
      ['a mark with leading zeros', [1, 0, 0, 1, 1, 0x61, 0, 2, 0, 1], 'a mark with leading zeros'],
      ['a mark that is too long', [1, 0, 0, 1, 1, 0x61, 0, 55, ...Array(55).fill(1)], 'a mark of 55 bytes'],
      ['a mark of too many digits', [1, 0, 0, 1, 1, 0x61, 0, 54, ...Array(54).fill(255)], 'digits'],
    ]
    for (const [what, bytes, reason] of cases) {
      expect(() => unpackDedup(Uint8Array.from(bytes)), what).toThrow(reason)
    }
  })

  it('is never written of what it could not be read from', () => {
    const many = (count: number): RecentId[] => Array.from({ length: count }, (_, ts) => ({ ts, idHash: ID.idHash }))
    const names = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index))
    const wrong: readonly DedupState[] = [
      withIds([ID, ID]),
      withIds([ID, { ...ID, ts: 4 }]),
      withIds([ID], ID),
      withIds([ID], { ...ID, ts: 6 }),
      withIds([{ ...ID, idHash: '00000000000000AA' }]),
      withIds([{ ...ID, idHash: '00' }]),
      withIds([{ ...ID, ts: -1 }]),
      withIds([{ ...ID, ts: 0.5 }]),
      withIds(many(IDS_PER_TYPE_MAX + 1)),
      withMark('01'),
      withMark(''),
      withMark('-1'),
      withMark('1e3'),
      withMark('9'.repeat(SEQUENCE_DIGITS_MAX + 1)),
      withMark('1', -1),
      { ...EMPTY_DEDUP, settledMs: -2 },
      { ...EMPTY_DEDUP, types: new Map(names(TYPES_MAX + 1).map(key => [key, { ids: [], floor: undefined }])) },
      { ...EMPTY_DEDUP, types: new Map([['t'.repeat(65), { ids: [], floor: undefined }]]) },
      { ...EMPTY_DEDUP, marks: new Map(names(MARKS_MAX + 1).map(key => [key, { sequence: '1', arrivalMs: 0 }])) },
    ]
    for (const [index, value] of wrong.entries()) {
      expect(() => packDedup(value), `case ${index}`).toThrow(expect.objectContaining({ code: 'item-invalid' }))
    }
    expect(unpackDedup(packDedup(withIds(many(IDS_PER_TYPE_MAX)))).types.get('t')?.ids).toHaveLength(IDS_PER_TYPE_MAX)
  })
})
