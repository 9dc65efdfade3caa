// A version from its publication to its end, over the catalogue in memory, and the function that serves it all the while.
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { listModel, modelLog } from '../../src/model/model-listing.ts'
import { modelRef } from '../../src/model/model-refs.ts'
import { modelSource } from '../../src/model/model-source.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { promoteVersion, rollbackVersion, type VersionPorts } from '../../src/model/promote-version.ts'
import { type ModelRegistry, modelRegistry } from '../../src/model/registry.ts'
import { versionBefore } from '../../src/model/version-before.ts'
import { yankVersion } from '../../src/model/yank-version.ts'
import { type CatalogWorld, catalogWorld, REASON } from '../catalog/factories.ts'
import { rowsOf } from './factories.ts'
import { papersZip } from './papers.ts'

const REFRESH_MS = 30_000
const V1 = '20010501120000-00000001'
const V2 = '20010601120000-00000002'
const V3 = '20010701120000-00000003'

let world: CatalogWorld
let registry: ModelRegistry
let ports: VersionPorts
let nowMs = 0
beforeEach(() => {
  use(catalogWorld())
  nowMs = 0
})

function use(next: CatalogWorld): void {
  world = next
  registry = modelRegistry(world.catalog)
  ports = { catalog: world.catalog, registry, openSession: openOnnxSession, checkInputs: () => undefined }
}

const zip = (version: string, description = version): Uint8Array => papersZip({ manifest: { version, description } })
const publish = (version: string, stage: string, bytes = zip(version)) =>
  registry.publish({ zip: bytes, stage, openSession: openOnnxSession, ...REASON })
const promote = (batchId: string) =>
  promoteVersion(
    ports,
    { name: 'churn', from: 'staging', to: 'production', batchId, skipsStaging: false, gates: [] },
    REASON,
  )

describe('publishing', () => {
  test('the same artifact twice is one version, in whatever stages', async () => {
    const first = await publish(V1, 'staging')
    expect(first).toMatchObject({ batchId: V1, kind: 'commit', number: 1 })
    const objects = [...world.objects.objects.keys()]
    expect(await publish(V1, 'staging')).toEqual(first)
    expect(await publish(V1, 'production')).toMatchObject({ batchId: V1, kind: 'promote', number: 1 })
    expect([...world.objects.objects.keys()]).toEqual(objects)
    await publish(V2, 'staging')
    expect(await publish(V1, 'staging')).toMatchObject({ batchId: V1, number: 3 })
    expect(await registry.artifact('churn', V1, 'production')).toEqual(await registry.artifact('churn', V1, 'staging'))
  })

  test('other bytes under a version that is there are refused, in whatever stage', async () => {
    await publish(V1, 'staging')
    for (const stage of ['staging', 'production']) {
      await expect(publish(V1, stage, zip(V1, 'Other.'))).rejects.toMatchObject({ code: 'version-taken' })
    }
    expect(await registry.current('churn')).toBeUndefined()
  })

  test('killed at any instant, it is not there, and is published under the same version by the next try', async () => {
    let left = Number.POSITIVE_INFINITY
    const fault = () => {
      if (left-- <= 0) throw new Error('killed')
    }
    for (let instant = 0, isDone = false; !isDone; instant++) {
      left = Number.POSITIVE_INFINITY
      use(catalogWorld({ fault }))
      left = instant
      isDone = await publish(V1, 'staging').then(
        () => true,
        () => false,
      )
      left = Number.POSITIVE_INFINITY
      expect([undefined, V1]).toContain((await registry.current('churn', 'staging'))?.batchId)
      expect(await publish(V1, 'staging')).toMatchObject({ batchId: V1 })
      expect((await registry.currentArtifact('churn', 'staging'))?.artifact.manifest.version).toBe(V1)
      expect(instant).toBeLessThan(100)
    }
  })

  test('an artifact that lies under another version than its own is not taken', async () => {
    await publish(V1, 'staging')
    const ref = modelRef('churn', 'staging')
    await world.catalog.store(ref, { parts: [{ body: zip(V2), rows: 1 }], batchId: V3, ...REASON })
    await expect(registry.artifact('churn', V3, 'staging')).rejects.toMatchObject({ code: 'model-contract' })
  })
})

