import { describe, expect, it } from 'vitest'
import type { CatalogStore } from '../../src/catalog/catalog-store.ts'
import { LEASE_MS, LEASE_RESERVE_MS, leases, whileHeld } from '../../src/catalog/lease.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { type CatalogStoreCall, memoryCatalogStore } from '../fakes/memory-catalog-store.ts'

const REF = { db: 'removals', table: 'shop' }

function world(fault?: (call: CatalogStoreCall) => void) {
  const store = memoryCatalogStore(fault)
  const clock = { nowMs: Date.UTC(2026, 0, 1) }
  const takeLease = leases({ store, clock: () => clock.nowMs, random: seededRandom(7) })
  const take = (who: string, name = 'dev.spills') => takeLease(REF, name, { who, what: 'a sweep' })
  return { store, clock, take }
}

describe('a lease', () => {
  it('is held by one, who is named to the next one with the end', async () => {
    const { clock, take } = world()
    await take('ana')
    clock.nowMs += LEASE_MS - 1
    await expect(take('bob')).rejects.toMatchObject({
      code: 'lease-held',
      retriable: true,
      message: 'ana is at it: a sweep, since 2026-01-01T00:00:00.000Z',
      next: expect.stringContaining('2026-01-01T00:15:00.000Z'),
    })
    await take('bob', 'prod.spills')
    clock.nowMs += 1
    await take('bob')
  })

  it('goes to one of many who want it at the same instant', async () => {
    const { take } = world()
    const outcomes = await Promise.allSettled(['ana', 'bob', 'eve', 'kim'].map(who => take(who)))
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected'])
  })

  it('may be taken at once where it was given back, also by who failed', async () => {
    const { take } = world()
    expect(await whileHeld(await take('ana'), async () => 7)).toBe(7)
    await expect(whileHeld(await take('bob'), () => Promise.reject(new Error('it fell')))).rejects.toThrow('it fell')
    await take('eve')
  })

  it('is kept for as long as its holder asks, with a write in ten minutes', async () => {
    const { store, clock, take } = world()
    const lease = await take('ana')
    for (let minute = 0; minute < 60; minute++) {
      clock.nowMs += 60_000
      await Promise.all([lease.keep(), lease.keep()])
      await expect(take('bob')).rejects.toMatchObject({ code: 'lease-held' })
    }
    expect(store.calls.create).toBe(1 + 60 / ((LEASE_MS - LEASE_RESERVE_MS) / 60_000))
  })

  it('is lost where another one has had it meanwhile, though that one is done; else it goes on', async () => {
    const { clock, take } = world()
    const slow = await take('ana')
    clock.nowMs += 10 * LEASE_MS
    await slow.keep()
    clock.nowMs += LEASE_MS
    await whileHeld(await take('bob'), async () => undefined)
    await expect(slow.keep()).rejects.toMatchObject({ code: 'lease-lost', message: expect.stringContaining('bob') })
    const next = await take('eve')
    // What is lost cannot be given back in somebody else's name.
    await slow.release()
    await next.keep()
    await expect(take('kim')).rejects.toMatchObject({ code: 'lease-held' })
  })

  it('is ours where the answer was lost and the client has repeated the call', async () => {
    const store = memoryCatalogStore()
    const twice: CatalogStore = {
      ...store,
      create: async item => {
        await store.create(item)
        return store.create(item)
      },
    }
    const takeLease = leases({ store: twice, clock: () => 0, random: seededRandom(7) })
    const take = (who: string) => takeLease(REF, 'dev.spills', { who, what: 'a sweep' })
    const lease = await take('ana')
    await lease.release()
    await take('bob')
  })

  it('does not take what was done down with it where it cannot be given back', async () => {
    let isDown = false
    const { take } = world(() => {
      if (isDown) throw new Error('no catalogue')
    })
    const done = whileHeld(await take('ana'), async () => {
      isDown = true
      return 7
    })
    expect(await done).toBe(7)
  })

  it('is not taken from a release whose items nobody here understands', async () => {
    const { store, take } = world()
    await store.create({ table: 'removals.shop', sk: 'lease#dev.spills#000000001', attributes: { version: 9 } })
    await expect(take('ana')).rejects.toMatchObject({ code: 'lease-held' })
  })
})
