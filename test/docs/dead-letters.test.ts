// The table of reasons in docs/dead-letters.md is the one that the commands speak by.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { LETTER_REASONS } from '../../src/archive/letter-reasons.ts'
import { ROOT } from '../tidy/source-files.ts'

it('documents every reason, in the words of the commands', () => {
  const rows = readFileSync(join(ROOT, 'docs', 'dead-letters.md'), 'utf8')
    // Without what only aligns the columns.
    .replaceAll(/ +/g, ' ')
    .split('\n')
    .filter(line => line.startsWith('| `'))
  const due = Object.entries(LETTER_REASONS).map(
    ([code, { meaning, next }]) => `| \`${code}\` | ${meaning} | ${next} |`,
  )
  expect(rows).toEqual(due)
  for (const { meaning, next } of Object.values(LETTER_REASONS))
    expect([meaning, next].every(text => /[.]$/.test(text))).toBe(true)
})
