// The fake is held to the contract that the real store is held to; what only it can do is tested here.
import { describe, expect, it } from 'vitest'
import { itemBytes } from '../../src/store/item-size.ts'
import { userStoreContract } from '../contract/user-store.ts'
import { typicalItem } from '../store/item-factory.ts'
import { memoryUserStore } from './memory-user-store.ts'

userStoreContract('the in-memory fake', async () => {
  const store = memoryUserStore({ scanPageItemsMax: 7 })
  return {
    store,
    plant: async attributes => store.plant(attributes),
    raw: async userId => store.raw(userId),
    close: async () => undefined,
  }
})

describe('the in-memory user store', () => {
  it('counts calls, keys and units', async () => {
    const store = memoryUserStore()
    const item = typicalItem('a')
    await store.put(item, undefined)
    await store.put(item, undefined)
    await store.loadMany(['a', 'b'])
    await store.load('a')
    const units = Math.ceil(itemBytes(item) / 1024)
    expect(store.counters).toEqual({
      loadManyCalls: 1,
      loadCalls: 1,
      keysRead: 3,
      readUnits: 3,
      puts: 2,
      conflicts: 1,
      writeUnits: 2 * units,
      scanPages: 0,
    })
    store.resetCounters()
    expect(store.counters.puts).toBe(0)
  })

  it('fails before or after a put is applied, and waits where it is told to', async () => {
    const waits: number[] = []
    const store = memoryUserStore({ sleep: async ms => void waits.push(ms) })
    const lost = new Error('the answer is lost')
    store.fault = ({ operation, number }) => {
      if (operation !== 'put') return undefined
      return number === 1 ? { delayMs: 5, throwBefore: lost } : { throwAfter: lost }
    }
    await expect(store.put(typicalItem('a'), undefined)).rejects.toBe(lost)
    expect(store.items()).toEqual([])
    await expect(store.put(typicalItem('a'), undefined)).rejects.toBe(lost)
    expect(store.items()).toMatchObject([{ userId: 'a', v: 1 }])
    expect(waits).toEqual([5])
    store.fault = undefined
    expect(await store.put(typicalItem('a', { v: 2 }), 1)).toEqual({ outcome: 'written' })
  })
})
