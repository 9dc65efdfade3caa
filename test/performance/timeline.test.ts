import { describe, expect, it } from 'vitest'
import { catalog as catalogOn } from '../../src/catalog/catalog.ts'
import { event } from '../../src/event/contract.ts'
import { flag, number } from '../../src/event/field.ts'
import { count, sum } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { model } from '../../src/model/define.ts'
import { deployMarks, modelMarks } from '../../src/performance/timeline.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { describePipeline } from '../../src/predictions/definitions.ts'
import { recordDefinitions } from '../../src/predictions/definitions-table.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'

const DAY = 86_400_000

function team({
  lateness = '1h',
  within = '7d',
  more = false,
}: Partial<{ lateness: '1h' | '2h'; within: '7d' | '9d'; more: boolean }>) {
  const order = event('order', {
    id: 'id',
    user: 'user',
    time: 'at',
    lateness,
    fields: { amount: number(), gift: flag() },
  })
  const set = features({ orders: count(order, { within }), ...(more ? { spent: sum(order, 'amount') } : {}) })
  const churn = model('churn', { from: set, inputs: ['orders'], owner: 'ana' })
  return describePipeline(compilePipeline(pipeline({ name: 'shop', events: [order], features: set, models: [churn] })))
}

/** A deploy of each on the days 1, 2, 3 …. */
async function deployed(...definitions: readonly ReturnType<typeof team>[]) {
  let clock = 0
  const ports = { store: memoryCatalogStore(), objects: memoryObjectStore(), sleep: async () => undefined }
  const catalog = catalogOn({ ...ports, clock: () => clock, random: seededRandom(1) })
  const bytes = () => ({ typical: 1, worst: 1, dollarsPerMillionEvents: 1, states: {} })
  for (const [index, each] of definitions.entries()) {
    clock = (index + 1) * DAY
    const why = `deploy ${index + 1}`
    await recordDefinitions(catalog, { stage: 'dev', definitions: each, release: '1.0.0', bytes, who: 'ana', why })
  }
  const marks = (fromMs: number, toMs: number) =>
    deployMarks(catalog, { pipeline: 'shop', stage: 'dev', model: 'churn' }, { fromMs, toMs })
  return { marks }
}

describe('deployMarks', () => {
  it('says of each deploy what it changed, and marks a change of a contract', async () => {
    const { marks } = await deployed(team({}), team({ more: true }), team({ more: true, lateness: '2h' }))
    expect(await marks(0, 9 * DAY)).toMatchObject([
      { at: DAY, kind: 'deploy', text: 'deploy 1 (the first that is recorded)' },
      { at: 2 * DAY, kind: 'deploy', text: 'deploy 2: 1 feature added' },
      { at: 3 * DAY, kind: 'contract', text: 'deploy 3: order lateness 1h → 2h', who: 'ana' },
    ])
  })

  it('names an input of the model that is another one', async () => {
    const { marks } = await deployed(team({}), team({ within: '9d' }))
    const [, second] = await marks(0, 9 * DAY)
    expect(second).toMatchObject({ kind: 'deploy' })
    expect(second?.text).toContain('its input orders is defined otherwise')
    expect(second?.text).toContain('1 feature changed')
  })

  it('holds the first of a time against the one before it, and leaves out what is before and after', async () => {
    const { marks } = await deployed(team({}), team({ more: true }), team({ more: true, lateness: '2h' }), team({}))
    expect(await marks(2.5 * DAY, 4 * DAY)).toMatchObject([{ at: 3 * DAY, text: 'deploy 3: order lateness 1h → 2h' }])
    expect(await marks(5 * DAY, 9 * DAY)).toEqual([])
  })
})

describe('modelMarks', () => {
  it('are the entries of the log within the time', () => {
    const entry = { kind: 'rollback', batchId: 'b1', who: 'ana', why: 'worse', token: '' } as const
    const log = [3, 2, 1].map(number => ({ ...entry, number, at: number * DAY }))
    expect(modelMarks(log, { fromMs: 2 * DAY, toMs: 3 * DAY })).toEqual([
      { at: 2 * DAY, kind: 'rollback', batchId: 'b1', who: 'ana', text: 'worse' },
    ])
  })
})
