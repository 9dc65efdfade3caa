import { beforeEach, expect, test } from 'vitest'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { type ModelRegistry, modelRegistry } from '../../src/model/registry.ts'
import { type CatalogWorld, catalogWorld, REASON } from '../catalog/factories.ts'
import { artifactOf, zipOf } from './factories.ts'

let world: CatalogWorld
let registry: ModelRegistry
beforeEach(() => {
  world = catalogWorld()
  registry = modelRegistry(world.catalog)
})

const artifact = artifactOf('wide')
const publish = (zip: Uint8Array, stage?: string) =>
  registry.publish({ zip, openSession: openOnnxSession, ...REASON, ...(stage === undefined ? {} : { stage }) })

test('publishes an artifact as a version of production, and gives it back', async () => {
  expect(await registry.currentArtifact('churn')).toBeUndefined()
  const entry = await publish(zipOf(artifact))
  expect(await registry.current('churn')).toEqual(entry)
  expect(await registry.currentArtifact('churn')).toEqual({ batchId: entry.batchId, artifact })
  expect([...world.objects.objects.keys()].sort()).toEqual([
    `models/churn/production/${entry.batchId}/manifest.json`,
    `models/churn/production/${entry.batchId}/part-model.zip`,
  ])
})

test('names what a version was trained on as its input, so that retention leaves that batch alone', async () => {
  const input = { table: 'shop.training', partition: 'churn', batchId: '20010501100000-0c4g8k1n' }
  const papers = artifact.manifest.trainingData
  const entry = await publish(zipOf(artifactOf('wide', { trainingData: { ...papers, ...input } })))
  const ref = { db: 'models', table: 'churn', partition: 'production' }
  expect((await world.catalog.batch(ref, entry.batchId)).inputs).toEqual([input])
  const other = await publish(zipOf(artifactOf('wide', { description: 'Trained elsewhere.' })))
  expect((await world.catalog.batch(ref, other.batchId)).inputs).toEqual([])
})

test('keeps stages and versions apart, and rolls back as any table', async () => {
  const better = artifactOf('wide', { description: 'Better.' })
  const first = await publish(zipOf(artifact))
  const second = await publish(zipOf(better))
  await publish(zipOf(artifact), 'candidate')
  expect((await registry.currentArtifact('churn'))?.artifact.manifest.description).toBe('Better.')
  expect((await registry.history('churn')).map(entry => entry.batchId)).toEqual([second.batchId, first.batchId])
  await world.catalog.rollback(
    { db: 'models', table: 'churn', partition: 'production' },
    { to: first.batchId, ...REASON },
  )
  expect((await registry.currentArtifact('churn'))?.batchId).toBe(first.batchId)
  expect(await registry.artifact('churn', second.batchId)).toEqual(better)
})

test('writes nothing of a model that is damaged, does not load, or is not what its papers say', async () => {
  const zip = zipOf(artifact)
  await expect(publish(zip.subarray(0, 100))).rejects.toMatchObject({ code: 'artifact-invalid' })
  const outputs = [{ name: 'p', tensor: 'never', column: 0 }]
  await expect(publish(zipOf(artifactOf('wide', { outputs })))).rejects.toMatchObject({ code: 'model-contract' })
  await expect(publish(zipOf(artifactOf('external')))).rejects.toMatchObject({ code: 'model-external-data' })
  expect(world.objects.calls.create + world.store.calls.create).toBe(0)
})

test('plans without writing', async () => {
  const plan = await registry.planPublish({ zip: zipOf(artifact), openSession: openOnnxSession, stage: 'candidate' })
  expect(plan).toMatchObject({
    ref: { db: 'models', table: 'churn', partition: 'candidate' },
    manifest: artifact.manifest,
    current: undefined,
  })
  expect(world.objects.calls.create + world.store.calls.create).toBe(0)
})

test('refuses an artifact that lies under the name of another model', async () => {
  const ref = { db: 'models', table: 'other', partition: 'production' }
  await world.catalog.createTable(ref, { columns: [], format: 'zip', owner: 'ana' })
  await world.catalog.store(ref, { parts: [{ body: zipOf(artifact), rows: 1 }], ...REASON })
  await expect(registry.currentArtifact('other')).rejects.toMatchObject({ code: 'model-contract' })
})
