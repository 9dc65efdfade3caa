import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { closeRecords, withClosing } from '../../src/archive/closed-letters.ts'
import { listDeadLetters, writeDeadLetters } from '../../src/archive/dead-letters.ts'
import { listDoubt, writeDoubt } from '../../src/archive/doubt.ts'
import type { Refusal } from '../../src/event/decoded-event.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { collect, recordAt } from './factories.ts'

const LATE: Refusal = { reason: 'late', detail: 'The event is late.' }
const by = 'a rebuild'
const letter = (index: number, shard?: string) => ({
  record: recordAt(index, shard === undefined ? {} : { shard }),
  refusal: LATE,
})

describe('closing', () => {
  it('leaves the letter where it is, and out of the list of open ones', async () => {
    const store = memoryObjectStore()
    await writeDeadLetters(store, [letter(1), letter(2), letter(3)])
    const before = new Map(store.objects)
    await closeRecords(store, 'closed', { records: [recordAt(2)], by })
    for (const [key, body] of before) expect(store.objects.get(key)).toEqual(body)
    const open = await collect(listDeadLetters(store))
    expect(open.map(({ sequence }) => sequence)).toEqual([recordAt(1), recordAt(3)].map(({ sequence }) => sequence))
    const all = await collect(listDeadLetters(store, { isAll: true }))
    expect(all.map(({ closedBy }) => closedBy)).toEqual([undefined, by, undefined])
  })

  it('twice, or of a letter that is set aside again, changes nothing', async () => {
    const store = memoryObjectStore()
    await writeDeadLetters(store, [letter(1)])
    await closeRecords(store, 'closed', { records: [recordAt(1)], by })
    await closeRecords(store, 'closed', { records: [recordAt(1)], by: 'another' })
    await writeDeadLetters(store, [{ record: recordAt(1), refusal: { ...LATE, reason: 'contract' } }])
    expect(await collect(listDeadLetters(store))).toEqual([])
    const [only] = await collect(listDeadLetters(store, { isAll: true }))
    expect(only).toMatchObject({ reason: 'late', closedBy: by })
  })

  it('clears doubt apart from letters', async () => {
    const store = memoryObjectStore()
    const event = {
      type: 'visit',
      id: '1',
      idHash: '0'.repeat(16),
      userId: 'ana',
      ts: 1,
      fields: new Map(),
      unknownFields: 0,
    }
    await writeDeadLetters(store, [letter(1)])
    await writeDoubt(store, [{ record: recordAt(1), event }])
    await closeRecords(store, 'cleared', { records: [recordAt(1)], by })
    expect(await collect(listDoubt(store))).toEqual([])
    expect(await collect(listDeadLetters(store))).toHaveLength(1)
  })

  it('writes nothing for no records, and no user into a name', async () => {
    const store = memoryObjectStore()
    await closeRecords(store, 'closed', { records: [], by })
    expect(store.calls.create).toBe(0)
    await closeRecords(store, 'closed', { records: [recordAt(1)], by })
    expect([...store.objects.keys()].join()).not.toContain('user-1')
  })

  it('splits what is closed into objects that are read one after the other', async () => {
    const store = memoryObjectStore()
    const records = Array.from({ length: 50_001 }, (_, index) => recordAt(50_001 - index))
    await closeRecords(store, 'closed', { records, by })
    expect(store.calls.create).toBe(2)
    await writeDeadLetters(store, [letter(1), letter(50_001), letter(50_002)])
    expect(await collect(listDeadLetters(store))).toHaveLength(1)
  })

  it('is a left join, whatever the shards and invocations', async () => {
    const shards = ['shardId-000000000000', 'shardId-000000000001', 'shardId-000000000002']
    const name = fc.tuple(fc.nat(6), fc.constantFrom(...shards))
    const names = fc.array(fc.uniqueArray(name, { selector: String, maxLength: 5 }), { maxLength: 4 })
    const repeated = fc.array(fc.array(name, { maxLength: 5 }), { maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(names, repeated, async (written, closed) => {
        const store = memoryObjectStore({ pageKeysMax: 2 })
        for (const letters of written)
          await writeDeadLetters(
            store,
            letters.map(([index, shard]) => letter(index, shard)),
          )
        for (const group of closed) {
          await closeRecords(store, 'closed', {
            records: group.map(([index, shard]) => recordAt(index, { shard })),
            by,
          })
        }
        const isClosed = new Set(closed.flat().map(String))
        const expected = [...new Set(written.flat().map(String))].filter(one => !isClosed.has(one)).sort()
        const sequences = new Map(Array.from({ length: 7 }, (_, index) => [recordAt(index).sequence, index]))
        const open = await collect(listDeadLetters(store))
        expect(open.map(({ sequence, shard }) => `${sequences.get(sequence)},${shard}`).sort()).toEqual(expected)
        const pairs = await collect(withClosing(listDeadLetters(store, { isAll: true }), store, 'closed'))
        expect(pairs.filter(([, closing]) => closing === undefined)).toHaveLength(expected.length)
      }),
      { numRuns: 50 },
    )
  })
})
