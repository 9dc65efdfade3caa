// Where a limit is asked for that the time of the look did not reach.
import { expect, it } from 'vitest'
import { judge } from '../../src/status/judge.ts'
import { STATUS_LIMITS } from '../../src/status/limits.ts'
import { wellReadings } from './readings-factory.ts'

it('does not know of more than are allowed where the look was ended before, and says what tells it', () => {
  const line = (count: number) => {
    const deadLetters = { value: { count, isComplete: false, reasons: [{ reason: 'late', count, owners: [] }] } }
    const found = judge(wellReadings({ deadLetters }), { ...STATUS_LIMITS, deadLetters: 20_000 })
    return found.find(({ name }) => name === 'dead-letters')
  }
  expect(line(20_000)).toMatchObject({
    verdict: 'unknown',
    text: 'at least 20,000 open: late 20000',
    next: expect.stringContaining('--patience'),
  })
  expect(line(20_001)).toMatchObject({ verdict: 'unwell', next: expect.stringContaining('millrace deadletters list') })
})
