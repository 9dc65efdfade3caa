import { beforeEach, expect, test } from 'vitest'
import { CatalogError } from '../../src/catalog/errors.ts'
import type { LogEntry } from '../../src/catalog/items.ts'
import { ModelError } from '../../src/model/errors.ts'
import type { ModelSession } from '../../src/model/model-session.ts'
import { type ModelSource, modelSource } from '../../src/model/model-source.ts'
import type { Artifact } from '../../src/model/read-artifact.ts'
import { artifactOf } from './factories.ts'

const REFRESH_MS = 30_000
const ARTIFACT = artifactOf('wide')
const MISFIT = 'Trained on other definitions.'
const UNFIT = artifactOf('wide', { description: MISFIT })

/** A registry of versions by name; what `faults` holds for one is thrown when it is asked for. */
class World {
  nowMs = 1_000_000
  log: string[] = []
  readonly faults = new Map<string, Error>()
  readonly calls = { current: 0, history: 0, artifact: 0, yank: 0 }
  readonly artifacts = new Map<string, Artifact>()
  readonly opened: string[] = []
  readonly problems: (string | undefined)[] = []
  readonly source: ModelSource = modelSource({
    name: 'churn',
    refreshMs: REFRESH_MS,
    clock: () => this.nowMs,
    misfit: ({ description }) => (description === MISFIT ? 'a was defined otherwise' : undefined),
    onProblem: (_error, batchId) => this.problems.push(batchId),
    registry: {
      current: async () => {
        this.calls.current++
        this.#fail('pointer')
        return this.#entries()[0]
      },
      history: async (_name, _stage, limit) => {
        this.calls.history++
        this.#fail('history')
        return this.#entries().slice(0, limit)
      },
      artifact: async (_name, batchId) => {
        this.calls.artifact++
        await new Promise(resolve => setImmediate(resolve))
        this.#fail(batchId)
        return this.artifacts.get(batchId) ?? ARTIFACT
      },
      refuseYanked: async (_name, batchId) => {
        this.calls.yank++
        this.#fail(`yank ${batchId}`)
      },
    },
    openSession: async ({ manifest }, batchId): Promise<ModelSession> => {
      this.#fail(`open ${batchId}`)
      this.opened.push(batchId)
      return { name: manifest.name, batchId, manifest, run: async () => ({ outputs: [], refusals: new Map() }) }
    },
  })

  async served(): Promise<string | undefined> {
    return (await this.source.session())?.batchId
  }

  #entries(): LogEntry[] {
    const entry = { kind: 'commit' as const, at: 0, who: 'ana', why: 'better', token: '' }
    return this.log.map((batchId, index) => ({ ...entry, number: index + 1, batchId })).toReversed()
  }

  #fail(what: string): void {
    const fault = this.faults.get(what)
    if (fault !== undefined) throw fault
  }
}

const bad = new ModelError('bad', { code: 'artifact-hash' })
const damaged = new CatalogError('damaged', { code: 'batch-damaged' })
const down = new CatalogError('down', { code: 'catalog-unavailable', retriable: true })
const denied = new CatalogError('denied', { code: 'catalog-refused' })

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

const yanked = new CatalogError('yanked', { code: 'batch-yanked' })

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

test('never loads a yanked version, and asks about one when it loads it, not when it serves it', async () => {
  world.log = ['v1', 'v2']
  world.faults.set('yank v2', yanked)
  for (let request = 0; request < 5; request++) {
    expect(await world.served()).toBe('v1')
    world.nowMs += REFRESH_MS
  }
  expect(world.calls).toMatchObject({ artifact: 1, yank: 2 })
  expect(world.problems).toEqual(['v2'])
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
