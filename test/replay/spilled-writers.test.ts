// Every writer of items does the same with a value that is too long for one: stream, import, backfill, repair, and who reads it back.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { userBucket } from '../../src/platform/hash.ts'
import type { PredictionsBody } from '../../src/predictions/evaluated-user.ts'
import { spilledOf, withValues } from '../../src/predictions/spill.ts'
import { readBody } from '../../src/store/item-codec.ts'
import { spillStore } from '../../src/store/spill-store.ts'
import { manifestOf } from '../model/factories.ts'
import { countingPredictor, orderRecord } from '../recompute/harness.ts'
import { longPredictor, longValue, TEST_KEY } from '../recompute/spill-harness.ts'
import { itemOf, orders } from './backfill-world.ts'
import { type RepairWorld, repairWorld } from './repair-world.ts'

let world: RepairWorld

beforeEach(() => {
  world = repairWorld()
  world.predictor = longPredictor()
  world.spills = spillStore({ objects: world.archive, newKey: () => TEST_KEY })
})

afterEach(() => {
  world.remove()
})

/** What is stored of a user, read back from where it is. */
async function storedOf(userId: string): Promise<PredictionsBody> {
  const item = await itemOf(world.users, userId)
  const read = readBody(item, 'pr')
  if ('reason' in read) throw new Error(read.reason)
  const body = read.body as unknown as PredictionsBody
  expect([item.spills, spilledOf(body).length]).toEqual([1, 1])
  const [spilled] = spilledOf(body)
  const value = spilled && (await world.spills?.read(spilled))
  return withValues(body, () => value ?? {})
}

const next = (body: PredictionsBody) => body.models['next']?.value

it('the stream and a backfill after it', async () => {
  await world.send(orders(2, 3))
  const before = await storedOf('user-0')
  const { create } = world.archive.calls
  expect(await world.backfill()).toMatchObject({ written: 2 })
  expect((await itemOf(world.users, 'user-0')).v).toBeGreaterThan(1)
  expect(next(await storedOf('user-0'))).toEqual(next(before))
  // Nothing of the value had changed.
  expect(world.archive.calls.create).toBe(create)
})

it('an import', async () => {
  await world.imports('history', orders(2, 3))
  expect(next(await storedOf('user-1'))).toEqual(longValue(2))
})

it('an import, for no more users at once than fit into memory', async () => {
  const runs: number[] = []
  const counting = countingPredictor(runs)
  const text = { name: 'said', kind: 'label', tensor: 't', column: 0 } as const
  const models = [{ name: 'churn', batchId: 'b1', manifest: { ...manifestOf(new Uint8Array()), outputs: [text] } }]
  world.predictor = { ...counting, pinned: async () => ({ ...counting, models }) }
  // Each bucket is folded by itself.
  const users = Array.from({ length: 6000 }, (_, id) => `user-${id}`).filter(user => userBucket(user) === 7)
  await world.imports(
    'history',
    users.slice(0, 70).map((user, id) => orderRecord(id, id + 1, { user })),
  )
  // A value may have 1 MiB.
  expect(runs).toEqual([63, 7])
  expect(world.users.items()).toHaveLength(70)
})

it('a repair, which names what was there before the damage', async () => {
  const records = orders(2, 3)
  await world.send(records)
  world.put(records)
  const before = next(await storedOf('user-0'))
  const objects = [...world.archive.objects.keys()].filter(key => key.startsWith('spill/'))
  world.damage('user-0', ({ st: _st, ...rest }) => rest)
  const dry = await world.repair({ isDryRun: true })
  expect(dry).toMatchObject([{ outcome: 'repaired' }])
  expect(await world.repair()).toMatchObject([{ outcome: 'repaired' }])
  expect(next(await storedOf('user-0'))).toEqual(before)
  expect([...world.archive.objects.keys()].filter(key => key.startsWith('spill/'))).toEqual(objects)
})

it('a repair of a value that is gone puts it back, and its dry run does not', async () => {
  const records = orders(1, 3)
  await world.send(records)
  world.put(records)
  const before = next(await storedOf('user-0'))
  world.damage('user-0', ({ st: _st, ...rest }) => rest)
  const spilled = () => [...world.archive.objects.keys()].filter(key => key.startsWith('spill'))
  for (const key of spilled()) world.archive.objects.delete(key)
  await world.repair({ isDryRun: true })
  expect(spilled()).toEqual([])
  await world.repair()
  world.spills = spillStore({ objects: world.archive, newKey: () => TEST_KEY })
  expect(next(await storedOf('user-0'))).toEqual(before)
})
