// Whatever happens to a stored item, what is read of it is what was once written for that user, as one: bits that flip, bytes that go
// or come, attributes that vanish, change their type or come from another user or another write.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { seededRandom } from '../../src/platform/random.ts'
import { type Attributes, fromAttributes, toAttributes } from '../../src/store/dynamodb-attributes.ts'
import { decodeItem, encodeItem, isUnreadable, readBody, readPlain, readStored } from '../../src/store/item-codec.ts'
import { salvageItem } from '../../src/store/salvage-item.ts'
import { isCorrupt, type StoredItem } from '../../src/store/user-item.ts'
import { packDedup } from '../../src/store/dedup-codec.ts'
import { withBitFlipped } from './damage.ts'
import { typicalParts } from './item-factory.ts'

const BLOBS = ['st', 'ft', 'pr'] as const
const BINARY = [...BLOBS, 'dedup', 'sum'] as const
const NAMES = [...BINARY, 'v', 'at', 'asOf', 'fresh', 'definitions', 'models', 'imports', 'spills'] as const

/** Three writes of each of two users; of equal lengths where they can be, which is what a length does not tell apart. */
const written = ['ana', 'ben'].flatMap((userId, user) => [1, 2, 3].map(v => writeOf(userId, user * 10 + v, v)))

function writeOf(userId: string, number: number, v: number): StoredItem {
  const parts = typicalParts()
  return encodeItem({
    ...parts,
    userId,
    v,
    at: parts.at + number,
    asOf: parts.asOf + number,
    ...(v === 2 ? {} : { fresh: parts.at + 100 + number }),
    models: { churn: `batch-${number}` },
    imports: v === 1 ? [] : [`import-${number}`],
    spills: v === 1 ? 0 : number,
    dedup: { ...parts.dedup, settledMs: number },
    state: JSON.stringify({ n: number + 100 }),
    features: JSON.stringify({ n: number + 200 }),
    predictions: JSON.stringify({ n: number + 300 }),
  })
}

type Damage = (attributes: Attributes) => Attributes

const name = fc.constantFrom(...NAMES)
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.tuple(fc.constantFrom(...BINARY), fc.nat()).map(([blob, bit]) => onBytes(blob, bytes => flipped(bytes, bit))),
  fc.tuple(fc.constantFrom(...BINARY), fc.nat(), fc.nat()).map(([blob, from, to]) =>
    onBytes(blob, bytes => {
      const [a, b] = [from % (bytes.length + 1), to % (bytes.length + 1)].sort((x, y) => x - y)
      return Buffer.concat([bytes.subarray(0, a), bytes.subarray(b)])
    }),
  ),
  fc
    .tuple(fc.constantFrom(...BINARY), fc.uint8Array({ maxLength: 5 }))
    .map(([blob, more]) => onBytes(blob, bytes => Buffer.concat([bytes, more]))),
  fc.tuple(name, fc.constantFrom(...written)).map(
    ([attribute, other]): Damage =>
      all =>
        withAttribute(all, attribute, toAttributes(other)[attribute]),
  ),
  fc.tuple(name, name).map(
    ([a, b]): Damage =>
      all =>
        withAttribute(withAttribute(all, a, all[b]), b, all[a]),
  ),
  name.map(
    (attribute): Damage =>
      all =>
        withAttribute(all, attribute, undefined),
  ),
  fc
    .tuple(
      name,
      fc.oneof(
        fc.constantFrom({ S: '1' }, { N: '1.5' }, { N: '0' }, { BOOL: true }, { NULL: true }, { L: [] }, { M: {} }),
        fc.integer().map(number => ({ N: String(number) })),
        fc.string().map(text => ({ S: text })),
        fc.uint8Array({ maxLength: 70 }).map(bytes => ({ B: bytes })),
        fc.constantFrom({ SS: ['import-2', 'import-3'] }, { M: { churn: { S: 'batch-1' } } }, { M: { x: { N: '1' } } }),
      ),
    )
    .map(
      ([attribute, value]): Damage =>
        all =>
          withAttribute(all, attribute, value as Attributes[string]),
    ),
)

