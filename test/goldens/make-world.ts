// A small shop over some weeks, as this release stores it: a stream with all that a stream brings, letters, doubt, a compacted hour, an
// import, a model that was rolled back, a snapshot, a training set. Product code writes all of it.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { closeRecords } from '../../src/archive/closed-letters.ts'
import { compactHours } from '../../src/archive/compact-hours.ts'
import { listDeadLetters, writeDeadLetters } from '../../src/archive/dead-letters.ts'
import { listDoubt, writeDoubt } from '../../src/archive/doubt.ts'
import { openHistory } from '../../src/archive/open-history.ts'
import { catalog } from '../../src/catalog/catalog.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { type ModelRegistry, modelRegistry } from '../../src/model/registry.ts'
import { DAY_MS, HOUR_MS } from '../../src/platform/duration.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { type CompiledPipeline, compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { modelPredictor } from '../../src/predictions/model-predictor.ts'
import type { Pipeline } from '../../src/predictions/pipeline.ts'
import { recomputeBatch } from '../../src/recompute/recompute-batch.ts'
import { recordDeployed } from '../../src/recompute/record-deployed.ts'
import { importHistory } from '../../src/replay/import-history.ts'
import { keepCorrupt } from '../../src/replay/repair-keep.ts'
import { makeTrainingSet } from '../../src/replay/training-set.ts'
import { takeSnapshot } from '../../src/snapshot/take-snapshot.ts'
import { recordOperation } from '../../src/status/operations-log.ts'
import { type Attributes, toAttributes } from '../../src/store/dynamodb-attributes.ts'
import { isCorrupt } from '../../src/store/user-item.ts'
import { collect, failureObject, GIVEN_UP_KEY } from '../archive/factories.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { memoryUserStore } from '../fakes/memory-user-store.ts'
import { artifactOf, zipOf } from '../model/factories.ts'
import { encodePlain, type GoldenPlain } from '../store/golden-item.ts'
import { readJson, type StoredWorld } from './golden-files.ts'
import { DB, SNAPSHOT_MS, STAGE, START_MS, TRAINING_NAME } from './golden-names.ts'
import { importedPayloads, laterRecords, noonRecords } from './golden-records.ts'
import { type CatalogTable, memoryCatalogTable } from './memory-catalog-table.ts'

const REASON = { who: 'ana', why: 'goldens of what is stored' }

export async function makeWorld(pipeline: Pipeline, release: string): Promise<StoredWorld> {
  const compiled = compilePipeline(pipeline)
  const spoolDir = mkdtempSync(join(tmpdir(), 'millrace-goldens-'))
  const world = newWorld(spoolDir)
  try {
    await recordDeployed(world.catalog, compiled, { stage: STAGE, release, ...REASON })
    const predictor = await publishModels(world, compiled)
    const deps = { ...world, compiled, predictor }
    await stream(deps)
    await setEverythingBeside(deps)
    await importHistory(each(importedPayloads()), { ...deps, name: 'orders-of-2025', ...REASON })
    world.time.nowMs = SNAPSHOT_MS
    await takeSnapshot(deps, { instantMs: SNAPSHOT_MS, ...REASON })
    await train(deps)
    await operate(deps)
    for (const attributes of otherItems()) world.users.plant(attributes)
  } finally {
    rmSync(spoolDir, { recursive: true })
  }
  return {
    archive: world.archive.objects,
    catalogBucket: world.objects.objects,
    catalogItems: [...world.table.values()],
    userItems: world.users.items().map(({ userId }) => world.users.raw(userId) as Attributes),
  }
}

/** What this shop does not have: many types and shards, `settled`, attributes and state that nobody knows. */
function otherItems(): readonly Attributes[] {
  const folder = join(import.meta.dirname, '..', 'store', 'goldens')
  const plain = readdirSync(folder).filter(name => name.endsWith('.plain.golden.json'))
  return plain.map(name => toAttributes(encodePlain(readJson(join(folder, name)) as GoldenPlain)))
}

function newWorld(spoolDir: string) {
  const time = { nowMs: START_MS }
  // A batch is named by the second in which it was begun.
  const clock = (): number => (time.nowMs += 1000)
  const [archive, objects, users] = [memoryObjectStore({ clock }), memoryObjectStore({ clock }), memoryUserStore()]
  const table: CatalogTable = new Map()
  const ports = { clock, random: seededRandom(1), sleep: async () => undefined }
  const store = memoryCatalogTable(table)
  return {
    ...ports,
    time,
    archive,
    objects,
    users,
    table,
    spoolDir,
    db: DB,
    catalog: catalog({ store, objects, ...ports }),
  }
}

