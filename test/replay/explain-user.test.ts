import { describe, expect, it } from 'vitest'
import { compileFeatures } from '../../src/features/plan.ts'
import { evaluateFeatures } from '../../src/features/evaluate.ts'
import { foldState } from '../../src/features/state.ts'
import { writeDeadLetters } from '../../src/archive/dead-letters.ts'
import { customer } from '../features/factories.ts'
import { orderRecord } from '../recompute/harness.ts'
import { entry, explain, fewOrders, hour, papersOf, VERSIONS } from './explain-world.ts'

const MINUTE = 60_000

describe('explain', () => {
  it('gives the values of the fold over what had arrived by then, each with its events', async () => {
    const world = await fewOrders()
    for (const atMs of [hour(2) + MINUTE, hour(26), hour(41), hour(24 * 40)]) {
      const { moment } = await explain(world, { atMs })
      const plan = compileFeatures(customer)
      const events = moment.events
      const folded = foldState({ plan, state: undefined, previousAt: undefined, previousVersion: undefined, events })
      const { values } = evaluateFeatures(plan, folded.state, folded.at, atMs)
      expect(Object.fromEntries(moment.features.map(({ name, value }) => [name, value]))).toEqual(values)
    }
  })

  it('knows an event from its arrival on', async () => {
    const world = await fewOrders()
    const countAt = async (atMs: number) => (await explain(world, { atMs })).moment.events.length
    expect(await countAt(hour(2) + MINUTE - 1)).toBe(1)
    expect(await countAt(hour(2) + MINUTE)).toBe(2)
  })

  it('knows an imported event once its lateness is over, or it was imported', async () => {
    const world = await fewOrders()
    const payload = { ...JSON.parse(text(world.archived[0])), orderId: 'old' } as object
    const importedAt = (batchId: string) => {
      world.imports.splice(0, 1, { batchId, payload, userId: 'ana' })
      return explain(world, { atMs: hour(3) })
    }
    expect((await importedAt('20240225090000-aaaaaaaa')).moment.events).toHaveLength(2)
    expect((await importedAt('20240225020000-aaaaaaaa')).moment.events).toHaveLength(3)
    const { moment } = await explain(world, { atMs: hour(7) })
    expect(moment.events).toHaveLength(4)
  })

  it('names the events that a value is made of', async () => {
    const { moment } = await explain(await fewOrders(), { atMs: hour(26) })
    const part = (name: string) => moment.features.find(feature => feature.name === name)?.evidence[0]
    expect(part('orders1d')?.events.map(({ id }) => id)).toEqual(['1', '2', '3'])
    expect(part('spend90d')).toMatchObject({ sum: 100, events: { length: 4 } })
    expect(part('bigApp7d')?.events).toEqual([])
  })

  it('says what changes next, and to what', async () => {
    const { next } = await explain(await fewOrders(), { atMs: hour(26) })
    expect(next).toEqual({
      atMs: hour(26) + 5 * MINUTE,
      changes: [
        { name: 'orders1d', from: 3, to: 2 },
        expect.objectContaining({ name: 'cheapest1d', from: 20, to: 30 }),
      ],
    })
  })

  it('leaves out what is a dead letter, and says so', async () => {
    const world = await fewOrders()
    const record = { ...orderRecord('late', 100, { ts: hour(1) }), arrivalMs: hour(5) }
    world.archived.push(record)
    expect(await explain(world)).toMatchObject({ setAside: 0, moment: { events: { length: 6 } } })
    await writeDeadLetters(world.archive, [{ record, refusal: { reason: 'late', detail: '' } }])
    expect(await explain(world)).toMatchObject({ setAside: 1, moment: { events: { length: 5 } } })
  })

  it('says that the archive is behind where a user has an item and no event there', async () => {
    const world = await fewOrders()
    world.archived.length = 0
    await expect(explain(world)).rejects.toMatchObject({ code: 'archive-behind' })
  })

  it('refuses a user without any event, and an instant before the first', async () => {
    const world = await fewOrders()
    await expect(explain(world, { userId: 'nobody' })).rejects.toMatchObject({ code: 'user-not-found' })
    await expect(explain(world, { atMs: hour(1) })).rejects.toMatchObject({
      code: 'user-unknown-then',
      message: expect.stringContaining('its first event came at 2024-02-25T01:01:00.000Z'),
    })
  })
})

