// The users table restored to a point in time, while letters were replayed and history was imported after it: what the runbook says makes
// everybody right again, and each of its steps is needed.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isInRunbook } from '../../drills/runbook.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { START } from '../features/factories.ts'
import { orderRecord } from '../recompute/harness.ts'
import { ROOT } from '../tidy/source-files.ts'
import { followed, orders, readUser } from './backfill-world.ts'
import { type ReplayWorld, replayWorld } from './replay-world.ts'

const DAY_MS = 86_400_000
const USER = 'user-0'

let world: ReplayWorld
beforeEach(() => {
  world = replayWorld()
})
afterEach(() => world.remove())

/** What is done after the point in time is undone in the table, and nowhere else. */
async function restoredAfter(change: () => Promise<unknown>): Promise<void> {
  const item = world.users.raw(USER)
  await change()
  if (item === undefined) world.users.drop(USER)
  else world.users.plant(item)
  expect(await world.openLetters()).toEqual([])
}

const rebuild = () => world.backfill({ target: { kind: 'named' }, only: new Set([USER]) })
const differing = async (): Promise<number> => (await world.verify()).counts.different

async function isRight(records: readonly StreamRecord[]): Promise<boolean> {
  if (world.users.raw(USER) === undefined) return false
  const values = async (users: ReplayWorld['users']) => JSON.stringify((await readUser(users, USER)).values)
  return (await values(world.users)) === (await values(await followed(records)))
}

describe('a restored item', () => {
  it('lacks the events of letters that were closed since: verify names its user, and a rebuild by name mends it', async () => {
    const records = orders(1, 12)
    await world.send(records.slice(0, 4))
    await world.sendRefused(records.slice(4, 8))
    await world.send(records.slice(8))
    await restoredAfter(() => world.replay())
    expect(await isRight(records)).toBe(false)
    expect(await differing()).toBe(1)
    expect(await rebuild()).toMatchObject({ written: 1 })
    expect(await isRight(records)).toBe(true)
    expect(await differing()).toBe(0)
  })

  it.each([4, 0])(
    'of %i events has no mark of letters after them: they are folded where the stream is read from before them',
    async known => {
      const records = orders(1, 8)
      await world.send(records.slice(0, known))
      await world.sendRefused(records.slice(known))
      await restoredAfter(() => world.replay())
      expect([await differing(), (await rebuild()).written, await isRight(records)]).toEqual([0, 0, false])
      await world.deliver(records)
      expect(await isRight(records)).toBe(true)
      expect(await differing()).toBe(0)
    },
  )

  it('has no mark of a late event after its own, which is late again however it comes: the new letter mends it', async () => {
    const records = orders(1, 8)
    const late = (sequence: number) => orderRecord('late', sequence, { user: USER, ts: START - 40 * DAY_MS })
    await world.send(records)
    await world.send([late(9)])
    await restoredAfter(() => world.replay())
    await world.deliver([...records, late(9)])
    expect([await world.openLetters(), await differing(), (await rebuild()).written]).toEqual([[], 0, 0])
    expect(await isRight([late(9), ...records])).toBe(false)
    await world.send([late(10)])
    await world.replay({ choice: { reason: 'late' } })
    expect(await isRight([late(9), ...records])).toBe(true)
    expect(await differing()).toBe(0)
  })

  it('names no import of since, so that only a backfill of what is incomplete finds it', async () => {
    const [records, imported] = [orders(1, 4), orders(1, 4, 100)]
    await world.send(records)
    await restoredAfter(() => world.imports('before', imported))
    expect(await differing()).toBe(0)
    expect(await world.backfill()).toMatchObject({ users: 1, written: 1 })
    expect(await isRight([...records, ...imported])).toBe(true)
  })
})

it('is in the runbook with all that mends it, linked from the disasters', () => {
  const page = readFileSync(join(ROOT, 'docs', 'runbook.md'), 'utf8')
  const sectionOf = (title: string): string => page.split(/^## /m).find(text => text.startsWith(`${title}\n`)) ?? ''
  const row = sectionOf('Disasters')
    .split('\n')
    .find(line => line.startsWith('| the users table'))
  expect(row).toContain('(#the-users-table-was-restored)')
  for (const [text, ...commands] of [
    [row ?? '', 'millrace verify --all', 'millrace backfill --users FILE'],
    [
      sectionOf('The users table was restored'),
      'millrace pause --why TEXT',
      'millrace deadletters list --all',
      'millrace verify --all',
      'millrace backfill',
      'millrace backfill --users FILE',
      'millrace events push FILE',
      'millrace deadletters replay --reason late',
    ],
  ] as const) {
    expect(commands.filter(command => !isInRunbook(text, command))).toEqual([])
  }
})
