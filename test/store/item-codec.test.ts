import { readdirSync, readFileSync } from 'node:fs'
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EMPTY_DEDUP } from '../../src/affected/dedup-state.ts'
import { packSums, readSums, sumOfBlob } from '../../src/store/checksums.ts'
import { fromAttributes, toAttributes } from '../../src/store/dynamodb-attributes.ts'
import { decodeItem, encodeItem, isUnreadable, readBody, readPlain, readStored } from '../../src/store/item-codec.ts'
import { isCorrupt, type StoredItem } from '../../src/store/user-item.ts'
import { anyText } from './any-text.ts'
import { resummed, unpackSums, withBitFlipped } from './damage.ts'
import { dedupOf, encodePlain, fromGolden, type GoldenPlain, type GoldenStored } from './golden-item.ts'
import { typicalItem, typicalParts } from './item-factory.ts'

const GOLDENS = new URL('goldens/', import.meta.url)
const BLOBS = ['st', 'ft', 'pr'] as const

function golden(file: string): unknown {
  return JSON.parse(readFileSync(new URL(file, GOLDENS), 'utf8'))
}

/** What is wrong with the item, seen by the write path and by a reader of all bodies, who have it from a store. */
function reasonsOf(item: StoredItem): { readonly write: string | undefined; readonly all: string | undefined } {
  const stored = fromAttributes(toAttributes(item))
  if (isCorrupt(stored)) return { write: stored.corrupt, all: stored.corrupt }
  const decoded = decodeItem(stored)
  const write = isUnreadable(decoded) ? decoded.reason : undefined
  const bodies = BLOBS.map(name => readBody(stored, name)).find(isUnreadable)
  return { write, all: write ?? bodies?.reason }
}

describe('golden items', () => {
  const names = readdirSync(GOLDENS).flatMap(file =>
    file.endsWith('.plain.golden.json') ? [file.replace('.plain.golden.json', '')] : [],
  )

  it('come in pairs', () => {
    expect(names.length).toBeGreaterThan(0)
    const pairs = names.flatMap(name => [`${name}.plain.golden.json`, `${name}.stored.golden.json`])
    expect(readdirSync(GOLDENS).sort()).toEqual(pairs.sort())
  })

  it.each(names)('%s reads as what was stored', name => {
    const plain = golden(`${name}.plain.golden.json`) as GoldenPlain
    const stored = fromGolden(golden(`${name}.stored.golden.json`) as GoldenStored)
    expect(reasonsOf(stored)).toEqual({ write: undefined, all: undefined })
    const decoded = decodeItem(stored)
    expect(decoded).toMatchObject({ dedup: dedupOf(plain.dedup), state: plain.state })
    expect(readBody(stored, 'ft')).toEqual({ body: plain.features })
    expect(readBody(stored, 'pr')).toEqual({ body: plain.predictions })
    const { userId, v, at, asOf, fresh, definitions, models, imports, other } = plain
    expect(stored).toMatchObject({ userId, v, at, asOf, definitions, models, imports, other })
    expect(stored.fresh).toBe(fresh)
  })

  it.each(names)('%s is written again with the same plain bytes', name => {
    const plain = golden(`${name}.plain.golden.json`) as GoldenPlain
    const stored = fromGolden(golden(`${name}.stored.golden.json`) as GoldenStored)
    const again = encodePlain(plain)
    expect(Buffer.from(again.dedup)).toEqual(Buffer.from(stored.dedup))
    for (const blob of BLOBS) expect(textOf(again, blob)).toBe(textOf(stored, blob))
  })
})

function textOf(stored: StoredItem, name: (typeof BLOBS)[number]): string {
  const read = readPlain(stored, name)
  return isUnreadable(read) ? read.reason : Buffer.from(read.plain).toString('utf8')
}