describe('a function that serves', () => {
  function serving() {
    const problems: string[] = []
    const opened: string[] = []
    const source = modelSource({
      name: 'churn',
      registry,
      openSession: async (artifact, batchId) => {
        opened.push(batchId)
        return openOnnxSession(artifact, batchId)
      },
      clock: () => nowMs,
      refreshMs: REFRESH_MS,
      onProblem: error => problems.push(String(error)),
    })
    const after = async (ms: number) => {
      nowMs += ms
      return (await source.session())?.batchId
    }
    return { source, problems, opened, after }
  }

  test('takes a promotion and a rollback up within the refresh time, and a yanked version never again', async () => {
    await publish(V1, 'staging')
    await promote(V1)
    const { source, after, opened, problems } = serving()
    expect(await after(0)).toBe(V1)
    const session = await source.session()
    await publish(V2, 'staging')
    expect(await after(REFRESH_MS)).toBe(V1)
    await promote(V2)
    expect(await after(REFRESH_MS - 1)).toBe(V1)
    expect(await after(1)).toBe(V2)
    expect((await session?.run(rowsOf(3, 0, 0, 0)))?.outputs[0]?.[0]).toBe(0.5)

    const { rollbacks } = await yankVersion(ports, { name: 'churn', batchId: V2, rollbackTo: V1 }, REASON)
    expect(
      rollbacks.map(({ stage, batchId }) => [stage, batchId]).toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1)),
    ).toEqual([
      ['production', V1],
      ['staging', V1],
    ])
    expect(await after(REFRESH_MS)).toBe(V1)
    expect(opened).toEqual([V1, V2, V1])
    expect(problems).toEqual([])
  })

  test('never loads what was yanked while a pointer still named it', async () => {
    await publish(V1, 'production')
    await publish(V2, 'production')
    // By somebody whose look at the pointer was older.
    const item = { table: 'models.churn', sk: `yank#${V2}`, attributes: { batchId: V2, at: 1, ...REASON } }
    await world.store.create(item)
    const { after, problems } = serving()
    expect(await after(0)).toBe(V1)
    expect(problems).toEqual([expect.stringContaining(`${V2} was yanked by ana: nightly`)])
  })

  test('keeps what it has while a promotion is damaged on its way', async () => {
    await publish(V1, 'production')
    const { after, problems } = serving()
    expect(await after(0)).toBe(V1)
    await publish(V2, 'production')
    const key = [...world.objects.objects.keys()].find(each => each.includes(V2) && each.endsWith('.zip')) ?? ''
    world.objects.objects.set(key, new Uint8Array([1]))
    expect(await after(REFRESH_MS)).toBe(V1)
    expect(problems).toHaveLength(1)
  })
})

test('a promotion checks the bytes, the trial run and the definitions again', async () => {
  await publish(V1, 'staging')
  const bad = { ...ports, checkInputs: () => expect.fail('a was defined otherwise') }
  const request = { name: 'churn', from: 'staging', to: 'production', skipsStaging: false, gates: [] }
  await expect(promoteVersion(bad, request, REASON)).rejects.toThrow('a was defined otherwise')
  const closed = { ...ports, openSession: () => Promise.reject(new Error('does not open here')) }
  await expect(promoteVersion(closed, request, REASON)).rejects.toThrow('does not open here')
  const [key = ''] = [...world.objects.objects.keys()].filter(each => each.endsWith('.zip'))
  world.objects.objects.set(key, new Uint8Array([1]))
  await expect(promoteVersion(ports, request, REASON)).rejects.toMatchObject({ code: 'batch-damaged' })
  expect(await registry.current('churn')).toBeUndefined()
})

test('a rollback without a version skips those that were yanked', async () => {
  for (const version of [V1, V2, V3]) await publish(version, 'production')
  await world.catalog.yank(modelRef('churn'), { batchId: V2, ...REASON })
  expect(await rollbackVersion(ports, { name: 'churn', stage: 'production' }, REASON)).toMatchObject({ batchId: V1 })
  await expect(rollbackVersion(ports, { name: 'churn', stage: 'production' }, REASON)).rejects.toMatchObject({
    code: 'no-version-before',
  })
})

test('lists versions with their stages, the one that was published last first', async () => {
  await publish(V1, 'staging')
  await publish(V2, 'staging')
  await promote(V1)
  const { versions, current } = await listModel(world.catalog, 'churn')
  expect(versions.map(({ batchId, stages, currentIn }) => [batchId, stages, currentIn])).toEqual([
    [V2, ['staging'], ['staging']],
    [V1, ['staging', 'production'], ['production']],
  ])
  expect(current.map(({ stage, batchId }) => [stage, batchId])).toEqual([
    ['production', V1],
    ['staging', V2],
  ])
  expect((await modelLog(world.catalog, 'churn', { limit: 2 })).map(({ batchId }) => batchId)).toEqual([V1, V2])
})

test('the version before is never the current one nor a yanked one, and repeated rollbacks end', () => {
  const ids = fc.constantFrom('a', 'b', 'c', 'd')
  const kinds = fc.constantFrom('commit' as const, 'promote' as const)
  fc.assert(
    fc.property(
      fc.array(fc.record({ kind: kinds, batchId: ids }), { maxLength: 12 }),
      fc.subarray(['a', 'b']),
      (commits, yanked) => {
        let log: { kind: 'commit' | 'promote' | 'rollback'; batchId: string }[] = commits.toReversed()
        for (let rollbacks = 0; ; rollbacks++) {
          const before = versionBefore(log, batchId => yanked.includes(batchId))
          if (before === undefined) break
          expect(before).not.toBe(log[0]?.batchId)
          expect(yanked).not.toContain(before)
          expect(commits.map(({ batchId }) => batchId)).toContain(before)
          log = [{ kind: 'rollback', batchId: before }, ...log]
          expect(rollbacks).toBeLessThan(commits.length)
        }
      },
    ),
  )
})
