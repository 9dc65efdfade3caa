import { expect, test } from 'vitest'
import { objectStoreContract } from '../contract/object-store.ts'
import { memoryObjectStore, type ObjectStoreCall } from './memory-object-store.ts'

const PAGE_KEYS_MAX = 3

objectStoreContract('the in-memory fake', {
  oneRacerWins: true,
  start: async () => ({
    store: memoryObjectStore({ pageKeysMax: PAGE_KEYS_MAX }),
    pageKeysMax: PAGE_KEYS_MAX,
    stop: async () => undefined,
  }),
})

test('fails before the effect or after it, as its hook says', async () => {
  const seen: ObjectStoreCall[] = []
  const store = memoryObjectStore({
    fault: call => {
      seen.push(call)
      if (call.key === `die ${call.when}`) throw new Error('died')
    },
  })
  await expect(store.create('die before', new Uint8Array(1))).rejects.toThrow('died')
  await expect(store.create('die after', new Uint8Array(1))).rejects.toThrow('died')
  expect([...store.objects.keys()]).toEqual(['die after'])
  expect(seen.map(({ when }) => when)).toEqual(['before', 'before', 'after'])
  expect(store.calls).toEqual({ create: 2, stat: 0, get: 0, list: 0 })
})
