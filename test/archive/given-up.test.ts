import { expect, it } from 'vitest'
import { countGivenUp } from '../../src/archive/given-up.ts'
import { writeDeadLetters } from '../../src/archive/dead-letters.ts'
import type { ObjectInfo, ObjectStore } from '../../src/platform/object-store.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { recordAt } from './factories.ts'

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
