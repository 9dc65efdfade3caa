import { expect, it } from 'vitest'
import { textTable } from '../../src/cli/text-table.ts'

it('aligns texts to the left and numbers to the right', () => {
  expect(
    textTable(
      ['name', 'bytes', 'note'],
      [
        ['a', 12_345, ''],
        ['longer', 7, 'x'],
      ],
    ),
  ).toEqual(['name    bytes  note', 'a       12345', 'longer      7  x'])
})

it('is a head alone where there is nothing', () => {
  expect(textTable(['name', 'bytes'], [])).toEqual(['name  bytes'])
})
