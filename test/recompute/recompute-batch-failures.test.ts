// What a batch does where a write, a side file, the models or the time fail it: what is delivered again, and that nothing doubles.
import { describe, expect, it } from 'vitest'
import { readBody } from '../../src/store/item-codec.ts'
import type { StoredItem } from '../../src/store/user-item.ts'
import { START } from '../features/factories.ts'
import { countingPredictor, harness, orderRecord, ordersOf, rawRecord, stored, values } from './harness.ts'

describe('recomputeBatch', () => {
  it('names the lowest sequence of a user whose write fails, writes the others, and folds only what is missing on retry', async () => {
    const run = harness()
    const batch = ordersOf(4)
    run.users.fault = ({ operation, userIds }) =>
      operation === 'put' && userIds[0] === 'user-2' ? { throwBefore: new Error('throttled') } : undefined
    const first = await run.deliver(batch)
    expect(first.failedSequence).toBe('3')
    expect(first.counts).toMatchObject({ folded: 15, failed: 5, usersWritten: 3 })
    run.users.fault = undefined
    const again = await run.deliver(batch.slice(2))
    expect(again.counts).toMatchObject({ folded: 5, duplicate: 13, usersWritten: 1 })
    expect(await values(run, 'user-2')).toMatchObject({ orders30d: 5 })
  })

  it('doubles nothing when a put was applied but its answer lost', async () => {
    const run = harness()
    run.users.fault = ({ operation }) => (operation === 'put' ? { throwAfter: new Error('timed out') } : undefined)
    const first = await run.deliver([orderRecord(1, 1)])
    expect(first.failedSequence).toBe('1')
    run.users.fault = undefined
    expect((await run.deliver([orderRecord(1, 1)])).counts).toMatchObject({ folded: 0, duplicate: 1 })
    expect(await values(run, 'ana')).toMatchObject({ ordersEver: 1 })
  })

  it('folds on what another writer left when the condition fails, and recognises its own put', async () => {
    const run = harness()
    const other = harness({ users: run.users })
    let isFirst = true
    const racing = {
      ...run.users,
      put: async (item: StoredItem, expected: number | undefined) => {
        if (isFirst) {
          isFirst = false
          await other.deliver([orderRecord(7, 7)])
        }
        return run.users.put(item, expected)
      },
    }
    const result = await harness({ users: racing }).deliver([orderRecord(8, 8)])
    expect(result.counts).toMatchObject({ folded: 1, usersWritten: 1 })
    expect(await values(run, 'ana')).toMatchObject({ ordersEver: 2 })

    const twin = harness({ users: run.users })
    isFirst = true
    const ownPut = {
      ...racing,
      put: async (item: StoredItem, expected: number | undefined) => {
        if (isFirst) {
          isFirst = false
          await twin.deliver([orderRecord(9, 9)])
        }
        return run.users.put(item, expected)
      },
    }
    const mine = await harness({ users: ownPut }).deliver([orderRecord(9, 9)])
    expect(mine.counts).toMatchObject({ folded: 1, duplicate: 0, failed: 0, usersWritten: 1 })
    expect(await values(run, 'ana')).toMatchObject({ ordersEver: 3 })
  })

  it('gives up on a user after losing five times, and fails its records', async () => {
    const run = harness()
    let puts = 0
    const losing = { ...run.users, put: async () => ({ outcome: 'conflict' as const, current: (puts++, undefined) }) }
    const result = await harness({ users: losing }).deliver([orderRecord(1, 4)])
    expect(result.failedSequence).toBe('4')
    expect(puts).toBe(5)
  })

  it('delivers again what it could not set aside', async () => {
    const run = harness()
    const aside = { ...run.dependencies.aside, writeDeadLetters: async () => Promise.reject(new Error('S3 is slow')) }
    run.dependencies = { ...run.dependencies, aside }
    const { failedSequence } = await run.deliver([orderRecord(1, 1), rawRecord('{', 2), orderRecord(2, 3)])
    expect(failedSequence).toBe('2')
  })

  it('delivers again whom it could not list in doubt', async () => {
    const run = harness()
    const day = 86_400_000
    await run.deliver([orderRecord(1, 1, { ts: START }), orderRecord(2, 2, { ts: START + day })])
    const aside = { ...run.dependencies.aside, writeDoubt: async () => Promise.reject(new Error('S3 is slow')) }
    run.dependencies = { ...run.dependencies, aside }
    expect((await run.deliver([orderRecord(1, 1, { ts: START })])).failedSequence).toBe('1')
  })

  it.each(['predict', 'pinned'])(
    'delivers everybody again where the models cannot be asked (%s), and writes nobody',
    async asked => {
      const fails = async () => Promise.reject(new Error('the catalogue is slow'))
      const run = harness({ predictor: { ...countingPredictor([]), [asked]: fails } })
      const { failedSequence, counts } = await run.deliver(ordersOf(3))
      expect(failedSequence).toBe('1')
      expect(counts).toMatchObject({ failed: 15, folded: 0, usersWritten: 0 })
      expect(run.users.counters.puts).toBe(0)
    },
  )

  it('stores the prediction of what it folds after a lost condition, and starts no second write without time', async () => {
    const run = harness()
    let isLost = false
    let remainingMs = 60_000
    let remainingAfterSleepMs = 60_000
    const racing = {
      ...run.users,
      put: async (item: StoredItem, expected: number | undefined) => {
        if (!isLost) {
          isLost = true
          await harness({ users: run.users }).deliver([orderRecord(expected ?? 0, (expected ?? 0) + 1)])
        }
        return run.users.put(item, expected)
      },
    }
    const racer = harness({
      users: racing,
      remainingMs: () => remainingMs,
      sleep: async () => void (remainingMs = remainingAfterSleepMs),
    })
    await racer.deliver([orderRecord(8, 8)])
    const body = readBody(await stored(run, 'ana'), 'pr')
    expect(body).toMatchObject({ body: { models: { churn: { value: { orders: 2 } } } } })

    isLost = false
    remainingAfterSleepMs = 100
    const { failedSequence } = await racer.deliver([orderRecord(9, 9)])
    expect(failedSequence).toBe('9')
    expect(await values(run, 'ana')).toMatchObject({ ordersEver: 3 })
  })

  it('starts no write without time to finish it', async () => {
    const run = harness({ remainingMs: () => 100 })
    const { failedSequence, counts } = await run.deliver(ordersOf(3))
    expect(failedSequence).toBe('1')
    expect(counts.failed).toBe(15)
    expect(run.users.counters.puts + run.users.counters.loadManyCalls).toBe(0)
  })
})
