// Orders of two weeks through the real recompute, a snapshot each midnight, two versions one after the other; outcomes are whether an
// order was a gift. What is reported is held against what a GET would have answered, computed from the orders themselves.
import { describe, expect, it } from 'vitest'
import { catalog as catalogOn } from '../../src/catalog/catalog.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { model } from '../../src/model/define.ts'
import { modelRef } from '../../src/model/model-refs.ts'
import { modelPerformance, type PerformanceAsked } from '../../src/performance/model-performance.ts'
import type { Pair } from '../../src/performance/metrics.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import type { PinnedPredictor } from '../../src/predictions/predictor.ts'
import { takeSnapshot } from '../../src/snapshot/take-snapshot.ts'
import { memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { memoryHistory } from '../fakes/memory-history.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { customer, order, START, visit } from '../features/factories.ts'
import { manifestOf } from '../model/factories.ts'
import { harness, rawRecord } from '../recompute/harness.ts'
import { recordKey } from '../../src/replay/counted-events.ts'
import { slowAuc } from './slow-metrics.ts'
import { each, inSpoolDir } from './performance-world.ts'

const [HOUR, DAY] = [3_600_000, 86_400_000]
const FIRST = Math.ceil(START / DAY) * DAY
const DAYS = 14
/** The second version is current from noon of the eighth day on. */
const SWITCH = FIRST + 7.5 * DAY

const churn = model('churn', { from: customer, inputs: ['ordersEver', 'orders1d'], owner: 'ana' })
const compiled = compilePipeline(
  pipeline({ name: 'shop', events: [order, visit], features: customer, models: [churn] }),
)

interface Bought {
  readonly user: string
  readonly ts: number
  readonly gift: boolean
}

const random = seededRandom(11)
const ORDERS: readonly Bought[] = [
  ...Array.from({ length: 160 }, () => ({
    user: `user-${Math.floor(random() * 6)}`,
    ts: FIRST + Math.floor(random() * DAYS * DAY),
    gift: random() < 0.4,
  })),
  // At the instant of a snapshot, which has not stood before it; and a millisecond after the second version became current.
  { user: 'user-0', ts: FIRST + 6 * DAY, gift: true },
  { user: 'user-0', ts: SWITCH + 1, gift: true },
].toSorted((a, b) => a.ts - b.ts)

const RECORDS: readonly StreamRecord[] = ORDERS.map(({ user, ts, gift }, index) => {
  const at = new Date(ts).toISOString()
  const payload = {
    type: 'order.placed',
    orderId: `${index}`,
    customer: { id: user },
    placedAt: at,
    amount: 1,
    channel: 'web',
    gift,
  }
  return rawRecord(payload, index + 1, user, ts)
})

/** Of another type: it is no outcome. */
const VISIT = rawRecord(
  { type: 'site.visited', visitId: 'v', customer: 'user-1', at: new Date(FIRST + DAY).toISOString(), seconds: 5 },
  RECORDS.length + 1,
  'user-1',
  FIRST + DAY,
)

/** The first version says how many orders there were, the second how few. */
function score(batchId: string, orders: number): number {
  const share = orders / (orders + 5)
  return batchId === BATCHES.first ? share : 1 - share
}

const BATCHES = { first: '', second: '' }

/** Made once: nothing below writes to it. */
let made: ReturnType<typeof makeWorld> | undefined
const world = (): ReturnType<typeof makeWorld> => (made ??= makeWorld())

async function makeWorld() {
  const clock = { nowMs: FIRST }
  const ports = { store: memoryCatalogStore(), objects: memoryObjectStore(), sleep: async () => undefined }
  const catalog = catalogOn({ ...ports, clock: () => clock.nowMs, random: seededRandom(1) })
  await catalog.createTable(modelRef('churn'), { columns: [], format: 'zip', owner: 'ana' })
  const publish = async (why: string): Promise<string> => {
    const parts = [{ name: 'part-model', body: Buffer.from(why), rows: 1 }]
    return (await catalog.store(modelRef('churn'), { parts, who: 'ana', why })).batchId
  }
  BATCHES.first = await publish('first')
  const run = harness({ compiled })
  let current = BATCHES.first
  for (let midnight = FIRST + DAY; midnight <= FIRST + DAYS * DAY; midnight += DAY) {
    const due = RECORDS.filter(({ arrivalMs }) => arrivalMs >= midnight - DAY && arrivalMs < midnight)
    if (due.length > 0) await run.deliver(due)
    if (midnight > SWITCH && BATCHES.second === '') {
      clock.nowMs = SWITCH
      BATCHES.second = await publish('second')
      current = BATCHES.second
    }
    clock.nowMs = midnight
    const predictor = pinned({ churn: current })
    const deps = { compiled, users: run.users, catalog }
    const live = { ...predictor, pinned: async () => predictor, production: async () => ({ churn: current }) }
    await takeSnapshot({ ...deps, predictor: live }, { instantMs: midnight, who: 'test', why: 'nightly' })
  }
  return { catalog }
}

function pinned(versions: Readonly<Record<string, string>>): PinnedPredictor {
  const batchId = versions['churn'] ?? ''
  return {
    predict: async bodies =>
      bodies.map(({ asOf, values }) => {
        const value = { probability: score(batchId, Number(values['ordersEver'])) }
        return { models: versions, predictions: { asOf, models: { churn: { status: 'ok', batchId, value } } } }
      }),
  }
}

async function report(changes: Partial<PerformanceAsked>, openLetters: ReadonlySet<string> = new Set()) {
  const { catalog } = await world()
  const asked: PerformanceAsked = {
    model: churn,
    metric: 'auc',
    by: 'day',
    source: { kind: 'events', type: 'order.placed', field: 'gift' },
    outcomes: 'order.placed.gift',
    way: 'snapshots',
    horizonMs: 2 * DAY,
    ...changes,
  }
  return inSpoolDir(spoolDir =>
    modelPerformance(asked, {
      compiled,
      stage: 'dev',
      catalog,
      spoolDir,
      manifestOf: async () => manifestOf(new Uint8Array()),
      predictWith: async versions => pinned(versions),
      openArchived: async () => ({
        compiled,
        spoolDir,
        history: memoryHistory([...RECORDS, VISIT]),
        openLetters: async () => openLetters,
        accepted: async () => new Map(),
      }),
    }),
  )
}

/** How many orders of the user there were up to an instant, it included. */
function ordersUpTo(user: string, ms: number): number {
  return ORDERS.filter(each => each.user === user && each.ts <= ms).length
}

function pairsBy(of: (bought: Bought) => { readonly batchId: string; readonly orders: number } | undefined) {
  const groups = new Map<string, Pair[]>()
  for (const bought of ORDERS) {
    const found = of(bought)
    if (found === undefined) continue
    const pair = { prediction: score(found.batchId, found.orders), label: bought.gift ? 1 : 0, weight: 1 }
    groups.set(found.batchId, [...(groups.get(found.batchId) ?? []), pair])
  }
  return groups
}

describe('modelPerformance', () => {
  it('holds each outcome against the snapshot that stood for it', async () => {
    const found = await report({})
    const expected = pairsBy(({ user, ts }) => {
      const midnight = Math.floor((ts - 1) / DAY) * DAY
      // A user of whom nothing is known is in no snapshot.
      const orders = midnight <= FIRST ? 0 : ordersUpTo(user, midnight - 1)
      return orders === 0 ? undefined : { orders, batchId: midnight > SWITCH ? BATCHES.second : BATCHES.first }
    })
    expect(found.versions.map(({ batchId }) => batchId)).toEqual([BATCHES.first, BATCHES.second])
    for (const { batchId, outcomes, realised } of found.versions) {
      const pairs = expected.get(batchId) ?? []
      expect(outcomes).toBe(pairs.length)
      expect(realised?.value).toBeCloseTo(slowAuc(pairs).value, 9)
    }
    const joined = [...expected.values()].flat().length
    expect(found.counts).toMatchObject({
      outcomes: ORDERS.length,
      joined,
      withoutPrediction: ORDERS.length - joined,
      withoutLabel: 0,
    })
    expect(found).toMatchObject({ way: 'snapshots', horizonMs: 2 * DAY, output: 'probability' })
  })

  it('replays what the version of then would have said just before each outcome', async () => {
    const found = await report({ way: 'replayed' })
    const expected = pairsBy(({ user, ts }) => {
      return { orders: ordersUpTo(user, ts - 1), batchId: ts - 1 >= SWITCH ? BATCHES.second : BATCHES.first }
    })
    for (const { batchId, outcomes, realised } of found.versions) {
      const pairs = expected.get(batchId) ?? []
      expect(outcomes).toBe(pairs.length)
      expect(realised?.value).toBeCloseTo(slowAuc(pairs).value, 9)
    }
    expect(found.counts).toMatchObject({ joined: ORDERS.length, withoutPrediction: 0 })
    expect(found).toMatchObject({ way: 'replayed', horizonMs: null })
  })

  it('has what training said beside it, and what made each version current', async () => {
    const { versions, marks } = await report({ by: 'week' })
    expect(versions[0]?.training).toEqual([{ slice: 'all', value: 0.71 }])
    expect(marks.map(({ at, kind, text }) => [at, kind, text])).toEqual([
      [FIRST, 'commit', 'first'],
      [SWITCH, 'commit', 'second'],
    ])
  })

  it('takes outcomes from rows, and only those of the time that is asked for', async () => {
    const rows = [0, 1, 2, 3].map(day => ({
      userId: 'user-1',
      time: FIRST + (4 + day) * DAY + HOUR,
      label: day % 2,
      weight: 1,
    }))
    const [fromMs, toMs] = [FIRST + 5 * DAY, FIRST + 7 * DAY]
    const { counts, periods } = await report({ source: { kind: 'rows', rows: () => each(rows) }, fromMs, toMs })
    expect(counts).toMatchObject({ outcomes: 2, outsideTime: 2, joined: 2 })
    expect(periods.map(({ start, meanSeen }) => [start, meanSeen])).toEqual([
      [fromMs, 1],
      [fromMs + DAY, 0],
    ])
  })

  it('counts no outcome whose record has an open dead letter', async () => {
    const [letter] = RECORDS
    if (letter === undefined) throw new Error('no records')
    const { counts } = await report({}, new Set([recordKey(letter)]))
    expect(counts.outcomes).toBe(ORDERS.length - 1)
  })

  it('refuses a field that is not there and an output that is not there, with those that are', async () => {
    const wrongField = report({ source: { kind: 'events', type: 'order.placed', field: 'gifts' } })
    await expect(wrongField).rejects.toMatchObject({
      code: 'outcome-field-unknown',
      next: expect.stringContaining('gift'),
    })
    await expect(report({ output: 'score' })).rejects.toMatchObject({
      code: 'output-unknown',
      next: 'It has: probability.',
    })
    const amounts = report({ source: { kind: 'events', type: 'order.placed', field: 'points' }, metric: 'mae' })
    expect((await amounts).counts.withoutLabel).toBe(ORDERS.length)
  })
})