it('shows nothing of a damaged item that was not written for that user at once', () => {
  let found = 0
  let runs = 0
  fc.assert(
    fc.property(fc.constantFrom(...written), fc.array(damage, { minLength: 1, maxLength: 4 }), (item, damages) => {
      const sound = toAttributes(item)
      const attributes = { ...damages.reduce((all, change) => change(all), sound), userId: { S: item.userId } }
      runs++
      if (problemOrCheck(attributes, item.userId)) found++
    }),
    { numRuns: 5000 },
  )
  // What is left is what changed nothing, and whole writes of the same user.
  expect(found).toBeGreaterThan(runs * 0.8)
})

it('finds every single bit that flips, in whatever attribute is binary, and says in which or that sums do not agree', () => {
  const [item] = written
  if (item === undefined) throw new Error('nothing written')
  for (const blob of BINARY) {
    for (let bit = 0; bit < item[blob].length * 8; bit++) {
      const attributes = onBytes(blob, bytes => withBitFlipped(bytes, bit))(toAttributes(item))
      if (!problemOrCheck(attributes, item.userId)) expect.fail(`${blob} bit ${bit}`)
    }
  }
})

it('finds the same damage in items that were made at random', () => {
  const random = seededRandom(11)
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => Math.floor(random() * 256))
  for (let round = 0; round < 2000; round++) {
    const junk = Object.fromEntries(BINARY.map(blob => [blob, { B: bytes(blob === 'sum' ? 65 : 20) }]))
    const attributes = { ...toAttributes(written[round % 6] as StoredItem), ...junk }
    expect(isCorrupt(fromAttributes(attributes))).toBe(true)
  }
})

/** Whether the damage was found; fails where something is read that was not written. */
function problemOrCheck(attributes: Attributes, userId: string): boolean {
  const read = fromAttributes(attributes)
  const own = written.filter(item => item.userId === userId)
  checkSalvage(attributes, own)
  if (isCorrupt(read)) return true
  const source = own.find(({ v }) => v === read.v)
  if (source === undefined) throw new Error('a version that was never written')
  const { st: _st, ft: _ft, pr: _pr, dedup: _dedup, sum: _sum, spills: _spills, ...head } = read
  expect(source).toMatchObject(head)
  expect(source.fresh).toBe(read.fresh)
  // Where none are spilled, a number of them only means one more look.
  if (source.spills !== undefined) expect(read.spills).toBe(source.spills)
  let isFound = false
  for (const blob of BLOBS) {
    const [plain, stored, body] = [readPlain(read, blob), readStored(read, blob), readBody(read, blob)]
    if (isUnreadable(plain) || isUnreadable(stored) || isUnreadable(body)) isFound = true
    else {
      expect(plain).toEqual(readPlain(source, blob))
      expect(Buffer.from(stored.blob)).toEqual(Buffer.from(source[blob]))
    }
  }
  const decoded = decodeItem(read)
  if (isUnreadable(decoded)) return true
  expect(Buffer.from(packDedup(decoded.dedup))).toEqual(Buffer.from(source.dedup))
  return isFound
}

/** What a repair relies on is held to the same. */
function checkSalvage(attributes: Attributes, own: readonly StoredItem[]): void {
  const read = fromAttributes(attributes)
  const { version, dedup, state, newerLayout } = salvageItem(read)
  expect(newerLayout).toBeUndefined()
  if (version === undefined) {
    expect({ dedup, state }).toEqual({ dedup: undefined, state: undefined })
    return
  }
  const source = own.find(({ v }) => v === version)
  if (source === undefined) throw new Error('a version that was never written is relied on')
  if (dedup !== undefined) expect(Buffer.from(packDedup(dedup))).toEqual(Buffer.from(source.dedup))
  if (state !== undefined) expect(readBody(source, 'st')).toEqual({ body: state })
}

function onBytes(blob: string, change: (bytes: Uint8Array) => Uint8Array): Damage {
  return all => {
    const bytes = all[blob]?.B
    return bytes === undefined ? all : { ...all, [blob]: { B: change(bytes) } }
  }
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  return bytes.length === 0 ? bytes : withBitFlipped(bytes, bit % (bytes.length * 8))
}

function withAttribute(all: Attributes, attribute: string, value: Attributes[string] | undefined): Attributes {
  const { [attribute]: _, ...rest } = all
  return value === undefined ? rest : { ...rest, [attribute]: value }
}
