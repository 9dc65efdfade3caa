import { expect, it } from 'vitest'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { closeRecords } from '../../src/archive/closed-letters.ts'
import { writeDeadLetters } from '../../src/archive/dead-letters.ts'
import { listLetters } from '../../src/archive/letters.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { collect, failureObject, GIVEN_UP_KEY, recordAt } from './factories.ts'

const late = (index: number) =>
  ({ record: recordAt(index), refusal: { reason: 'late', detail: 'It is late.' } }) as const

it('lists letters and given-up records in one order, of a record that is both the letter', async () => {
  const store = memoryObjectStore()
  const elsewhere = { ...recordAt(4), shard: 'shardId-000000000001' }
  const all = [1, 2, 3, 5].map(index => recordAt(index))
  await archiveBatch([...all, elsewhere], store)
  await writeDeadLetters(store, [late(2), late(5)])
  await store.create(`${GIVEN_UP_KEY}a`, failureObject([recordAt(1), recordAt(2), recordAt(3)]))
  await store.create(`${GIVEN_UP_KEY}b`, failureObject([recordAt(3), elsewhere]))
  await store.create(`${GIVEN_UP_KEY}c`, Buffer.from('torn'))
  const unreadable: string[] = []
  const letters = await collect(listLetters(store, { onUnreadable: key => void unreadable.push(key) }))
  expect(letters.map(({ reason, sequence, dataBase64 }) => [reason, sequence, dataBase64])).toEqual(
    [recordAt(1), recordAt(2), recordAt(3), recordAt(5), elsewhere].map(({ sequence, dataBase64 }, index) => [
      index === 1 || index === 3 ? 'late' : 'given-up',
      sequence,
      dataBase64,
    ]),
  )
  expect(unreadable).toEqual([`${GIVEN_UP_KEY}c`])
})

it('leaves out what is closed, of either kind, and says by what and how it was judged where all are wanted', async () => {
  const store = memoryObjectStore()
  await archiveBatch([recordAt(1), recordAt(2)], store)
  await writeDeadLetters(store, [late(2)])
  await store.create(GIVEN_UP_KEY, failureObject([recordAt(1)]))
  await closeRecords(store, 'closed', { records: [recordAt(1), { ...recordAt(2), acceptedMs: 7 }], by: 'a replay' })
  expect(await collect(listLetters(store))).toEqual([])
  const all = await collect(listLetters(store, { isAll: true, reason: 'given-up', isWithoutGivenUpData: true }))
  expect(all).toMatchObject([{ closedBy: 'a replay', dataBase64: '' }])
  expect((await collect(listLetters(store, { isAll: true })))[1]).toMatchObject({ closedBy: 'a replay', acceptedMs: 7 })
})

it('says nothing of a given-up record whose object went while letters were listed, rather than that it was empty', async () => {
  const store = memoryObjectStore()
  await archiveBatch([recordAt(1), recordAt(2)], store)
  await store.create(`${GIVEN_UP_KEY}a`, failureObject([recordAt(1)]))
  await store.create(`${GIVEN_UP_KEY}b`, failureObject([recordAt(2)]))
  const seen = new Set<string>()
  const replaced = {
    ...store,
    get: async (key: string) =>
      key.endsWith('a') && seen.has(key) ? undefined : (seen.add(key), await store.get(key)),
  }
  const letters = await collect(listLetters(replaced))
  expect(letters.map(({ sequence, dataBase64 }) => [sequence, dataBase64])).toEqual([
    [recordAt(2).sequence, recordAt(2).dataBase64],
  ])
})
