// Versions that are whole, and still not to be used: trained on other definitions, or yanked.
import { beforeEach, expect, test } from 'vitest'
import { damaged, down, MISFIT, REFRESH_MS, UNFIT, World, yanked } from './source-world.ts'

let world: World
beforeEach(() => {
  world = new World()
})

test('serves the version before, warm or cold, where the current one was trained on other definitions', async () => {
  world.log = ['v1']
  await world.served()
  world.log = ['v1', 'v2']
  world.artifacts.set('v2', UNFIT)
  for (let look = 0; look < 3; look++) {
    world.nowMs += REFRESH_MS
    expect(await world.served()).toBe('v1')
    world.nowMs += REFRESH_MS
    expect(await world.source.batchId()).toBe('v1')
  }
  const cold = new World()
  cold.log = ['v1', 'v2']
  cold.artifacts.set('v2', UNFIT)
  expect([await cold.served(), await cold.source.batchId()]).toEqual(['v1', 'v1'])
  for (const each of [world, cold]) {
    expect(each.problems).toEqual(['v2'])
    expect(each.calls.artifact).toBe(2)
    expect(each.opened).toEqual(['v1'])
  }
})

test('gives the papers of the newest version where none fits, opens none, and takes the first that does', async () => {
  for (const version of ['v1', 'v2', 'v3']) world.artifacts.set(version, UNFIT)
  world.log = ['v1', 'v2']
  const session = await world.source.session()
  expect([session?.batchId, session?.manifest.description, await world.source.batchId()]).toEqual(['v2', MISFIT, 'v2'])
  await expect(session?.run({ rowCount: 0, columns: [] })).rejects.toMatchObject({ code: 'model-not-ready' })
  const afterwards: (string | undefined)[] = []
  for (const log of [
    ['v1', 'v2', 'v1'],
    ['v1', 'v2', 'v1', 'v3'],
    ['v1', 'v2', 'v1', 'v3', 'v4'],
    ['v4', 'v3'],
  ]) {
    world.log = log
    world.nowMs += REFRESH_MS
    afterwards.push(await world.served())
  }
  expect(afterwards).toEqual(['v1', 'v3', 'v4', 'v4'])
  expect(world.opened).toEqual(['v4'])
  expect(world.calls.artifact).toBe(4)
})

test('tries no more than a few versions before the current one', async () => {
  world.log = Array.from({ length: 20 }, (_, index) => `v${index}`)
  for (const version of world.log.slice(5)) world.artifacts.set(version, UNFIT)
  expect(await world.served()).toBe('v19')
  expect(world.calls.artifact).toBe(5)
})

test('never loads a yanked version, and asks about one when it loads it, not when it is current and serves', async () => {
  world.log = ['v1', 'v2', 'v1']
  world.faults.set('yank v2', yanked)
  for (let request = 0; request < 5; request++) {
    expect(await world.served()).toBe('v1')
    world.nowMs += REFRESH_MS
  }
  expect(world.calls).toMatchObject({ artifact: 1, yank: 1 })
  world.log = ['v1', 'v2', 'v1', 'v2']
  for (let request = 0; request < 5; request++) {
    expect(await world.served()).toBe('v1')
    world.nowMs += REFRESH_MS
  }
  expect(world.calls.artifact).toBe(1)
  expect(world.problems).toEqual(['v2'])
})

test('stops serving what stands in for the current version once it is yanked', async () => {
  for (const wrong of ['damaged', 'unfit'] as const) {
    world = new World()
    world.log = ['v0', 'v1', 'v2']
    if (wrong === 'unfit') world.artifacts.set('v2', UNFIT)
    else world.faults.set('v2', damaged)
    expect(await world.served()).toBe('v1')
    world.faults.set('yank v1', yanked)
    world.nowMs += REFRESH_MS
    // Nobody is answered with what is stored of it, even by a process that only compares batches.
    expect(await world.source.batchId()).not.toBe('v1')
    expect([await world.served(), await world.source.batchId()]).toEqual(['v0', 'v0'])
    world.faults.set('yank v0', yanked)
    world.nowMs += REFRESH_MS
    expect(await world.served()).toBe(wrong === 'unfit' ? 'v2' : undefined)
    expect(world.problems).toEqual(['v2', 'v1', 'v0'])
  }
})

test('goes back to a good version where what it holds was yanked and what is current is bad', async () => {
  world.log = ['v1', 'v2']
  expect(await world.served()).toBe('v2')
  world.faults.set('yank v2', yanked)
  world.faults.set('v3', damaged)
  world.log = ['v1', 'v2', 'v1', 'v3']
  world.nowMs += REFRESH_MS
  expect([await world.served(), await world.source.batchId()]).toEqual(['v1', 'v1'])
  expect(world.problems).toEqual(['v3', 'v2'])
})

test('keeps what it holds where nobody can say whether it was yanked', async () => {
  world.log = ['v1']
  expect(await world.served()).toBe('v1')
  world.faults.set('yank v1', down)
  world.faults.set('v2', damaged)
  world.log = ['v1', 'v2']
  world.nowMs += REFRESH_MS
  expect(await world.served()).toBe('v1')
})

test('keeps the session before for who asks while the next version loads', async () => {
  world.log = ['v1']
  const before = await world.source.session()
  world.log = ['v1', 'v2']
  world.nowMs += REFRESH_MS
  const next = world.source.session()
  while (world.calls.artifact < 2) await Promise.resolve()
  expect(world.opened).toEqual(['v1'])
  expect((await before?.run({ rowCount: 0, columns: [] }))?.refusals.size).toBe(0)
  expect((await next)?.batchId).toBe('v2')
})
