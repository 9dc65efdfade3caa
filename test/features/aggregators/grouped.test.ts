import { describe, expect, it } from 'vitest'
import { groupedAggregator, groupedCell, keyHash, keyText } from '../../../src/features/aggregators/grouped.ts'
import { countAggregator, meanAggregator } from '../../../src/features/aggregators/number-aggregators.ts'
import { count } from '../../../src/features/aggregates.ts'
import { cellReaderOf } from '../../../src/features/read-cell.ts'
import { randomOf } from '../arbitrary-events.ts'
import { order, orderEvent, START } from '../factories.ts'
import { mergeAll, mergeAsTree } from './merge-cells.ts'

const grouping = (keysMax: number) => groupedAggregator(countAggregator, { field: 'note', keysMax, scale: undefined })
const cellsOf = (keysMax: number, notes: readonly (string | null)[]) =>
  notes.map((note, id) => grouping(keysMax).cellOf(null, orderEvent(id, START, { note })))
const groupsOf = (keysMax: number, notes: readonly string[]) =>
  groupedCell(mergeAll(grouping(keysMax), cellsOf(keysMax, notes))[0], 1)

describe('groupedAggregator', () => {
  it('keeps all keys up to its bound, without other', () => {
    expect(groupsOf(3, ['b', 'a', 'c', 'a'])).toEqual({
      other: undefined,
      groups: [
        ['a', 2],
        ['b', 1],
        ['c', 1],
      ],
    })
  })

  it('keeps beyond it the keys of smallest hash complete, and the rest in other, in any order', () => {
    const random = randomOf(11)
    const notes = Array.from({ length: 400 }, () => `key ${Math.floor(random() * 40)}`)
    const smallest = [...new Set(notes)].sort((a, b) => (keyHash(a) < keyHash(b) ? -1 : 1)).slice(0, 5)
    const truth = smallest.sort().map(key => [key, notes.filter(note => note === key).length])
    const { groups, other } = groupsOf(5, notes)
    expect(groups).toEqual(truth)
    const inGroups = groups.reduce((total, group) => total + Number(group[1]), 0)
    expect(inGroups + Number(other?.[0])).toBe(400)
    const cells = cellsOf(5, notes)
    const merged = JSON.stringify(mergeAll(grouping(5), cells))
    expect(JSON.stringify(mergeAll(grouping(5), cells.toReversed()))).toBe(merged)
    expect(JSON.stringify(mergeAsTree(grouping(5), cells))).toBe(merged)
  })

  it('groups what takes several slots', () => {
    const means = groupedAggregator(meanAggregator(true), { field: 'channel', keysMax: 1, scale: undefined })
    const cells = [
      ['web', 10],
      ['app', 3],
      ['web', 20],
      ['app', 4],
    ].map(([channel = '', value = 0], id) => means.cellOf(value, orderEvent(id, START, { channel })))
    const [kept, rest] = keyHash('web') < keyHash('app') ? ['web', 'app'] : ['app', 'web']
    const sums: Readonly<Record<string, readonly number[]>> = { web: [2, 30], app: [2, 7] }
    expect(groupedCell(mergeAll(means, cells)[0], 2)).toEqual({
      other: sums[rest],
      groups: [[kept, ...(sums[kept] ?? [])]],
    })
  })

  it('answers keys as themselves, those of numbers and of prototypes too', () => {
    const notes = ['10', '1', '__proto__', 'constructor', '__proto__', '']
    const cell = mergeAll(grouping(32), cellsOf(32, notes))
    const json = JSON.stringify(cellReaderOf(count(order, { by: 'channel' }))(cell, { t: 0, step: () => undefined }))
    const value = JSON.parse(json) as { readonly groups: object }
    expect(Object.entries(value.groups)).toEqual(
      expect.arrayContaining([
        ['1', 1],
        ['10', 1],
        ['__proto__', 2],
        ['constructor', 1],
        ['', 1],
      ]),
    )
    expect(Object.keys(value.groups)).toHaveLength(5)
  })
})

describe('keyText', () => {
  it('is the decimal text of a number, and true or false', () => {
    const texts = [
      keyText(1999, 2),
      keyText(2000, 2),
      keyText(0.1, undefined),
      keyText(-0, undefined),
      keyText(true, undefined),
    ]
    expect(texts).toEqual(['19.99', '20', '0.1', '0', 'true'])
  })

  it('is short: a text of more than 64 bytes is its hash', () => {
    expect(keyText('é'.repeat(32), undefined)).toBe('é'.repeat(32))
    expect(keyText('é'.repeat(33), undefined)).toMatch(/^sha256:[0-9a-f]{16}$/)
    expect(keyText('a'.repeat(65), undefined)).not.toBe(keyText('a'.repeat(66), undefined))
  })
})