type World = ReturnType<typeof newWorld>
type Dependencies = World & {
  readonly compiled: CompiledPipeline
  readonly predictor: ReturnType<typeof modelPredictor>
}

/** Two versions, and the first made current again. */
async function publishModels(world: World, compiled: CompiledPipeline): Promise<ReturnType<typeof modelPredictor>> {
  const registry = modelRegistry(world.catalog)
  const first = await publish(registry, compiled, 'The first.')
  await publish(registry, compiled, 'The second, which is worse.')
  const ref = { db: 'models', table: 'churn', partition: 'production' }
  await world.catalog.rollback(ref, { to: first, ...REASON })
  const artifact = await registry.artifact('churn', first)
  const session = await openOnnxSession(artifact, first)
  return modelPredictor(compiled, name => ({ name, session: async () => session, batchId: async () => first }))
}

async function publish(registry: ModelRegistry, { features }: CompiledPipeline, description: string): Promise<string> {
  const inputs = ['orders30d', 'spend90d', 'dearest'].map(name => {
    const fingerprint = features.features.find(feature => feature.name === name)?.fingerprint ?? ''
    return { name, fingerprint, type: 'number' as const, missing: 'nan' as const }
  })
  const zip = zipOf(artifactOf('wide', { inputs, description }))
  return (await registry.publish({ zip, openSession: openOnnxSession, ...REASON })).batchId
}

async function stream(deps: Dependencies): Promise<void> {
  const { archive, time } = deps
  const noon = noonRecords()
  await deliver(deps, noon)
  await compactLater(deps)
  const later = laterRecords()
  for (const record of later) await deliver(deps, [record])
  // Skipped and delivered again: below the floor by now.
  await deliver(deps, noon)
  await archive.create(GIVEN_UP_KEY, failureObject(later.slice(0, 1)))
  time.nowMs += DAY_MS
}

async function deliver(deps: Dependencies, records: readonly StreamRecord[]): Promise<void> {
  const { archive } = deps
  await archiveBatch(records, archive)
  await recomputeBatch(records, {
    ...deps,
    aside: {
      writeDeadLetters: letters => writeDeadLetters(archive, letters),
      writeDoubt: doubt => writeDoubt(archive, doubt),
    },
    remainingMs: () => Number.POSITIVE_INFINITY,
  })
}

async function compactLater(deps: Dependencies): Promise<void> {
  deps.time.nowMs += 3 * HOUR_MS
  await compactHours(deps, REASON)
}

/** One letter and one doubt are done with; the others stay. */
async function setEverythingBeside({ archive }: Dependencies): Promise<void> {
  const [letters, doubt] = [await collect(listDeadLetters(archive)), await collect(listDoubt(archive))]
  if (letters.length < 2 || doubt.length < 2) throw new Error(`${letters.length} letters, ${doubt.length} doubts`)
  await closeRecords(archive, 'closed', { records: letters.slice(0, 1), by: 'millrace deadletters replay' })
  const ahead = letters
    .filter(({ reason }) => reason === 'future')
    .map(letter => ({ ...letter, acceptedMs: SNAPSHOT_MS }))
  await closeRecords(archive, 'closed', { records: ahead, by: 'millrace deadletters replay --accept-future' })
  await closeRecords(archive, 'cleared', { records: doubt.slice(0, 1), by: 'millrace backfill --doubt' })
}

/** An item that was found damaged, and a function that was paused and let go on. */
async function operate({ archive, catalog, clock, users }: Dependencies): Promise<void> {
  const stored = await users.load('ben')
  if (stored === undefined || isCorrupt(stored)) throw new Error('There is no item')
  const corrupt = { ...stored, st: stored.st.slice(0, -1) }
  await keepCorrupt(archive, { corrupt, problem: 'st: torn', who: 'ana', atMs: clock(), version: 1_000_000_000 })
  const operation = { pipeline: DB, stage: STAGE, key: 'recompute', mappings: ['7b1c'], ...REASON }
  await recordOperation(catalog, { ...operation, action: 'paused' })
  await recordOperation(catalog, { ...operation, action: 'resumed' })
}

async function train(deps: Dependencies): Promise<void> {
  const labels = ['ana', 'ben', 'cy'].map((userId, index) => ({
    userId,
    time: START_MS + (index + 1) * DAY_MS,
    values: [index % 2 === 0, 10n ** 17n],
  }))
  const carried = [
    { name: 'churned', type: 'boolean' },
    { name: 'account', type: 'int64' },
  ] as const
  await makeTrainingSet(
    { rows: each(labels), carried: () => carried },
    {
      ...deps,
      openHistory: () => openHistory(deps),
      openLetters: async () => new Set(),
      name: TRAINING_NAME,
      known: 'arrival',
      openedMs: SNAPSHOT_MS,
      ...REASON,
    },
  )
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}
