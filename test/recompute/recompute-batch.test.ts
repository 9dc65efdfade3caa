import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { MINUTE_MS } from '../../src/platform/duration.ts'
import type { DedupState } from '../../src/affected/dedup-state.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import type { Predictor } from '../../src/predictions/predictor.ts'
import { usersPerWaveMax } from '../../src/recompute/limits.ts'
import { toAttributes } from '../../src/store/dynamodb-attributes.ts'
import { decodeItem, encodeItem, readPlain } from '../../src/store/item-codec.ts'
import { START } from '../features/factories.ts'
import { manifestOf } from '../model/factories.ts'
import {
  countingPredictor,
  EVENTS_PER_USER,
  harness,
  orderRecord,
  ordersOf,
  rawRecord,
  shop,
  stored,
  values,
} from './harness.ts'

describe('recomputeBatch', () => {
  it.each([
    [7, 1],
    [100, 1],
    [101, 2],
    [200, 2],
  ])('reads %i users with %i BatchGets, and writes each once, whatever the number of events', async (users, reads) => {
    const run = harness()
    const { counts, failedSequence } = await run.deliver(ordersOf(users))
    expect(failedSequence).toBeUndefined()
    expect(run.users.counters).toMatchObject({
      loadManyCalls: reads,
      loadCalls: 0,
      keysRead: users,
      puts: users,
      conflicts: 0,
    })
    expect(run.modelRuns).toEqual([users])
    expect(counts).toMatchObject({ folded: users * EVENTS_PER_USER, usersWritten: users })
  })

  it('applies everybody of a batch of more users than one wave holds, a model run for each wave', async () => {
    const run = harness()
    const most = usersPerWaveMax(shop.itemBytesMax)
    const users = most + 1
    const { counts, failedSequence } = await run.deliver(ordersOf(users, 1))
    expect(failedSequence).toBeUndefined()
    expect(counts).toMatchObject({ folded: users, usersWritten: users })
    expect(run.modelRuns).toEqual([most, 1])
  })

  it('predicts for no more of them at once than fit into memory, and writes those before it makes the next', async () => {
    const run = harness()
    const manifest = manifestOf(new Uint8Array())
    const text = { name: 'said', kind: 'label', tensor: 't', column: 0 } as const
    const papers = { name: 'churn', batchId: 'b1', manifest: { ...manifest, outputs: [text] } }
    const written: number[] = []
    const counting = countingPredictor(run.modelRuns)
    const predictor: Predictor = {
      ...counting,
      pinned: async () => ({ ...counting, models: [papers] }),
      predict: async bodies => {
        written.push(run.users.counters.puts)
        return counting.predict(bodies)
      },
    }
    run.dependencies = { ...run.dependencies, predictor }
    const { counts } = await run.deliver(ordersOf(150, 1))
    // A value may have 1 MiB.
    expect(run.modelRuns).toEqual([63, 63, 24])
    expect(written).toEqual([0, 63, 126])
    expect(counts).toMatchObject({ folded: 150, usersWritten: 150, predictions: { ok: 150 } })
  })

  it('writes nothing when a batch is delivered twice, or a suffix of it again', async () => {
    const run = harness()
    const batch = ordersOf(20)
    await run.deliver(batch)
    const before = run.users.items()
    run.users.resetCounters()
    const twice = await run.deliver(batch)
    const suffix = await run.deliver(batch.slice(37))
    expect(twice.counts).toMatchObject({ folded: 0, duplicate: batch.length, usersWritten: 0 })
    expect(suffix.counts.duplicate).toBe(batch.length - 37)
    expect(run.users.counters.puts).toBe(0)
    expect(run.users.items()).toEqual(before)
  })

  it('touches nobody whom the batch does not affect', async () => {
    const run = harness()
    await run.deliver([orderRecord(1, 1, { user: 'ana' }), orderRecord(2, 2, { user: 'ben' })])
    const ben = run.users.raw('ben')
    const seen = new Set<string>()
    run.users.fault = ({ userIds }) => {
      for (const id of userIds) seen.add(id)
      return undefined
    }
    await run.deliver([orderRecord(3, 3, { user: 'ana' })])
    expect([...seen]).toEqual(['ana'])
    expect(run.users.raw('ben')).toEqual(ben)
  })

  it('sets poison aside with its reason and applies the records beside it', async () => {
    const run = harness()
    const order = {
      type: 'order.placed',
      orderId: '9',
      customer: { id: 'ana' },
      placedAt: '2024-02-25T00:00:00Z',
      amount: 1,
      channel: 'web',
      gift: false,
    }
    const ahead = new Date(START + 5 * 1000 + 6 * MINUTE_MS).toISOString()
    const { counts, failedSequence } = await run.deliver([
      orderRecord(1, 1),
      { ...rawRecord('', 2), dataBase64: '%%%' },
      rawRecord('{"type":', 3),
      rawRecord({ ...order, amount: 'ten' }, 4),
      rawRecord({ ...order, placedAt: ahead }, 5),
      rawRecord(order, 6, 'somebody-else'),
      rawRecord({ ...order, type: 'unheard.of' }, 7),
      orderRecord(2, 8),
    ])
    expect(failedSequence).toBeUndefined()
    expect(run.deadLetters.map(({ record, refusal }) => `${record.sequence} ${refusal.reason}`)).toEqual([
      '2 not-base64',
      '3 not-json',
      '4 contract',
      '5 future',
      '6 mis-keyed',
      '7 unknown-type',
    ])
    expect(counts.folded).toBe(2)
    expect(await values(run, 'ana')).toMatchObject({ orders30d: 2 })
  })

  it('reports a corrupt item, leaves its bytes as they are, and applies everybody else', async () => {
    const run = harness()
    await run.deliver([orderRecord(1, 1, { user: 'ana' }), orderRecord(2, 2, { user: 'ben' })])
    const item = run.users.raw('ana')
    run.users.plant({ ...item, st: { B: deflateSync('{"changed":1}') } })
    const planted = run.users.raw('ana')
    const { counts, failedSequence } = await run.deliver([
      orderRecord(3, 3, { user: 'ana' }),
      orderRecord(4, 4, { user: 'ben' }),
    ])
    expect(failedSequence).toBeUndefined()
    expect(counts).toMatchObject({ folded: 1, deadLetters: { 'item-corrupt': 1 } })
    expect(run.users.raw('ana')).toEqual(planted)
  })

  it('keeps to one user what goes wrong with one user: an item whose state no fold can have written', async () => {
    const run = harness()
    await run.deliver([orderRecord(1, 1, { user: 'ana' })])
    const item = await stored(run, 'ana')
    const [key = ''] = run.dependencies.compiled.features.states.keys()
    const { dedup } = decodeItem(item) as { dedup: DedupState }
    const plain = (name: 'ft' | 'pr'): string =>
      Buffer.from((readPlain(item, name) as { plain: Uint8Array }).plain).toString()
    const parts = { ...item, dedup, state: `{"${key}":null}`, features: plain('ft'), predictions: plain('pr') }
    run.users.plant(toAttributes(encodeItem(parts)))
    const { counts, failedSequence } = await run.deliver([
      orderRecord(2, 2, { user: 'ana' }),
      orderRecord(3, 3, { user: 'ben' }),
    ])
    expect(failedSequence).toBeUndefined()
    expect(counts).toMatchObject({ folded: 1, deadLetters: { 'item-corrupt': 1 } })
  })

  it('tells how late an event of the hottest user may still be', async () => {
    const run = harness()
    const burst = Array.from({ length: 200 }, (_, index) => orderRecord(index, index + 1, { ts: START + index * 1000 }))
    const { counts } = await run.deliver(burst)
    expect(counts.effectiveLatenessMs).toBe(128_000)
    expect((await run.deliver([orderRecord('other', 300, { user: 'ben' })])).counts.effectiveLatenessMs).toBeUndefined()
  })

  it('refuses an item over the size limit with its reason', async () => {
    const run = harness()
    await run.deliver([orderRecord(1, 1)])
    run.users.plant({ ...run.users.raw('ana'), note: { S: 'x'.repeat(70_000) } })
    const { counts } = await run.deliver([orderRecord(2, 2)])
    expect(counts.deadLetters).toEqual({ 'item-too-big': 1 })
    const again = await run.deliver([orderRecord(1, 1), orderRecord(2, 2)])
    // What was folded before stays so: only what cannot be folded is a dead letter.
    expect(again.counts).toMatchObject({ duplicate: 1, deadLetters: { 'item-too-big': 1 } })
    run.dependencies = { ...run.dependencies, compiled: compilePipeline({ ...shop, itemBytesMax: 80_000 }) }
    expect((await run.deliver([orderRecord(2, 2)])).counts).toMatchObject({ folded: 1, deadLetters: {} })
  })

  it('sets repeats of what cannot be folded aside with it: nothing else would say that their event is missing', async () => {
    const run = harness()
    await run.deliver([orderRecord(1, 1)])
    run.users.plant({ ...run.users.raw('ana'), note: { S: 'x'.repeat(70_000) } })
    const batch = [orderRecord(2, 2), orderRecord(1, 3), orderRecord(2, 4, { ts: START + 2000 })]
    expect((await run.deliver(batch)).counts).toMatchObject({ duplicate: 1, deadLetters: { 'item-too-big': 2 } })
    expect(run.deadLetters.map(({ record }) => record.sequence)).toEqual(['2', '4'])
  })

  it('carries attributes that it does not know through a write', async () => {
    const run = harness()
    await run.deliver([orderRecord(1, 1)])
    run.users.plant({ ...run.users.raw('ana'), consent: { M: { mail: { BOOL: true } } } })
    await run.deliver([orderRecord(2, 2)])
    expect(run.users.raw('ana')?.['consent']).toEqual({ M: { mail: { BOOL: true } } })
  })

  it('counts the members that no contract names over the whole batch', async () => {
    const run = harness()
    const order = {
      type: 'order.placed',
      customer: { id: 'ana' },
      placedAt: new Date(START).toISOString(),
      amount: 1,
      channel: 'web',
      gift: false,
    }
    const { counts } = await run.deliver([
      rawRecord({ ...order, orderId: '1', coupon: 'x', shop: { id: 1 } }, 1),
      rawRecord({ ...order, orderId: '2', coupon: 'y' }, 2),
    ])
    expect(counts).toMatchObject({ folded: 2, unknownFields: 4 })
  })

  it('lists events that arrive below the floor: late as dead letters, possibly folded ones in doubt', async () => {
    const run = harness()
    const day = 86_400_000
    await run.deliver([orderRecord(1, 1, { ts: START }), orderRecord(2, 2, { ts: START + day })])
    const { counts } = await run.deliver([orderRecord(1, 1, { ts: START }), orderRecord(3, 3, { ts: START - 1 })])
    expect(counts).toMatchObject({ belowFloor: 1, deadLetters: { late: 1 }, usersWritten: 0 })
    expect(run.doubt.map(({ record }) => record.sequence)).toEqual(['1'])
  })

  it('stores results evaluated at the newest event time, with no clock in them', async () => {
    const run = harness()
    await run.deliver([orderRecord(1, 1, { ts: START + 5000 })])
    const item = await stored(run, 'ana')
    expect(item).toMatchObject({ v: 1, at: START + 5000, asOf: START + 5000, models: { churn: 'b1' } })
    expect(item.fresh).toBeGreaterThan(START + 5000)
  })
})
