import { inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { sha256Hex, userBucket } from '../../src/platform/hash.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import type { PredictionsBody } from '../../src/predictions/evaluated-user.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { spillPrefix } from '../../src/predictions/spill.ts'
import { estimateItem } from '../../src/recompute/estimate-item.ts'
import { readBody } from '../../src/store/item-codec.ts'
import { itemBytes } from '../../src/store/item-size.ts'
import type { StoredItem } from '../../src/store/user-item.ts'
import { customer } from '../features/factories.ts'
import { orderRecord, ordersOf, stored } from './harness.ts'
import { longPredictor, longValue, spilledKeys, spillHarness, TEST_KEY } from './spill-harness.ts'

function predictionsOf(item: StoredItem): PredictionsBody {
  const read = readBody(item, 'pr')
  if ('reason' in read) throw new Error(read.reason)
  return read.body as unknown as PredictionsBody
}

describe('a value too long for an item', () => {
  it('is an object that the item names, zlib JSON under its own SHA-256', async () => {
    const run = spillHarness()
    await run.deliver([orderRecord(1, 1)])
    const item = await stored(run, 'ana')
    const { next, churn } = predictionsOf(item).models
    const plain = JSON.stringify(longValue(1))
    const sha256 = sha256Hex(plain)
    const key = `spill/${String(userBucket('ana')).padStart(2, '0')}/${spillPrefix('ana', TEST_KEY).split('/')[2]}/${sha256}`
    expect(next).toEqual({
      status: 'ok',
      batchId: 'b2',
      inputs: '0123456789ab',
      spilled: { key, sha256, bytes: plain.length },
    })
    expect(churn?.value).toEqual({ orders: 1 })
    expect(item.spills).toBe(1)
    expect(inflateSync(run.objects.objects.get(key) ?? new Uint8Array()).toString()).toBe(plain)
    expect(await run.spills.read({ key, sha256, bytes: plain.length })).toEqual(longValue(1))
  })

  it('costs one put for each user, and the item one read and one write as ever', async () => {
    const users = 7
    const run = spillHarness()
    await run.deliver(ordersOf(users, 3))
    expect(run.users.counters).toMatchObject({ keysRead: users, puts: users, conflicts: 0, loadCalls: 0 })
    // One more made the key, and two reads found it.
    expect(run.objects.calls).toEqual({ create: users + 1, stat: 0, get: 2, list: 0 })
    expect(spilledKeys(run)).toHaveLength(users)
    const calls = { ...run.objects.calls }
    run.users.resetCounters()
    await run.deliver(
      ordersOf(users, 4)
        .slice(-users)
        .map((_, index) => orderRecord(`new-${index}`, 100 + index, { user: `user-${index}` })),
    )
    expect(run.objects.calls).toEqual({ ...calls, create: calls.create + users })
    expect(run.users.counters).toMatchObject({ keysRead: users, puts: users })
  })

  it('is not put again while it is the same', async () => {
    const run = spillHarness({ predictor: longPredictor(() => longValue(1)) })
    await run.deliver([orderRecord(1, 1)])
    const calls = { ...run.objects.calls }
    await run.deliver([orderRecord(2, 2)])
    expect((await stored(run, 'ana')).v).toBe(2)
    expect(run.objects.calls).toEqual(calls)
  })

  it('has the user in its name as an HMAC only, and another deployment has other names', async () => {
    const run = spillHarness()
    await run.deliver([orderRecord(1, 1, { user: 'ana.lopez@example.com' })])
    expect(spilledKeys(run).join()).not.toMatch(/ana|lopez|example/)
    expect(spilledKeys(run)[0]).toMatch(/^spill\/\d\d\/[0-9a-f]{64}\/[0-9a-f]{64}$/)
    expect(spillPrefix('ana', TEST_KEY)).not.toBe(spillPrefix('ana', 'cd'.repeat(32)))
    expect(spillPrefix('ana', TEST_KEY)).not.toContain(sha256Hex('ana'))
  })

  it('is there before the item: a batch that dies between leaves an object that nobody names, and its repeat is whole', async () => {
    const run = spillHarness()
    let deaths = 1
    run.users.fault = ({ operation }) =>
      operation === 'put' && deaths-- > 0 ? { throwBefore: new Error('died') } : undefined
    const records = [orderRecord(1, 1)]
    expect((await run.deliver(records)).failedSequence).toBe('1')
    expect(spilledKeys(run)).toHaveLength(1)
    expect(await run.users.load('ana')).toBeUndefined()
    expect((await run.deliver(records)).failedSequence).toBeUndefined()
    expect(spilledKeys(run)).toHaveLength(1)
    const { spilled } = predictionsOf(await stored(run, 'ana')).models['next'] ?? {}
    expect(spilled && (await run.spills.read(spilled))).toEqual(longValue(1))
  })

  it('is not named where it could not be written: the records come again', async () => {
    const run = spillHarness(
      {},
      {
        fault: ({ operation, key }) => {
          if (operation === 'create' && key.startsWith('spill/')) throw new Error('no bucket')
        },
      },
    )
    expect((await run.deliver([orderRecord(1, 1)])).failedSequence).toBe('1')
    expect(run.users.counters.puts).toBe(0)
  })

  it('that comes back is looked at again after the item that names it', async () => {
    const run = spillHarness({ predictor: longPredictor(orders => longValue(orders % 2)) })
    await run.deliver([orderRecord(1, 1)])
    const [first = ''] = spilledKeys(run)
    await run.deliver([orderRecord(2, 2)])
    // A sweep takes it away in the worst moment: the writer has seen it, and has not put its item yet.
    run.users.fault = ({ operation }) => {
      if (operation === 'put') run.objects.objects.delete(first)
      return undefined
    }
    await run.deliver([orderRecord(3, 3)])
    expect(predictionsOf(await stored(run, 'ana')).models['next']?.spilled?.key).toBe(first)
    expect(run.objects.objects.has(first)).toBe(true)
  })

  it('stays in an item up to 8 KB, and leaves it from there on', async () => {
    const bytesOf = (text: string): number => JSON.stringify({ text }).length
    const most = 'x'.repeat(8192 - bytesOf(''))
    for (const [text, spills] of [
      [most, undefined],
      [`${most}x`, 1],
    ] as const) {
      const run = spillHarness({ predictor: longPredictor(() => ({ text })) })
      await run.deliver([orderRecord(1, 1)])
      expect((await stored(run, 'ana')).spills).toBe(spills)
    }
  })

  it('leaves an item that would be over its limit, however short it is, before an event is refused for it', async () => {
    // Incompressible: 8 KB of it are some 4 KB in the item.
    const text = Array.from({ length: 166 }, (_, index) => sha256Hex(`${index}`).slice(0, 48)).join('')
    const valueOf = () => ({ text })
    const tight = compilePipeline(pipeline({ name: 'shop', features: customer, models: [], itemBytesMax: 4096 }))
    const without = spillHarness({ predictor: longPredictor(valueOf), compiled: tight, spills: undefined })
    expect((await without.deliver([orderRecord(1, 1)])).counts.deadLetters).toEqual({ 'item-too-big': 1 })
    const run = spillHarness({ predictor: longPredictor(valueOf), compiled: tight })
    expect((await run.deliver([orderRecord(1, 1)])).counts.deadLetters).toEqual({})
    const item = await stored(run, 'ana')
    expect(item.spills).toBe(1)
    expect(itemBytes(item)).toBeLessThanOrEqual(4096)
  })

  it('is in the largest item by what stands for it, at most', async () => {
    const run = spillHarness()
    await run.deliver([orderRecord(1, 1)])
    const { predictions } = estimateItem(run.dependencies.compiled).worst.parts
    const named = (await stored(run, 'ana')).pr.length
    const short = spillHarness({ predictor: longPredictor(() => ({ orders: 1 })) })
    await short.deliver([orderRecord(1, 1)])
    const perModel = estimateWithModels() - predictions
    expect(named - (await stored(short, 'ana')).pr.length).toBeLessThanOrEqual(perModel)
  })

  it('stays inside where there is nowhere else', async () => {
    const run = spillHarness({ spills: undefined })
    await run.deliver([orderRecord(1, 1)])
    expect(predictionsOf(await stored(run, 'ana')).models['next']?.value).toEqual(longValue(1))
    expect(run.objects.calls.create).toBe(0)
  })
})

function estimateWithModels(): number {
  const one = pipeline({
    name: 'shop',
    features: customer,
    models: [{ kind: 'model', name: 'next', inputs: ['orders30d'], owner: 'ana', about: undefined }],
  })
  return estimateItem(compilePipeline(one)).worst.parts.predictions
}
