// What may stand in for a version, on the catalogue: held against what a function that starts cold really serves.
import { describe, expect, it } from 'vitest'
import { modelRef } from '../../src/model/model-refs.ts'
import { modelSource } from '../../src/model/model-source.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { modelRegistry } from '../../src/model/registry.ts'
import { papersAt, papersBefore } from '../../src/model/stand-ins.ts'
import { catalogWorld, REASON } from '../catalog/factories.ts'
import { artifactOf, inputs, zipOf } from './factories.ts'

const FITTING = 'trained on these definitions'

async function world(fits: readonly boolean[]) {
  const made = catalogWorld()
  const registry = modelRegistry(made.catalog)
  const versions: string[] = []
  for (const [index, isFitting] of fits.entries()) {
    const description = isFitting ? FITTING : 'trained on others'
    const own = { inputs: inputs('a', 'b', 'c'), description, libraries: { version: `${index}` } }
    const zip = zipOf(artifactOf('wide', own))
    const stored = await registry.publish({ zip, stage: 'production', openSession: openOnnxSession, ...REASON })
    versions.push(stored.batchId)
  }
  /** Of a function that starts now. */
  const served = async () => {
    const source = modelSource({
      name: 'churn',
      registry,
      openSession: openOnnxSession,
      misfit: ({ description }) => (description === FITTING ? undefined : 'it does not fit'),
      clock: () => 0,
      refreshMs: 1,
      onProblem: () => undefined,
    })
    return (await source.session())?.batchId
  }
  const standIn = async () =>
    (await papersBefore(registry, 'churn')).find(({ manifest }) => manifest.description === FITTING)?.batchId
  return { ...made, registry, versions, served, standIn }
}

describe('papersBefore', () => {
  it('has what a function takes that starts cold, newest first, and not what it passes over', async () => {
    const { catalog, registry, versions, served, standIn } = await world([true, true, false, false])
    const [first = '', second = '', third = ''] = versions
    expect((await papersBefore(registry, 'churn')).map(({ batchId }) => batchId)).toEqual([third, second, first])
    expect([await served(), await standIn()]).toEqual([second, second])
    await catalog.yank(modelRef('churn'), { batchId: second, ...REASON })
    expect([await served(), await standIn()]).toEqual([first, first])
  })

  it('looks no further back than a function', async () => {
    const { served, standIn, versions } = await world([true, true, false, false, false, false])
    expect([await served(), await standIn()]).toEqual([versions[1], versions[1]])
    const further = await world([true, false, false, false, false, false])
    // Its newest, which is not ready.
    expect([await further.served(), await further.standIn()]).toEqual([further.versions[5], undefined])
  })

  it('is empty of a model that has one version or none', async () => {
    const { registry } = await world([true])
    expect(await papersBefore(registry, 'churn')).toEqual([])
    expect(await papersBefore(registry, 'other')).toEqual([])
  })
})

describe('papersAt', () => {
  it('has none of a version from when it was yanked on, and none of one that is damaged', async () => {
    const { catalog, registry, versions, objects } = await world([true, false])
    const [first = '', second = ''] = versions
    const papers = papersAt(catalog, registry)
    const { at } = await catalog.yank(modelRef('churn'), { batchId: first, ...REASON })
    expect((await papers('churn', first, at - 1))?.description).toBe(FITTING)
    expect(await papers('churn', first, at)).toBeUndefined()
    expect((await papers('churn', second, at))?.description).toBe('trained on others')
    for (const key of objects.objects.keys()) if (key.endsWith('.zip')) objects.objects.set(key, Buffer.from('x'))
    expect(await papers('churn', second, at)).toBeUndefined()
  })

  it('does not take a store that is down for a version that is bad', async () => {
    const { catalog, registry, versions } = await world([true])
    const artifact = async () => Promise.reject(new Error('down'))
    await expect(papersAt(catalog, { ...registry, artifact })('churn', versions[0] ?? '', 0)).rejects.toThrow('down')
  })
})
