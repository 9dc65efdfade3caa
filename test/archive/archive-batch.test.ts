import { describe, expect, it } from 'vitest'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { NOON_MS, rawRecords, recordAt, recordsAt, sequenceOf } from './factories.ts'

const HOUR_MS = 3_600_000

describe('archiving a batch', () => {
  it('writes one object for a batch of one hour, whatever the number of records', async () => {
    const store = memoryObjectStore()
    const result = await archiveBatch(recordsAt(0, 500), store)
    expect(result).toEqual({ failedSequence: undefined, recordsArchived: 500, errors: [] })
    expect(store.calls).toEqual({ create: 1, stat: 0, get: 0, list: 0 })
  })

  it('keeps what nobody can decode, as it came', async () => {
    const store = memoryObjectStore()
    const record = recordAt(1, { dataBase64: '*** not base64 ***', partitionKey: '\ud800"\n' })
    await archiveBatch([record], store)
    expect(await rawRecords(store)).toEqual([record])
  })

  it('does nothing for no records', async () => {
    const store = memoryObjectStore()
    expect((await archiveBatch([], store)).failedSequence).toBeUndefined()
    expect(store.calls.create).toBe(0)
  })

  it('takes an object that is there already for done', async () => {
    const store = memoryObjectStore()
    await archiveBatch(recordsAt(0, 9), store)
    expect(await archiveBatch(recordsAt(0, 9), store)).toMatchObject({ failedSequence: undefined, recordsArchived: 9 })
    expect(store.objects.size).toBe(1)
  })

  it('has Lambda deliver again from the lowest record that is not in an object', async () => {
    const records = Array.from({ length: 6 }, (_, index) => recordAt(index, { arrivalMs: NOON_MS + index * HOUR_MS }))
    const boom = new Error('the bucket is away')
    const store = memoryObjectStore({
      fault: ({ key }) => {
        if (key.includes('/2026010214/') || key.includes('/2026010216/')) throw boom
      },
    })
    const result = await archiveBatch(records, store)
    expect(result).toEqual({ failedSequence: sequenceOf(2), recordsArchived: 2, errors: [boom] })
    expect(store.objects.size).toBe(2)
  })

  it('compares sequences as numbers', async () => {
    const records = [recordAt(0, { sequence: '9' }), recordAt(0, { sequence: '10', arrivalMs: NOON_MS + HOUR_MS })]
    const store = memoryObjectStore({
      fault: () => {
        throw new Error('away')
      },
    })
    expect((await archiveBatch(records, store)).failedSequence).toBe('9')
  })

  it('is whole after a retry whose first answer was lost', async () => {
    let failures = 1
    const store = memoryObjectStore({
      fault: ({ when }) => {
        if (when === 'after' && failures-- > 0) throw new Error('connection reset')
      },
    })
    const first = await archiveBatch(recordsAt(0, 5), store)
    expect(first.failedSequence).toBe(sequenceOf(0))
    const second = await archiveBatch(recordsAt(0, 5), store)
    expect(second.failedSequence).toBeUndefined()
    expect(await rawRecords(store)).toEqual(recordsAt(0, 5))
  })

  it('has no word of a user in the name of an object', async () => {
    const store = memoryObjectStore()
    const records = recordsAt(0, 50)
    await archiveBatch(records, store)
    for (const key of store.objects.keys()) {
      expect(key).toMatch(/^raw\/events@1\/shardId-\d{12}\/\d{10}\/\d{56}-\d{56}\.ndjson\.gz$/)
      for (const { partitionKey } of records) expect(key).not.toContain(partitionKey)
    }
  })
})
