import { inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { ModelInput } from '../../src/model/artifact-manifest.ts'
import { distributionOf } from '../../src/model/distribution.ts'
import { model } from '../../src/model/define.ts'
import type { ModelSession } from '../../src/model/model-session.ts'
import { count } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { compileFeatures, type FeaturesPlan } from '../../src/features/plan.ts'
import type { PredictionsBody } from '../../src/predictions/evaluated-user.ts'
import { modelPredictor } from '../../src/predictions/model-predictor.ts'
import { manifestOf } from '../model/factories.ts'
import { catalog } from '../../src/catalog/catalog.ts'
import { loadRows } from '../../src/catalog/table-rows.ts'
import { DAY_MS } from '../../src/platform/duration.ts'
import { userBucket } from '../../src/platform/hash.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { evaluateUser } from '../../src/serve/evaluate-user.ts'
import { type SnapshotDependencies, takeSnapshot } from '../../src/snapshot/take-snapshot.ts'
import { toAttributes } from '../../src/store/dynamodb-attributes.ts'
import { isCorrupt } from '../../src/store/user-item.ts'
import { memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { customer, order, START } from '../features/factories.ts'
import { typicalItem } from '../store/item-factory.ts'
import { countingPredictor, type Harness, harness, orderRecord, shop } from '../recompute/harness.ts'

const USERS = 150
const INSTANT = START + 40 * DAY_MS
const REQUEST = { instantMs: INSTANT, who: 'test', why: 'nightly' }

interface World extends Harness {
  readonly snapshot: SnapshotDependencies
  readonly objects: ReturnType<typeof memoryObjectStore>
  /** Set to have this write of the catalogue or of the objects die. */
  dies: (write: string) => boolean
}

async function world(): Promise<World> {
  const run = harness()
  await run.deliver(
    Array.from({ length: USERS * 2 }, (_, index) => orderRecord(index, index + 1, { user: `user-${index % USERS}` })),
  )
  const death = { dies: (_write: string): boolean => false }
  const fault = ({ operation, key }: { operation: string; key: string }): void => {
    if (operation === 'create' && death.dies(key)) throw new Error('killed')
  }
  const objects = memoryObjectStore({ fault })
  let clock = INSTANT
  const ports = {
    store: memoryCatalogStore(fault),
    objects,
    clock: () => clock++,
    random: seededRandom(3),
    sleep: async () => undefined,
  }
  const snapshot = {
    compiled: compilePipeline(shop),
    users: run.users,
    predictor: countingPredictor([]),
    catalog: catalog(ports),
  }
  return Object.assign(death, run, { snapshot, objects })
}

/** A version whose score is its input; `onRun` is what happens while it runs. */
function versionOf(batchId: string, onRun?: () => void): ModelSession {
  const ordersEver = compileFeatures(customer).features.find(feature => feature.name === 'ordersEver')
  const input = { name: 'ordersEver', type: 'number', missing: 0, fingerprint: ordersEver?.fingerprint } as ModelInput
  return {
    name: 'churn',
    batchId,
    manifest: {
      ...manifestOf(new Uint8Array()),
      inputs: [input],
      outputs: [{ name: 'score', kind: 'number', tensor: 'y', column: 0 }],
    },
    run: async ({ columns }) => {
      onRun?.()
      return { outputs: [Float64Array.from(columns[0] ?? [], Number)], refusals: new Map() }
    },
  }
}

async function rowsOf(
  { snapshot }: World,
  ref: { db: string; table: string; partition: string },
): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for await (const row of loadRows(snapshot.catalog, ref)) rows.push(row)
  return rows
}

describe('takeSnapshot', () => {
  it('has every user once, as a GET of that instant answers, in parts by bucket', async () => {
    const run = await world()
    const report = await takeSnapshot(run.snapshot, REQUEST)
    expect(report).toMatchObject({
      db: 'shop',
      table: 'users',
      partition: 'day=2024-04-05',
      users: USERS,
      corruptItems: 0,
      usersAfterInstant: 0,
    })
    const rows = await rowsOf(run, report)
    expect(new Set(rows.map(row => row['user_id'])).size).toBe(USERS)
    for (const row of rows.slice(0, 20)) {
      const item = await run.users.load(String(row['user_id']))
      if (item === undefined || isCorrupt(item)) throw new Error('no item')
      const { features, predictions } = await evaluateUser(item, INSTANT, run.snapshot)
      expect(row).toMatchObject({
        ...features.values,
        as_of: features.asOf,
        version: item.v,
        predictions: predictions.models,
      })
      expect(row['orders30d']).toBe(0)
      expect(row['ordersEver']).toBe(2)
    }
    const parts = [...run.objects.objects.keys()].filter(key => key.includes('/part-'))
    const buckets = new Set(rows.map(row => userBucket(String(row['user_id']))))
    expect(parts.map(key => Number(/part-(\d\d)-/.exec(key)?.[1])).sort((a, b) => a - b)).toEqual(
      [...buckets].sort((a, b) => a - b),
    )
  })

  it('evaluates a user whose newest event is later than the instant at that event, and counts it', async () => {
    const run = await world()
    await run.deliver([orderRecord('late', 9000, { user: 'user-1', ts: INSTANT + DAY_MS })])
    const report = await takeSnapshot(run.snapshot, REQUEST)
    expect(report.usersAfterInstant).toBe(1)
    const row = (await rowsOf(run, report)).find(each => each['user_id'] === 'user-1')
    expect(row).toMatchObject({ as_of: INSTANT + DAY_MS, orders30d: 1, ordersEver: 3 })
  })

  it('does not count a user whose newest event is at the instant itself', async () => {
    const run = await world()
    await run.deliver([orderRecord('now', 9000, { user: 'user-1', ts: INSTANT })])
    expect(await takeSnapshot(run.snapshot, REQUEST)).toMatchObject({ users: USERS, usersAfterInstant: 0 })
  })

  it('has the users of a bucket in the order of their ids', async () => {
    const run = await world()
    const ids = (await rowsOf(run, await takeSnapshot(run.snapshot, REQUEST))).map(row => String(row['user_id']))
    const ordered = ids.toSorted((a, b) => userBucket(a) - userBucket(b) || (a < b ? -1 : 1))
    expect(ids).toEqual(ordered)
  })

  it('says of each user what is not complete yet, and null where all is', async () => {
    const run = await world()
    const set = features({ ...customer.features, gifts90d: count(order, { within: '90d', where: { gift: true } }) })
    const compiled = compilePipeline(pipeline({ name: 'shop', events: shop.events, features: set, models: [] }))
    const rows = await rowsOf(run, await takeSnapshot({ ...run.snapshot, compiled }, REQUEST))
    expect(rows.every(row => row['gifts90d'] === null)).toBe(true)
    expect(rows.map(row => row['pending'])).toEqual(rows.map(() => ({ gifts90d: 'backfilling' })))
    const complete = await world()
    const today = await rowsOf(complete, await takeSnapshot(complete.snapshot, REQUEST))
    expect(today.every(row => row['pending'] === null)).toBe(true)
  })

  it('weighs state, features and predictions, as stored and as the JSON that they are', async () => {
    const run = await world()
    const report = await takeSnapshot(run.snapshot, REQUEST)
    const blobs = run.users.items().flatMap(item => (isCorrupt(item) ? [] : [item.st, item.ft, item.pr]))
    const bytesOf = (list: readonly Uint8Array[]): number => list.reduce((total, { length }) => total + length, 0)
    expect(report.storedBytes).toBe(bytesOf(blobs))
    expect(report.plainBytes).toBe(bytesOf(blobs.map(blob => inflateSync(blob))))
  })

  it('fails as a whole where a user cannot be evaluated for another reason than the item', async () => {
    const run = await world()
    const states = {
      values: () => {
        throw new TypeError('a defect')
      },
    }
    const plan = { ...run.snapshot.compiled.features, states } as unknown as FeaturesPlan
    const compiled = { ...run.snapshot.compiled, features: plan }
    await expect(takeSnapshot({ ...run.snapshot, compiled }, REQUEST)).rejects.toThrow('a defect')
  })

  it('has a bucket of many users in several parts, and all of them', async () => {
    const run = await world()
    const item = await run.users.load('user-1')
    if (item === undefined || isCorrupt(item)) throw new Error('no item')
    const pages = [Array.from({ length: 10_000 }, () => item), [item]]
    const users = {
      ...run.users,
      scan: async function* (segment: number) {
        if (segment === 0) yield* pages
      },
    }
    const report = await takeSnapshot({ ...run.snapshot, users }, REQUEST)
    expect(report.users).toBe(10_001)
    expect(await rowsOf(run, report)).toHaveLength(10_001)
  })

  it('leaves out items that cannot be read, says so, and leaves them as they are', async () => {
    const run = await world()
    run.users.plant({ ...run.users.raw('user-7'), st: { B: Buffer.from('torn') } })
    run.users.plant({ ...run.users.raw('user-8'), asOf: { S: 'today' } })
    // Whole by its checksums, and nothing that a fold writes.
    const [stateKey = ''] = run.snapshot.compiled.features.states.keys()
    for (const [index, entry] of [null, 'all', { d: [1] }, { d: {} }].entries()) {
      run.users.plant(toAttributes(typicalItem(`user-${20 + index}`, { state: JSON.stringify({ [stateKey]: entry }) })))
    }
    const planted = run.users.items()
    const report = await takeSnapshot(run.snapshot, REQUEST)
    expect(report).toMatchObject({ users: USERS - 6, corruptItems: 6 })
    expect(run.users.items()).toEqual(planted)
  })

  it('is made with one version of each model, whatever is published meanwhile', async () => {
    const run = await world()
    let current = versionOf('v1', () => (current = versionOf('v2')))
    const withModel = compilePipeline({
      ...shop,
      models: [model('churn', { from: customer, inputs: ['ordersEver'], owner: 'ana' })],
    })
    const predictor = modelPredictor(withModel, name => ({
      name,
      session: async () => current,
      batchId: async () => current.batchId,
    }))
    const report = await takeSnapshot({ ...run.snapshot, compiled: withModel, predictor }, REQUEST)
    const versions = (await rowsOf(run, report)).map(row => (row['predictions'] as PredictionsBody['models'])['churn'])
    expect(versions).toEqual(
      Array.from({ length: USERS }, () => ({
        status: 'ok',
        inputs: expect.any(String),
        batchId: 'v1',
        value: { score: 2 },
      })),
    )
    expect(await predictor.production()).toEqual({ churn: 'v2' })
  })

  it('says how far what models are asked and answer has moved since training, in the report and in the manifest', async () => {
    const run = await world()
    const session = versionOf('v1')
    const distribution = distributionOf([2, 2, 2, 2], 'number')
    const [input] = session.manifest.inputs.map(each => ({ ...each, distribution }))
    if (input === undefined) throw new Error('no input')
    const held = { ...session, manifest: { ...session.manifest, inputs: [input] } }
    const withModel = compilePipeline({
      ...shop,
      models: [model('churn', { from: customer, inputs: ['ordersEver'], owner: 'ben' })],
    })
    const predictor = modelPredictor(withModel, name => ({
      name,
      session: async () => held,
      batchId: async () => held.batchId,
    }))
    const report = await takeSnapshot({ ...run.snapshot, compiled: withModel, predictor }, REQUEST)
    expect(report.drift).toMatchObject([
      {
        model: 'churn',
        batchId: 'v1',
        owner: 'ben',
        inputs: [{ name: 'ordersEver', psi: 0, reading: 'steady', counted: USERS }],
        outputs: [{ name: 'score', psi: null, reading: 'unknown', counted: USERS }],
      },
    ])
    const { manifest } = await run.snapshot.catalog.load(report)
    expect(manifest.properties).toMatchObject({ instant: '2024-04-05T00:00:00.000Z', drift: report.drift })
  })

  it('killed before its log entry leaves readers with the batch before; the next run commits', async () => {
    const run = await world()
    const first = await takeSnapshot(run.snapshot, REQUEST)
    await run.deliver([orderRecord('new', 9000, { user: 'user-1', ts: START + 20 * DAY_MS })])
    run.dies = write => write.startsWith('log#')
    await expect(takeSnapshot(run.snapshot, REQUEST)).rejects.toThrow('killed')
    run.dies = () => false
    expect((await run.snapshot.catalog.load(first)).entry.batchId).toBe(first.entry.batchId)
    expect((await rowsOf(run, first)).find(row => row['user_id'] === 'user-1')).toMatchObject({ ordersEver: 2 })
    const third = await takeSnapshot(run.snapshot, REQUEST)
    expect((await rowsOf(run, third)).find(row => row['user_id'] === 'user-1')).toMatchObject({ ordersEver: 3 })
    expect((await run.snapshot.catalog.history(first)).map(entry => entry.batchId)).toEqual([
      third.entry.batchId,
      first.entry.batchId,
    ])
  })

  it('reads items and writes none', async () => {
    const run = await world()
    run.users.resetCounters()
    await takeSnapshot(run.snapshot, REQUEST)
    expect(run.users.counters).toMatchObject({ puts: 0, loadCalls: 0, loadManyCalls: 0 })
    expect(run.users.counters.scanPages).toBeGreaterThan(0)
  })
})
