// What was damaged in the store leaves in no coding: whatever bit is flipped, whatever is torn, grown or exchanged.
import { gunzipSync, inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { Coding } from '../../src/serve/content-coding.ts'
import { storedBody } from '../../src/serve/stored-body.ts'
import type { View } from '../../src/serve/view.ts'
import { fromAttributes, toAttributes } from '../../src/store/dynamodb-attributes.ts'
import { CorruptItemError } from '../../src/store/errors.ts'
import { isCorrupt, type StoredItem } from '../../src/store/user-item.ts'
import { resummed, withBitFlipped } from '../store/damage.ts'
import { typicalItem, typicalParts } from '../store/item-factory.ts'

const sound = typicalItem('sound')
const { features, predictions } = typicalParts()
const PLAIN: Record<View, string> = {
  features,
  predictions,
  user: `{"features":${features},"predictions":${predictions}}`,
}
const VIEWS: readonly View[] = ['features', 'predictions', 'user']
const CODINGS: readonly Coding[] = ['deflate', 'gzip', 'identity']
/** Every view in every coding. */
const ALL = VIEWS.flatMap(view => CODINGS.map(coding => ({ view, coding })))
const BLOB_OF = { features: 'ft', predictions: 'pr' } as const

function decoded(body: Uint8Array, coding: Coding): string {
  if (coding === 'identity') return Buffer.from(body).toString()
  return (coding === 'gzip' ? gunzipSync(body) : inflateSync(body)).toString()
}

/** Of what a store gives out. Undefined: refused. */
function served(item: StoredItem, view: View, coding: Coding): string | undefined {
  const stored = fromAttributes(toAttributes(item))
  if (isCorrupt(stored)) return undefined
  try {
    return decoded(storedBody(stored, view, coding), coding)
  } catch (error) {
    if (error instanceof CorruptItemError) return undefined
    throw error
  }
}

/** Of damage to one blob: refused by the views that show it, and by no other. */
function expectRefused(item: StoredItem, damaged: 'ft' | 'pr', what: string): void {
  for (const { view, coding } of ALL) {
    const shows = view === 'user' || BLOB_OF[view] === damaged
    const expected = shows ? undefined : PLAIN[view]
    if (served(item, view, coding) !== expected) expect.fail(`${what}: ${view} as ${coding}`)
  }
}

describe('storedBody', () => {
  it.each(ALL)('gives $view as $coding with the plain bytes that were stored', ({ view, coding }) => {
    expect(served(sound, view, coding)).toBe(PLAIN[view])
  })

  it('does not serve a blob with any single bit flipped', () => {
    for (const name of ['ft', 'pr'] as const) {
      // Every 7th bit: each place within a byte, over the whole length.
      for (let bit = 0; bit < sound[name].length * 8; bit += 7) {
        expectRefused({ ...sound, [name]: withBitFlipped(sound[name], bit) }, name, `${name} bit ${bit}`)
      }
    }
  })

  it('does not serve under sums with any single bit flipped', () => {
    for (let bit = 0; bit < sound.sum.length * 8; bit++) {
      const item = { ...sound, sum: withBitFlipped(sound.sum, bit) }
      for (const { view, coding } of ALL) {
        if (served(item, view, coding) !== undefined) expect.fail(`sum bit ${bit}: ${view} as ${coding}`)
      }
    }
  })

  it('does not serve torn, empty, grown or exchanged blobs', () => {
    const other = typicalItem('other', {
      features: features.replace('"values"', '"walues"'),
      predictions: predictions.replace('"ok"', '"no"'),
    })
    for (const name of ['ft', 'pr'] as const) {
      const blob = sound[name]
      for (let length = 0; length < blob.length; length += 5) {
        expectRefused({ ...sound, [name]: blob.subarray(0, length) }, name, `${name} torn at ${length}`)
      }
      expectRefused({ ...sound, [name]: Buffer.concat([blob, Buffer.from('x')]) }, name, `${name} grown`)
      expectRefused({ ...sound, [name]: other[name] }, name, `${name} of another item`)
    }
    for (const { view, coding } of ALL) {
      expect(served({ ...sound, ft: sound.pr, pr: sound.ft }, view, coding)).toBeUndefined()
    }
  })

  it('passes through without decoding: bytes that no zlib reads leave as they are where their sums hold', () => {
    const ft = Uint8Array.of(0x78, 0x9c, 1, 2, 3, 4, 5, 6, 7)
    const item = resummed(sound, { ft })
    expect(storedBody(item, 'features', 'deflate')).toEqual(ft)
    expect(Buffer.from(storedBody(item, 'features', 'gzip')).subarray(10, -8)).toEqual(Buffer.from([1, 2, 3]))
    expect(() => storedBody(item, 'features', 'identity')).toThrow(CorruptItemError)
  })
})