describe('the models of an explanation', () => {
  it('are the versions that were in production then', async () => {
    const world = await fewOrders()
    const at = async (atMs: number) => (await explain(world, { atMs })).models[0]
    expect(await at(hour(35))).toMatchObject({ entry: { batchId: 'b1' }, prediction: { value: { orders: 4 } } })
    expect(await at(hour(36))).toMatchObject({ entry: { batchId: 'b2' }, prediction: { value: { orders: 5 } } })
    const none = await explain(world, { atMs: hour(3), catalog: { history: async () => [] } })
    expect(none.models).toEqual([{ name: 'churn', entry: undefined, prediction: { status: 'no-model' } }])
  })
})

describe('a version that stands in for the one in production', () => {
  const papersAt = papersOf({ b1: true, b2: false })

  it('serves where that one was trained on other definitions, and the explanation says why', async () => {
    const world = await fewOrders()
    const { models, stored } = await explain(world, { papersAt, nowMs: hour(40) + 2 * MINUTE })
    expect(models).toMatchObject([
      {
        entry: { batchId: 'b2' },
        standIn: { entry: { batchId: 'b1' }, why: expect.stringContaining('orders30d was defined otherwise') },
        prediction: { batchId: 'b1', value: { orders: 5 } },
      },
    ])
    // Stored by b1, and handed out as it is: that is the version that serves.
    expect(stored?.item).toMatchObject({ isExact: true, predictions: [{ version: 'stand-in', isSame: true }] })
  })

  it('is none before the other was in production, where both fit, or where none does', async () => {
    const world = await fewOrders()
    const of = async (changes: Parameters<typeof explain>[1]) => (await explain(world, changes)).models[0]
    expect(await of({ papersAt, atMs: hour(35) })).toMatchObject({ entry: { batchId: 'b1' }, standIn: undefined })
    for (const fits of [{ b1: true, b2: true }, { b1: false, b2: false }, { b2: false }]) {
      expect(await of({ papersAt: papersOf(fits) })).toMatchObject({ entry: { batchId: 'b2' }, standIn: undefined })
    }
    expect((await explain(world, { papersAt: papersOf({ b1: true, b2: true }) })).stored?.item).toMatchObject({
      predictions: [{ version: 'other' }],
    })
  })

  it('stands in for one that is yanked or damaged, too', async () => {
    const { models } = await explain(await fewOrders(), { papersAt: papersOf({ b1: true }) })
    expect(models[0]?.standIn).toMatchObject({ entry: { batchId: 'b1' }, why: 'it is yanked or damaged' })
  })

  it('is among the last five entries of the log, each version once, as for a function', async () => {
    const world = await fewOrders()
    const log = (...names: string[]) => names.map((name, index) => entry(names.length - index, name, hour(10) - index))
    const of = async (...names: string[]) => {
      const catalog = { history: async () => log(...names) }
      return (await explain(world, { papersAt: papersOf({ b1: true, b2: false }), catalog })).models[0]?.standIn
    }
    expect(await of('b2', 'x', 'b2', 'y', 'b1')).toMatchObject({ entry: { batchId: 'b1' } })
    expect(await of('b2', 'x', 'b2', 'y', 'z', 'b1')).toBeUndefined()
  })

  it('is no move to another version where it serves before and after', async () => {
    const { since } = await explain(await fewOrders(), { papersAt, atMs: hour(41), sinceMs: hour(4) })
    const [moved] = since?.movedModels ?? []
    expect(moved).toMatchObject({ from: { prediction: { batchId: 'b1' } }, to: { prediction: { batchId: 'b1' } } })
    expect(moved?.byVersionAlone).toBeUndefined()
  })
})

