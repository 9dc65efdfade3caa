// A snapshot that nobody can read stands in nobody's way.
import { expect, test } from 'vitest'
import { DAY_MS, HOUR_MS } from '../../src/platform/duration.ts'
import { newestSnapshot } from '../../src/snapshot/newest-snapshot.ts'
import { INSTANT, REF, type RunWorld, runWorld } from './run-world.ts'

async function damagedWorld(): Promise<RunWorld> {
  const world = await runWorld({ segments: 1, users: 6 })
  await world.invoke({ snapshot: 'take', instantMs: INSTANT, requestId: 'first' })
  const { objects } = world.objects
  for (const key of objects.keys()) if (key.endsWith('/manifest.json')) objects.delete(key)
  await expect(world.deps.catalog.load(REF)).rejects.toMatchObject({ code: 'batch-damaged' })
  return world
}

test('the next night is committed, with nothing to compare it with', async () => {
  const world = await damagedWorld()
  world.nowMs += DAY_MS
  const outcome = await world.invoke({ snapshot: 'take', instantMs: INSTANT + DAY_MS, requestId: 'second' })
  expect(outcome).toMatchObject({ outcome: 'committed', report: { since: null } })
})

test('it is taken again in its own partition', async () => {
  const world = await damagedWorld()
  world.nowMs += HOUR_MS
  const outcome = await world.invoke({ snapshot: 'take', instantMs: INSTANT + HOUR_MS, requestId: 'again' })
  expect(outcome).toMatchObject({ outcome: 'committed' })
  expect(await world.current()).toHaveLength(6)
})

test('the newest one is of another day', async () => {
  const world = await damagedWorld()
  expect(await newestSnapshot(world.deps.catalog, 'shop', INSTANT)).toBeUndefined()
})
