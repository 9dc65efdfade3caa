// The status as it is read of a catalogue and of what was measured, through to its lines.
import { expect, it } from 'vitest'
import { catalog } from '../../src/catalog/catalog.ts'
import { batchIdNumber, newBatchId } from '../../src/catalog/batch-id.ts'
import { appendToLog } from '../../src/catalog/commit-log.ts'
import { model } from '../../src/model/define.ts'
import { modelRef } from '../../src/model/model-refs.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { judge } from '../../src/status/judge.ts'
import { STATUS_LIMITS } from '../../src/status/limits.ts'
import type { DeployedFunctions, MetricReader } from '../../src/status/ports.ts'
import { readStatus } from '../../src/status/read-status.ts'
import { memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { customer, order, visit } from '../features/factories.ts'
import { HOUR_MS, NOW_MS, point } from './readings-factory.ts'

const models = ['churn', 'spend'].map(name => model(name, { from: customer, inputs: ['orders30d'], owner: 'ana' }))
const compiled = compilePipeline(pipeline({ name: 'shop', events: [order, visit], features: customer, models }))
const functions: DeployedFunctions = {
  find: async () => undefined,
  mappings: async () => [],
  mapping: () => Promise.reject(new Error('Nobody asks for one')),
  setEnabled: () => Promise.reject(new Error('Nothing is switched')),
}

const QUESTION = {
  compiled,
  stage: 'dev',
  streamName: 'events',
  nowMs: NOW_MS,
  spanMs: HOUR_MS,
  look: { isTimeUp: () => false },
}

it('holds what each function said of each model against what is in production of it', async () => {
  const store = memoryCatalogStore()
  const random = seededRandom(1)
  const ports = { store, clock: () => NOW_MS - HOUR_MS, random, sleep: async () => undefined }
  const batchOf = async (name: string, hoursAgo: number): Promise<string> => {
    const batchId = newBatchId(NOW_MS - hoursAgo * HOUR_MS, random)
    await appendToLog(ports, modelRef(name), { kind: 'commit', batchId, who: 'ana', why: 'better' })
    return batchId
  }
  const [churn, spend] = [await batchOf('churn', 1), await batchOf('spend', 2)]
  const metrics: MetricReader = {
    read: async queries =>
      queries.map(({ name, dimensions }) =>
        name === 'modelBatch' && dimensions['function'] === 'recompute' ? [point(1, batchIdNumber(churn) ?? 0)] : [],
      ),
  }
  const archive = memoryObjectStore()
  const readings = await readStatus(
    { functions, metrics, catalog: catalog({ ...ports, objects: archive }), archive },
    QUESTION,
  )
  const lines = judge(readings, STATUS_LIMITS).filter(({ name }) => name.startsWith('model.'))
  expect(lines).toMatchObject([
    { name: 'model.churn', verdict: 'well', text: `${churn} in production for 60 min, by ana; recompute has it` },
    {
      name: 'model.spend',
      verdict: 'unwell',
      text: `${spend} in production for 60 min, by ana; recompute has ${batchIdNumber(churn)} still`,
    },
  ])
})

it('finds with an hour to look at that compaction has not run for longer', async () => {
  const compactionWith = async (ranMinutesAgo: number) => {
    // As CloudWatch: what was measured in the range, and nothing else.
    const metrics: MetricReader = {
      read: async (queries, { fromMs, toMs }) =>
        queries.map(({ name, dimensions }) =>
          name === 'Invocations' && dimensions['FunctionName'] === 'shop-dev-compact'
            ? [point(ranMinutesAgo, 1)].filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
            : [],
        ),
    }
    const archive = memoryObjectStore()
    const ports = { store: memoryCatalogStore(), clock: () => NOW_MS, random: seededRandom(1), sleep: async () => {} }
    const readings = await readStatus(
      {
        functions: { ...functions, find: async () => ({ updatedMs: NOW_MS - 48 * HOUR_MS }) },
        metrics,
        catalog: catalog({ ...ports, objects: archive }),
        archive,
      },
      QUESTION,
    )
    return judge(readings, STATUS_LIMITS).find(({ name }) => name === 'compaction')
  }
  expect(await compactionWith(180)).toMatchObject({ verdict: 'unwell', text: 'did not run in 2.1 h' })
  expect(await compactionWith(125)).toMatchObject({ verdict: 'well', text: 'no hours left behind' })
})