describe('what is stored, beside an explanation of now', () => {
  it('is what history says, as are the predictions of the versions that it names', async () => {
    const { stored } = await explain(await fewOrders())
    expect(stored).toMatchObject({
      verdict: { kind: 'matched' },
      item: { version: 5, atMs: hour(40), isExact: false, notYetFolded: 0 },
    })
    expect(stored?.item?.predictions).toMatchObject([
      { name: 'churn', isSame: true, stored: { batchId: 'b1', value: { orders: 5 } } },
    ])
  })

  it('is handed out as it is until it expires', async () => {
    const world = await fewOrders()
    const nowMs = hour(40) + 2 * MINUTE
    const catalog = { history: async () => VERSIONS.slice(1) }
    expect((await explain(world, { nowMs, catalog })).stored?.item).toMatchObject({ isExact: true, isFresh: true })
    // A GET evaluates anew what another version made.
    expect((await explain(world, { nowMs })).stored?.item).toMatchObject({ isExact: false, isFresh: true })
  })

  it('differs where a value or a prediction is another one', async () => {
    const world = await fewOrders()
    await world.damage('ana', ({ features, predictions }) => ({
      features: features.replace('"orders30d":5', '"orders30d":6'),
      predictions: predictions.replace('"orders":5', '"orders":6'),
    }))
    const { stored } = await explain(world)
    expect(stored?.verdict).toMatchObject({ kind: 'different' })
    expect(stored?.item?.predictions).toMatchObject([
      { isSame: false, stored: { value: { orders: 6 } }, recomputed: { value: { orders: 5 } } },
    ])
  })

  it('does not contain yet what came a moment ago', async () => {
    const world = await fewOrders()
    world.archived.push({ ...orderRecord('new', 100, { ts: hour(40) + 1 }), arrivalMs: hour(40) + 2 })
    expect((await explain(world)).stored).toMatchObject({ verdict: { kind: 'matched' }, item: { notYetFolded: 1 } })
  })

  it('is ahead of an archive that is behind', async () => {
    const world = await fewOrders()
    world.archived.pop()
    expect((await explain(world)).stored?.verdict).toMatchObject({ kind: 'behind' })
  })

  it('is not looked at for another instant', async () => {
    expect((await explain(await fewOrders(), { atMs: hour(41) })).stored).toBeUndefined()
  })
})

describe('what moved since an earlier instant', () => {
  it('is told with the events that came and that left', async () => {
    const { since } = await explain(await fewOrders(), { atMs: hour(41), sinceMs: hour(4) })
    const orders1d = since?.moves.find(({ name }) => name === 'orders1d')
    expect(orders1d).toMatchObject({ from: 3, to: 2, parts: [{ before: 3, after: 2 }] })
    expect(orders1d?.parts[0]?.came.map(({ id }) => id)).toEqual(['3', '4'])
    expect(orders1d?.parts[0]?.left.map(({ id }) => id)).toEqual(['0', '1', '2'])
    expect(since?.moves.map(({ name }) => name)).not.toContain('lastChannel')
  })

  it('has of each model what the other version would have done alone, and the share of every input in the rest', async () => {
    const { since } = await explain(await fewOrders(), { atMs: hour(41), sinceMs: hour(4) })
    expect(since?.movedModels).toMatchObject([
      {
        name: 'churn',
        from: { prediction: { value: { orders: 3 } } },
        to: { prediction: { value: { orders: 6.5 } } },
        byVersionAlone: { value: { orders: 3.6 } },
      },
    ])
    // The model is linear, so that the order in which inputs move makes no difference: 3.6 + 2 + 0.9 = 6.5.
    const shares = since?.movedModels[0]?.shares ?? []
    expect(shares.map(({ input }) => input)).toEqual(['orders30d', 'spend90d'])
    expect(shares[0]?.effects['orders']).toBeCloseTo(2, 9)
    expect(shares[1]?.effects['orders']).toBeCloseTo(0.9, 9)
  })

  it('is nothing where nothing changed', async () => {
    const { since } = await explain(await fewOrders(), { atMs: hour(41), sinceMs: hour(41) - 1 })
    expect(since).toMatchObject({ moves: [{ name: 'sinceOrder' }] })
    const still = await explain(await fewOrders(), { atMs: hour(41) + 2, sinceMs: hour(41) + 1 })
    expect(still.since).toMatchObject({ moves: [], movedModels: [] })
  })
})

function text(record: { readonly dataBase64: string } | undefined): string {
  return Buffer.from(record?.dataBase64 ?? '', 'base64').toString('utf8')
}