describe('an encoded item', () => {
  it('decodes to its parts', () => {
    const bodies = fc.dictionary(anyText(8), fc.jsonValue(), { maxKeys: 5 })
    fc.assert(
      fc.property(bodies, bodies, bodies, (state, features, predictions) => {
        const texts = {
          state: JSON.stringify(state),
          features: JSON.stringify(features),
          predictions: JSON.stringify(predictions),
        }
        const stored = encodeItem({ ...typicalParts(), ...texts })
        const decoded = decodeItem(stored)
        if (isUnreadable(decoded)) throw new Error(decoded.reason)
        expect(decoded.dedup).toEqual(typicalParts().dedup)
        expect(JSON.stringify(decoded.state)).toBe(JSON.stringify(JSON.parse(texts.state)))
        expect(textOf(stored, 'ft')).toBe(texts.features)
        expect(textOf(stored, 'pr')).toBe(texts.predictions)
      }),
      { numRuns: 50 },
    )
  })

  it('holds imports as a set in order, and what came with the item that was read', () => {
    const other = { ttl: { N: '1' } }
    const stored = typicalItem('a', { imports: ['b', 'a', 'b', '\u{1f6eb}', '\uffee'], other })
    expect(stored).toMatchObject({ imports: ['a', 'b', '\uffee', '\u{1f6eb}'], other })
    expect(typicalItem('a', { fresh: undefined })).not.toHaveProperty('fresh')
  })

  it('gives each blob as it is stored, with what is known of its plain bytes, without inflating it', () => {
    const { state } = typicalParts()
    const stored = encodeItem(typicalParts())
    const plain = Buffer.from(state)
    expect(readStored(stored, 'st')).toEqual({ blob: stored.st, sum: sumOfBlob(stored.st, plain) })
    // Bytes that are no zlib at all, summed as they are: nobody looked into them.
    const ft = Uint8Array.of(1, 2, 3)
    const item = resummed(stored, { ft })
    expect(readStored(item, 'ft')).toMatchObject({ blob: ft })
    expect(readPlain(item, 'ft')).toEqual({ reason: 'ft: the zlib stream is damaged' })
  })

  it('says the plain length of each blob', () => {
    const parts = typicalParts()
    const sums = readSums(encodeItem(parts).sum)
    expect([sums.st, sums.ft, sums.pr].map(sum => sum.plainLength)).toEqual(
      [parts.state, parts.features, parts.predictions].map(text => Buffer.byteLength(text)),
    )
  })

  it('is not made of parts that could not be read back', () => {
    const wrong = [{ v: 0 }, { v: 1.5 }, { at: Number.NaN }, { asOf: 0.5 }, { fresh: Number.POSITIVE_INFINITY }]
    const texts = [{ state: '' }, { state: '[]' }, { features: 'null' }, { predictions: '{"a":"\ud800"}' }]
    for (const changes of [...wrong, ...texts]) {
      expect(() => encodeItem(typicalParts(changes)), JSON.stringify(changes)).toThrow(
        expect.objectContaining({ code: 'item-invalid' }),
      )
    }
  })
})

describe('a damaged item', () => {
  const sound = typicalItem('damaged')
  const sums = unpackSums(sound.sum, sound)

  it('is told from a sound one', () => {
    expect(reasonsOf(sound)).toEqual({ write: undefined, all: undefined })
  })

  it('with any bit flipped in any of its five binary attributes is found, or reads as it was', () => {
    const read = (stored: StoredItem): string => BLOBS.map(name => textOf(stored, name)).join('\n')
    const expected = read(sound)
    for (const name of ['dedup', 'sum', ...BLOBS] as const) {
      let found = 0
      const bits = sound[name].length * 8
      // Every 13th bit: each place within a byte, over the whole length.
      for (let bit = 0; bit < bits; bit += 13) {
        const damaged = { ...sound, [name]: withBitFlipped(sound[name], bit) }
        const { all } = reasonsOf(damaged)
        if (all === undefined && read(damaged) !== expected) expect.fail(`${name}, bit ${bit} is not found`)
        if (all !== undefined) found++
      }
      expect(found).toBeGreaterThan(bits / 13 - 3)
    }
  })

  it('is found before anything is folded into it, whichever blob is torn or changed', () => {
    for (const name of BLOBS) {
      const torn = { ...sound, [name]: sound[name].subarray(0, -3) }
      const { length } = sound[name]
      expect(reasonsOf(torn).write).toBe(`${name}: ${length - 3} bytes, its sum says ${length}`)
      expect(readStored(torn, name)).toEqual({ reason: reasonsOf(torn).write })
      const flipped = { ...sound, [name]: withBitFlipped(sound[name], 99) }
      expect(reasonsOf(flipped).write).toBe(`${name}: its CRC-32 does not agree`)
      expect(readStored(flipped, name)).toEqual({ reason: reasonsOf(flipped).write })
      expect(readPlain(flipped, name)).toEqual({ reason: reasonsOf(flipped).write })
    }
  })

  it('by blobs or sums of another item is found', () => {
    const other = typicalItem('other', { state: '{"a":1}', dedup: EMPTY_DEDUP })
    expect(reasonsOf({ ...sound, st: other.st }).write).toMatch(/^st: /)
    expect(reasonsOf({ ...sound, dedup: other.dedup }).write).toMatch(/^dedup: /)
    expect(reasonsOf({ ...sound, sum: other.sum }).write).toMatch(/^sum: /)
    expect(reasonsOf({ ...sound, ft: sound.pr, pr: sound.ft }).write).toMatch(/^ft: /)
    expect(reasonsOf({ ...sound, sum: typicalItem('damaged', { predictions: '{}' }).sum }).write).toMatch(/^pr: /)
  })

  it('by a bomb is found without inflating more than its sum says', () => {
    const bomb = deflateSync(Buffer.alloc(3_000_000))
    expect(reasonsOf(resummed(sound, { st: bomb })).write).toBe(
      `st: inflates to more than ${sums.st.plainLength} bytes`,
    )
  })

  it('is one whose state is not JSON of an object, even when its sums hold', () => {
    for (const [text, reason] of [
      ['[1]', 'st: not an object'],
      ['null', 'st: not an object'],
      ['{"a":', 'st: not JSON'],
    ] as const) {
      const plain = Buffer.from(text)
      const st = deflateSync(plain)
      const sum = packSums({ ...sums, st: sumOfBlob(st, plain) }, sound)
      expect(reasonsOf({ ...sound, st, sum }).write).toBe(reason)
    }
  })
})
