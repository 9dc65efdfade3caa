import { describe, expect, it } from 'vitest'
import { catalog as catalogOn } from '../../src/catalog/catalog.ts'
import { storeRows } from '../../src/catalog/table-rows.ts'
import type { ReadSpill } from '../../src/performance/judged.ts'
import { snapshotInstantMs, SnapshotPredictions } from '../../src/performance/snapshot-predictions.ts'
import { userBucket } from '../../src/platform/hash.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { planSpills } from '../../src/predictions/spill.ts'
import { takeSnapshot } from '../../src/snapshot/take-snapshot.ts'
import { spillStore } from '../../src/store/spill-store.ts'
import { memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { START } from '../features/factories.ts'
import { countingPredictor, harness, orderRecord, shop } from '../recompute/harness.ts'
import { longValue, TEST_KEY } from '../recompute/spill-harness.ts'
import { listOf } from './performance-world.ts'

const DAY = 86_400_000
const USERS = Array.from({ length: 80 }, (_, index) => `user-${index}`)
const NOON = Math.ceil(START / DAY) * DAY + DAY / 2
const DAY_NUMBER = Math.floor(NOON / DAY)

/** One order of each user, and a snapshot of each of two days at noon. */
async function world() {
  const run = harness()
  await run.deliver(USERS.map((user, index) => orderRecord(index, index + 1, { user })))
  const objects = memoryObjectStore()
  let clock = NOON
  const ports = { store: memoryCatalogStore(), objects, random: seededRandom(3), sleep: async () => undefined }
  const catalog = catalogOn({ ...ports, clock: () => clock++ })
  const snapshot = { compiled: compilePipeline(shop), users: run.users, predictor: countingPredictor([]), catalog }
  const take = (instantMs: number) => takeSnapshot(snapshot, { instantMs, who: 'test', why: 'nightly' })
  await take(NOON)
  await take(NOON + DAY)
  const predictions = new SnapshotPredictions({ catalog, db: 'shop', model: 'churn', output: 'orders' })
  return { run, take, objects, catalog, predictions }
}

describe('SnapshotPredictions', () => {
  it('has what the snapshots of the days say of the users of the bucket, as of the instant of each', async () => {
    const { predictions } = await world()
    const bucket = userBucket('user-1')
    const own = USERS.filter(user => userBucket(user) === bucket)
    const found = await listOf(predictions.bucket(bucket, [DAY_NUMBER, DAY_NUMBER + 1, DAY_NUMBER + 2], undefined))
    expect(found).toEqual(
      [NOON, NOON + DAY].flatMap(at =>
        own.toSorted().map(userId => ({ userId, at, batchId: 'b1', value: 1, isGone: false })),
      ),
    )
  })

  it('reads the parts of that bucket and of those days alone, and each manifest once', async () => {
    const { predictions, objects } = await world()
    const buckets = [...new Set(USERS.map(userBucket))].slice(0, 2)
    const before = objects.calls.get
    for (const bucket of buckets) await listOf(predictions.bucket(bucket, [DAY_NUMBER + 1, DAY_NUMBER + 9], undefined))
    expect(predictions.partsRead).toBe(2)
    expect(objects.calls.get - before).toBe(3)
  })

  it('leaves out users that are not asked for', async () => {
    const { predictions } = await world()
    const found = await listOf(predictions.bucket(userBucket('user-1'), [DAY_NUMBER], new Set(['user-1', 'nobody'])))
    expect(found.map(({ userId }) => userId)).toEqual(['user-1'])
  })

  it('has a user whose newest event is after the instant as of that event', async () => {
    const { run, take, predictions } = await world()
    await run.deliver([orderRecord('new', 900, { user: 'user-1', ts: NOON + 1000 })])
    await take(NOON)
    const found = await listOf(predictions.bucket(userBucket('user-1'), [DAY_NUMBER], new Set(['user-1'])))
    expect(found).toMatchObject([{ at: NOON + 1000, value: 2 }])
  })

  it('says that there is no value where the model or the output is another one', async () => {
    const { catalog } = await world()
    for (const asked of [
      { model: 'other', output: 'orders' },
      { model: 'churn', output: 'other' },
    ]) {
      const predictions = new SnapshotPredictions({ catalog, db: 'shop', ...asked })
      const [first] = await listOf(predictions.bucket(userBucket('user-1'), [DAY_NUMBER], undefined))
      expect(first?.value).toBeUndefined()
    }
  })

  it('looks through parts that are not named by bucket', async () => {
    const { catalog, predictions } = await world()
    const day = { db: 'shop', table: 'users', partition: `day=${new Date(NOON + 2 * DAY).toISOString().slice(0, 10)}` }
    const rows = ['user-1', 'user-2'].map(user_id => {
      return {
        user_id,
        as_of: NOON,
        version: 1,
        predictions: { churn: { status: 'ok', batchId: 'b1', value: { orders: 7 } } },
      }
    })
    await storeRows(catalog, day, { rows, who: 'ana', why: 'by hand' })
    const found = await listOf(predictions.bucket(userBucket('user-1'), [DAY_NUMBER + 2], undefined))
    expect(found).toMatchObject([{ userId: 'user-1', value: 7 }])
  })
})

describe('rows whose values lie elsewhere', () => {
  const LONG = USERS.slice(0, 40)
  const INFLIGHT_MAX = 16

  /** A day of rows as items have them: the value of each is an object, a number of its own in each. */
  async function spilledWorld() {
    const { objects, catalog } = await world()
    const spills = spillStore({ objects, newKey: () => TEST_KEY })
    const rows = []
    for (const [index, user_id] of LONG.entries()) {
      const churn = { status: 'ok', batchId: 'b1', value: longValue(index) } as const
      const body = { predictions: { asOf: NOON, models: { churn } }, models: { churn: 'b1' } }
      const plan = planSpills(user_id, body, { key: TEST_KEY })
      for (const spill of plan.spills) await spills.write(spill)
      rows.push({ user_id, as_of: NOON, version: 1, predictions: { ...plan.predicted.predictions.models } as never })
    }
    const day = { db: 'shop', table: 'users', partition: `day=${new Date(NOON + 2 * DAY).toISOString().slice(0, 10)}` }
    await storeRows(catalog, day, { rows, who: 'ana', why: 'by hand' })
    const running = { now: 0, most: 0 }
    const readSpill: ReadSpill = async spilled => {
      running.most = Math.max(running.most, ++running.now)
      try {
        await new Promise(resolve => setImmediate(resolve))
        return await spills.read(spilled)
      } finally {
        running.now--
      }
    }
    const output = 'scores.class-7'
    const predictions = new SnapshotPredictions({ catalog, db: 'shop', model: 'churn', output, readSpill })
    const all = () => listOf(predictions.bucket(userBucket(LONG[0] ?? ''), [DAY_NUMBER + 2], new Set(LONG)))
    return { objects, all, running }
  }

  it('has their numbers, read a few at a time', async () => {
    const { all, running } = await spilledWorld()
    const byUser = new Map((await all()).map(one => [one.userId, one]))
    for (const [index, userId] of LONG.entries()) {
      expect(byUser.get(userId)).toMatchObject({ userId, batchId: 'b1', value: index + 0.007, isGone: false })
    }
    expect(running.most).toBeGreaterThan(1)
    expect(running.most).toBeLessThanOrEqual(INFLIGHT_MAX)
  })

  it('says of one that was swept, or is another than the row says, that it is gone', async () => {
    const { objects, all } = await spilledWorld()
    const [first, second, third] = [...objects.objects.keys()].filter(key => key.startsWith('spill/'))
    if (first === undefined || second === undefined || third === undefined) throw new Error('no objects')
    objects.objects.delete(first)
    objects.objects.set(second, objects.objects.get(third) ?? Buffer.from(''))
    const found = await all()
    const gone = found.filter(({ isGone }) => isGone)
    expect(gone).toHaveLength(2)
    expect(gone.every(({ value, batchId }) => value === undefined && batchId === 'b1')).toBe(true)
    expect(found.filter(({ value }) => value !== undefined)).toHaveLength(LONG.length - 2)
  })
})

describe('snapshotInstantMs', () => {
  it('is the instant that a snapshot names, or when it was written', () => {
    const createdAt = '2001-03-02T04:00:00.000Z'
    expect(snapshotInstantMs({ why: 'nightly, at 2001-03-02T03:00:00.000Z', createdAt })).toBe(Date.UTC(2001, 2, 2, 3))
    expect(snapshotInstantMs({ why: 'nightly, at last', createdAt })).toBe(Date.UTC(2001, 2, 2, 4))
    expect(snapshotInstantMs({ why: 'by hand', createdAt })).toBe(Date.UTC(2001, 2, 2, 4))
  })
})
