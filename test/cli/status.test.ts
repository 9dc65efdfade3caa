// The command's own part: that what is allowed is what is looked for. What else the screen says is tried on a whole local cloud.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { writeDeadLetters } from '../../src/archive/dead-letters.ts'
import { DEAD_LETTERS_LIMIT_MAX } from '../../src/status/limits.ts'
import { LOOKED_AT_MAX } from '../../src/status/set-aside.ts'
import { recordsAt } from '../archive/factories.ts'
import { openShop, type Shop } from './shop-world.ts'

const PIPELINE = `
import { count, event, features, pipeline } from 'millrace'
const visit = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {} })
export default pipeline({ name: 'shop', features: features({ ever: count(visit) }), models: [] })
`
const OPEN = LOOKED_AT_MAX + 3

let shop: Shop
beforeAll(async () => {
  shop = await openShop({ source: PIPELINE, with: ['archive'], clock: () => Date.UTC(2026, 5, 1) })
  const refusal = { reason: 'not-json', detail: 'It is not.' } as const
  await writeDeadLetters(
    shop.connection.archive,
    recordsAt(0, OPEN).map(record => ({ record, refusal })),
  )
})
afterAll(() => shop.close())

interface Line {
  readonly name: string
  readonly verdict: string
}

async function deadLetters(max: number): Promise<string | undefined> {
  const { stdout } = await shop.millrace('status', '--json', '--max-dead-letters', String(max))
  const { lines } = JSON.parse(stdout) as { readonly lines: readonly Line[] }
  return lines.find(({ name }) => name === 'dead-letters')?.verdict
}

it('is well with more dead letters than are looked at by themselves, if they are allowed', async () => {
  expect(await deadLetters(OPEN)).toBe('well')
  expect(await deadLetters(OPEN - 1)).toBe('unwell')
})

it('refuses to allow more than it would look at', async () => {
  const { exitCode, stderr } = await shop.millrace('status', '--max-dead-letters', String(DEAD_LETTERS_LIMIT_MAX + 1))
  expect(exitCode).toBe(2)
  expect(stderr).toContain('--max-dead-letters')
})
