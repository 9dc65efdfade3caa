import { beforeEach, expect, test } from 'vitest'
import { bad, damaged, denied, down, REFRESH_MS, World } from './source-world.ts'

let world: World
beforeEach(() => {
  world = new World()
})

test('gives nothing where nothing was published, and the model once it is', async () => {
  expect(await world.served()).toBeUndefined()
  expect(await world.source.batchId()).toBeUndefined()
  world.log = ['v1']
  world.nowMs += REFRESH_MS
  expect(await world.served()).toBe('v1')
})

test('loads once, whoever asks at the same time, and looks at the pointer every refresh', async () => {
  world.log = ['v1']
  const served = await Promise.all(Array.from({ length: 10 }, () => world.served()))
  expect(new Set(served)).toEqual(new Set(['v1']))
  expect(world.calls).toEqual({ current: 1, history: 0, artifact: 1, yank: 1 })
  world.nowMs += REFRESH_MS - 1
  await world.served()
  expect(world.calls.current).toBe(1)
  world.nowMs += 1
  await world.served()
  expect(world.calls).toEqual({ current: 2, history: 0, artifact: 1, yank: 1 })
})

test('changes to a new version, and back by a rollback', async () => {
  world.log = ['v1']
  await world.served()
  world.log = ['v1', 'v2']
  expect(await world.served()).toBe('v1')
  world.nowMs += REFRESH_MS
  expect(await world.served()).toBe('v2')
  world.log = ['v1', 'v2', 'v1']
  world.nowMs += REFRESH_MS
  expect(await world.served()).toBe('v1')
})

test('tells the version by the pointer alone', async () => {
  world.log = ['v1']
  expect(await world.source.batchId()).toBe('v1')
  expect(world.calls).toEqual({ current: 1, history: 0, artifact: 0, yank: 0 })
})

test.each([
  ['does not load', 'open v2', bad],
  ['is damaged', 'v2', damaged],
])('keeps the good version when the new one %s, says so, and does not fetch it again', async (_, where, fault) => {
  world.log = ['v1']
  await world.served()
  world.log = ['v1', 'v2']
  world.faults.set(where, fault)
  for (let look = 0; look < 3; look++) {
    world.nowMs += REFRESH_MS
    expect(await world.served()).toBe('v1')
    expect(await world.source.batchId()).toBe('v1')
  }
  expect(world.problems).toEqual(['v2'])
  expect(world.calls.artifact).toBe(2)
  world.log = ['v1', 'v2', 'v3']
  world.nowMs += REFRESH_MS
  expect(await world.served()).toBe('v3')
})

test('keeps the good version while the new one cannot be fetched, and takes it when it can', async () => {
  world.log = ['v1']
  await world.served()
  world.log = ['v1', 'v2']
  world.faults.set('v2', down)
  world.nowMs += REFRESH_MS
  expect(await world.served()).toBe('v1')
  expect(await world.served()).toBe('v1')
  expect(world.problems).toEqual(['v2'])
  world.faults.clear()
  world.nowMs += REFRESH_MS
  expect(await world.served()).toBe('v2')
})

test('keeps serving while the pointer cannot be read, and asks no oftener than before', async () => {
  world.log = ['v1']
  await world.served()
  world.faults.set('pointer', down)
  world.nowMs += REFRESH_MS
  for (let request = 0; request < 5; request++) expect(await world.served()).toBe('v1')
  expect(world.calls.current).toBe(2)
  expect(world.problems).toEqual([undefined])
})

test.each([
  ['is down', down],
  ['says no', denied],
])('throws at a cold start while the registry %s: that there is no model is not known', async (_, fault) => {
  world.log = ['v1']
  world.faults.set('pointer', fault)
  await expect(world.served()).rejects.toBe(fault)
  world.faults.clear()
  world.faults.set('v1', fault)
  await expect(world.served()).rejects.toBe(fault)
  world.faults.clear()
  expect(await world.served()).toBe('v1')
})

test('serves the version before at a cold start whose current one is bad', async () => {
  world.log = ['v1', 'v2', 'v3', 'v3']
  world.faults.set('open v3', bad)
  world.faults.set('v2', damaged)
  expect(await world.served()).toBe('v1')
  expect(await world.source.batchId()).toBe('v1')
  expect(world.problems).toEqual(['v3', 'v2'])
})

test('gives nothing when every version is bad, and fetches none of them again', async () => {
  world.log = ['v1', 'v2']
  world.faults.set('open v1', bad)
  world.faults.set('open v2', bad)
  expect(await world.served()).toBeUndefined()
  world.nowMs += REFRESH_MS
  expect(await world.served()).toBeUndefined()
  expect(world.calls.artifact).toBe(2)
})

test.each([
  ['is bad', bad],
  ['cannot be fetched', down],
])('takes the version after one that %s where it is published during that load', async (_, fault) => {
  world.log = ['v1']
  await world.served()
  world.log = ['v1', 'v2']
  world.faults.set('v2', fault)
  world.nowMs += REFRESH_MS
  const served = world.served()
  while (world.calls.artifact < 2) await Promise.resolve()
  world.log = ['v1', 'v2', 'v3']
  world.nowMs += REFRESH_MS
  expect(await world.source.batchId()).toBe('v3')
  expect(await served).toBe('v3')
  expect(await world.source.batchId()).toBe('v3')
})

test('does not fetch a bad version again where those before it cannot be asked for', async () => {
  world.log = ['v1', 'v2']
  world.faults.set('open v2', bad)
  world.faults.set('history', down)
  for (let request = 0; request < 3; request++) await expect(world.served()).rejects.toBe(down)
  expect(world.calls.artifact).toBe(1)
  world.faults.delete('history')
  expect(await world.served()).toBe('v1')
  expect(world.opened).toEqual(['v1'])
})
