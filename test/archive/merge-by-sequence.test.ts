import { describe, expect, it } from 'vitest'
import { ArchiveError } from '../../src/archive/errors.ts'
import { mergeBySequence, type Sequenced } from '../../src/archive/merge-by-sequence.ts'
import type { NamedObject } from '../../src/archive/object-name.ts'
import { collect, SHARD } from './factories.ts'

function objectOf(
  sequences: readonly number[],
  createdMs: number,
): NamedObject & { readonly lines: readonly Sequenced[] } {
  const lines = sequences.map(sequence => ({ sequence: String(sequence), from: createdMs }))
  const [first = '', last = ''] = [lines[0]?.sequence, lines.at(-1)?.sequence]
  return { ...SHARD, key: `k${createdMs}`, hour: undefined, first, last, createdMs, lines }
}

/** Counts what is held: how many objects have been opened. */
function merge(objects: readonly ReturnType<typeof objectOf>[]) {
  const state = { opened: 0, isListingOver: false }
  async function* listing() {
    try {
      yield* objects
    } finally {
      state.isListingOver = true
    }
  }
  const merged = mergeBySequence(listing(), async object => {
    state.opened++
    return objects.find(({ key }) => key === object.key)?.lines ?? []
  })
  return { merged, state }
}

describe('merging by sequence', () => {
  it('takes each sequence once, from the object that was created first', async () => {
    const { merged } = merge([objectOf([1, 3, 9, 10], 3), objectOf([3, 4, 10, 11], 1), objectOf([4, 5], 2)])
    expect(await collect(merged)).toEqual([
      { sequence: '1', from: 3 },
      { sequence: '3', from: 1 },
      { sequence: '4', from: 1 },
      { sequence: '5', from: 2 },
      { sequence: '9', from: 3 },
      { sequence: '10', from: 1 },
      { sequence: '11', from: 1 },
    ])
  })

  it('stops the listing when its reader stops', async () => {
    const { merged, state } = merge([objectOf([1, 2], 1), objectOf([5, 6], 2), objectOf([8], 3)])
    await merged.next()
    await merged.return(undefined)
    expect(state).toEqual({ opened: 1, isListingOver: true })
  })

  it.each([[[1, 3, 2, 4]], [[1, 2, 2, 4]]])('refuses an object with the lines %j', async sequences => {
    await expect(collect(merge([objectOf(sequences, 1)]).merged)).rejects.toThrow(ArchiveError)
  })

  it('refuses an object without lines', async () => {
    await expect(collect(merge([objectOf([], 1)]).merged)).rejects.toThrow(ArchiveError)
  })
})
