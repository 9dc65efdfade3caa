import { describe, expect, it } from 'vitest'
import { count } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import type { Feature } from '../../src/features/feature.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { describePipeline } from '../../src/predictions/definitions.ts'
import {
  currentDefinitions,
  definitionsRef,
  loadDefinitions,
  recordDefinitions,
} from '../../src/predictions/definitions-table.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { catalogWorld, REASON } from '../catalog/factories.ts'
import { order } from '../features/factories.ts'

const shop = (set: Readonly<Record<string, Feature>>) =>
  describePipeline(compilePipeline(pipeline({ name: 'shop', features: features(set), models: [] })))
const [first, second] = [shop({ a: count(order) }), shop({ a: count(order), b: count(order, { within: '1d' }) })]
const bytes = { typical: 900, worst: 4000, dollarsPerMillionEvents: 0.75, states: { abc: 12 } }

function world() {
  const { catalog, objects } = catalogWorld()
  let asked = 0
  const record = (definitions: typeof first, release: string | null = '1.0.0', stage = 'dev') =>
    recordDefinitions(catalog, { stage, definitions, release, ...REASON, bytes: () => (asked++, bytes) })
  return { catalog, objects, record, asked: () => asked }
}

describe('definitions in the catalogue', () => {
  it('are a batch of the stage, once for each time that they changed', async () => {
    const { catalog, record, asked } = world()
    expect(await currentDefinitions(catalog, 'shop', 'dev')).toBeUndefined()
    const outcomes = []
    for (const definitions of [first, first, second, second, first]) outcomes.push((await record(definitions)).outcome)
    expect(outcomes).toEqual(['recorded', 'unchanged', 'recorded', 'unchanged', 'recorded'])
    expect(asked()).toBe(3)
    const history = await catalog.history(definitionsRef('shop', 'dev'))
    expect(history.map(({ number, who, why }) => [number, who, why])).toEqual([3, 2, 1].map(n => [n, 'ana', 'nightly']))
    const found = await currentDefinitions(catalog, 'shop', 'dev')
    expect(found).toMatchObject({ definitions: first, release: '1.0.0', bytes, entry: { number: 3 } })
    const earlier = await loadDefinitions(catalog, definitionsRef('shop', 'dev'), history[1]?.batchId ?? '')
    expect(earlier.definitions).toEqual(second)
  })

  it('are recorded again by another release, and not by a function, which knows of none', async () => {
    const { catalog, record } = world()
    const outcomes = []
    for (const release of [null, null, '1.0.0', null, '1.0.0', '1.1.0']) {
      outcomes.push((await record(first, release)).outcome)
    }
    expect(outcomes).toEqual(['recorded', 'unchanged', 'recorded', 'unchanged', 'unchanged', 'recorded'])
    expect((await currentDefinitions(catalog, 'shop', 'dev'))?.release).toBe('1.1.0')
  })

  it('are of one stage alone', async () => {
    const { catalog, record } = world()
    await record(first, null, 'dev')
    await record(second, null, 'live')
    expect((await currentDefinitions(catalog, 'shop', 'dev'))?.definitions).toEqual(first)
    expect((await currentDefinitions(catalog, 'shop', 'live'))?.definitions).toEqual(second)
  })

  it('of a later layout are refused with what to do', async () => {
    const { catalog, record } = world()
    await record({ ...first, formatVersion: 2 })
    await expect(currentDefinitions(catalog, 'shop', 'dev')).rejects.toMatchObject({
      code: 'definitions-unreadable',
      next: expect.stringContaining('newer'),
    })
  })

  it('are JSON that any language reads', async () => {
    const { catalog, record } = world()
    await record(first)
    const batch = await catalog.load(definitionsRef('shop', 'dev'))
    expect(batch.manifest.parts.map(({ name }) => name)).toEqual(['part-definitions.json'])
    for await (const { body } of batch.parts()) {
      expect(JSON.parse(Buffer.from(body).toString('utf8'))).toEqual({ definitions: first, release: '1.0.0', bytes })
    }
  })
})
