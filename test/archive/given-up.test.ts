import { describe, expect, it } from 'vitest'
import { countGivenUp, readGivenUp } from '../../src/archive/given-up.ts'
import { writeDeadLetters } from '../../src/archive/dead-letters.ts'
import type { ObjectInfo, ObjectStore } from '../../src/platform/object-store.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { collect, failureObject, recordAt } from './factories.ts'

const BATCH = 'aws/lambda/0a1b/shardId-000000000000/2026/01/02'

it('counts what Lambda wrote, over pages, and nothing else', async () => {
  const store = memoryObjectStore({ pageKeysMax: 2 })
  await writeDeadLetters(store, [{ record: recordAt(1), refusal: { reason: 'late', detail: 'It is late.' } }])
  expect(await countGivenUp(store)).toEqual({ count: 0, newestMs: undefined })
  for (const name of ['a', 'b', 'c']) await store.create(`${BATCH}/${name}`, Buffer.from('{}'))
  expect((await countGivenUp(store)).count).toBe(3)
  expect(store.calls.get).toBe(0)
})

it('finds the newest wherever its name sorts', async () => {
  const infos: ObjectInfo[] = [5, 9, 7].map(createdMs => ({ key: `${BATCH}/${createdMs}`, bytes: 2, createdMs }))
  const listing: Pick<ObjectStore, 'list'> = {
    async *list() {
      yield* infos
    },
  }
  expect(await countGivenUp({ ...memoryObjectStore(), ...listing })).toEqual({ count: 3, newestMs: 9 })
})

describe('the records of a batch that was given up', () => {
  const epoch2 = (index: number) => ({ ...recordAt(index), stream: 'events@2' })
  const streams = async (store: ObjectStore) =>
    (await collect(readGivenUp(store))).map(({ records }) => records?.map(({ stream }) => stream))

  it('are read as they came, and an object that is none is named', async () => {
    const store = memoryObjectStore()
    await archiveBatch([recordAt(1), recordAt(2)], store)
    await store.create(`${BATCH}/a`, failureObject([recordAt(1), recordAt(2)]))
    await store.create(`${BATCH}/b`, Buffer.from('{"payload":"{}"}'))
    await store.create(`${BATCH}/c`, Buffer.from('not JSON'))
    expect(await collect(readGivenUp(store))).toEqual([
      { key: `${BATCH}/a`, records: [recordAt(1), recordAt(2)] },
      { key: `${BATCH}/b`, records: undefined },
      { key: `${BATCH}/c`, records: undefined },
    ])
  })

  it('have the epoch of the object that has them, whatever else the stream was before', async () => {
    const store = memoryObjectStore()
    await archiveBatch([recordAt(1), recordAt(2), recordAt(9)], store)
    await archiveBatch([epoch2(3), epoch2(4)], store)
    await store.create(`${BATCH}/a`, failureObject([recordAt(1), recordAt(2)]))
    await store.create(`${BATCH}/b`, failureObject([epoch2(20)]))
    expect(await streams(store)).toEqual([['events@1', 'events@1'], ['events@unknown']])
  })

  it('have none where two epochs may have them, or the archive has them not yet', async () => {
    const store = memoryObjectStore()
    await store.create(`${BATCH}/a`, failureObject([recordAt(3), recordAt(7)]))
    expect(await streams(store)).toEqual([['events@unknown', 'events@unknown']])
    await archiveBatch([recordAt(3)], store)
    expect(await streams(store)).toEqual([['events@1', 'events@unknown']])
    await archiveBatch([epoch2(3), epoch2(7)], store)
    expect(await streams(store)).toEqual([['events@unknown', 'events@2']])
  })

  it('are looked for in the hour of their arrival, be it of another name order', async () => {
    const store = memoryObjectStore()
    const later = { ...recordAt(5), arrivalMs: recordAt(5).arrivalMs + 3_600_000 }
    await archiveBatch([recordAt(4), later], store)
    await store.create(`${BATCH}/a`, failureObject([recordAt(4), later, { ...later, sequence: recordAt(4).sequence }]))
    expect(await streams(store)).toEqual([['events@1', 'events@1', 'events@unknown']])
  })
})
