// A run over everybody: who is written and who is not, what a run that was killed leaves to the next one, and when it stops.
import { beforeEach, describe, expect, it } from 'vitest'
import type { StoredItem, UserStore } from '../../src/store/user-item.ts'
import { orderRecord } from '../recompute/harness.ts'
import {
  itemsOf,
  keptOf,
  MODEL,
  NEW,
  OLD,
  orders,
  type RescoreWorld,
  rescoreWorld,
  storedAndEvaluated,
} from './rescore-world.ts'

const USERS = 20
const USERS_PER_STEP = 20
const NOBODY = { users: 0, rescored: 0, already: 0, conflicts: 0, left: 0, corrupt: 0, refused: 0, noAnswer: 0 }
let world: RescoreWorld

beforeEach(async () => {
  world = rescoreWorld()
  await world.deliver(orders(USERS, 2))
  world.promote(NEW)
  world.users.resetCounters()
})

/** The table, with somebody who acts before the first put of a user. */
function before(userId: string, act: () => Promise<void>): UserStore {
  let isDone = false
  return {
    ...world.users,
    put: async (item, expected) => {
      if (item.userId === userId && !isDone) {
        isDone = true
        await act()
      }
      return world.users.put(item, expected)
    },
  }
}

function expectAll(batchId: string): void {
  for (const item of itemsOf(world.users)) {
    const [stored, evaluated] = storedAndEvaluated(item, batchId)
    expect(stored).toEqual(evaluated)
  }
}

describe('a run over everybody', () => {
  it('writes each user once with what evaluating gives now, and touches nothing else of the items', async () => {
    const kept = keptOf(world.users)
    const result = await world.rescore()
    expect(result).toEqual({
      counts: { ...NOBODY, users: USERS, rescored: USERS },
      segments: 2,
      isResumed: false,
      isMoved: false,
    })
    expectAll(NEW)
    expect(keptOf(world.users)).toEqual(kept)
    expect(itemsOf(world.users).map(({ v }) => v)).toEqual(Array.from({ length: USERS }, () => 2))
    // Exact now, and not only at the newest event.
    expect(itemsOf(world.users).every(({ fresh = Infinity }) => fresh > world.nowMs)).toBe(true)
  })

  it('writes nobody who has the batch already', async () => {
    world.believed = NEW
    await world.deliver(orders(3, 1, 1000))
    world.users.resetCounters()
    expect((await world.rescore()).counts).toEqual({ ...NOBODY, users: USERS, rescored: USERS - 3, already: 3 })
    expect(world.users.counters.puts).toBe(USERS - 3)
    expect((await world.rescore()).counts).toEqual({ ...NOBODY, users: USERS, already: USERS })
    expect(world.users.counters.puts).toBe(USERS - 3)
  })

  it('leaves a user to whom an event was first, where it came with the batch', async () => {
    const users = before('user-7', async () => {
      world.believed = NEW
      await world.deliver([orderRecord('late', 900, { user: 'user-7' })])
    })
    expect((await world.rescore({}, users)).counts).toEqual({
      ...NOBODY,
      users: USERS,
      rescored: USERS - 1,
      conflicts: 1,
    })
    expectAll(NEW)
    expect(itemsOf(world.users).find(({ userId }) => userId === 'user-7')?.v).toBe(2)
  })

  it('tries a user again to whom an event was first with the batch before', async () => {
    const users = before('user-7', () => world.deliver([orderRecord('late', 900, { user: 'user-7' })]))
    expect((await world.rescore({}, users)).counts).toEqual({ ...NOBODY, users: USERS, rescored: USERS })
    expectAll(NEW)
    expect(itemsOf(world.users).find(({ userId }) => userId === 'user-7')?.v).toBe(3)
  })

  it('leaves a user to whom others are first each time', async () => {
    let event = 900
    const users: UserStore = {
      ...world.users,
      put: async (item, expected) => {
        if (item.userId === 'user-7') await world.deliver([orderRecord(event, event++, { user: 'user-7' })])
        return world.users.put(item, expected)
      },
    }
    expect((await world.rescore({}, users)).counts).toEqual({ ...NOBODY, users: USERS, rescored: USERS - 1, left: 1 })
  })

  it('counts a put of its own whose answer was lost as written', async () => {
    const users: UserStore = {
      ...world.users,
      put: async (item, expected) => {
        await world.users.put(item, expected)
        return world.users.put(item, expected)
      },
    }
    expect((await world.rescore({}, users)).counts).toEqual({ ...NOBODY, users: USERS, rescored: USERS })
    expect(itemsOf(world.users).every(({ v }) => v === 2)).toBe(true)
  })

  it('counts items that cannot be read, and leaves them', async () => {
    const raw = world.users.raw('user-3') ?? {}
    world.users.plant({ ...raw, st: { B: new Uint8Array([1, 2, 3]) } })
    expect((await world.rescore()).counts).toEqual({ ...NOBODY, users: USERS, rescored: USERS - 1, corrupt: 1 })
    expect(world.users.raw('user-3')?.['v']).toEqual({ N: '1' })
  })

  it('stops where the pointer has moved, and says so', async () => {
    const puts: StoredItem[] = []
    const users: UserStore = {
      ...world.users,
      put: async (item, expected) => {
        puts.push(item)
        if (puts.length === 4) world.promote(OLD)
        // Time for a look at the pointer.
        world.nowMs += 10_000
        return world.users.put(item, expected)
      },
    }
    const { isMoved, counts } = await world.rescore({}, users)
    expect(isMoved).toBe(true)
    expect(counts.users).toBeLessThan(USERS)
    expect(counts.users).toBe(puts.length)
  })

  it('writes at most so many users a second', async () => {
    const startMs = world.nowMs
    await world.rescore({ usersPerSecond: 5 })
    expect(world.sleeps.length).toBeGreaterThan(0)
    expect(world.nowMs - startMs).toBeGreaterThanOrEqual(((USERS - 1) / 5) * 1000)
  })

  it('writes nothing in a dry run, neither users nor progress', async () => {
    expect((await world.rescore({ isDryRun: true })).counts).toEqual({ ...NOBODY, users: USERS, rescored: USERS })
    expect(world.users.counters.puts).toBe(0)
    expect(world.objects.objects.size).toBe(0)
  })

  it('evaluates everybody again when a batch becomes current again', async () => {
    await world.rescore()
    world.promote(OLD)
    await world.deliver([orderRecord('between', 901, { user: 'user-1' })])
    world.promote(NEW)
    const { counts, isResumed } = await world.rescore()
    expect({ counts, isResumed }).toEqual({
      counts: { ...NOBODY, users: USERS, rescored: 1, already: USERS - 1 },
      isResumed: false,
    })
    expectAll(NEW)
  })
})

describe('a run that is killed', () => {
  const MANY = 3 * USERS_PER_STEP + 100

  beforeEach(async () => {
    world = rescoreWorld()
    await world.deliver(orders(MANY, 1))
    world.promote(NEW)
    world.users.resetCounters()
  })

  it('goes on where it was, and counts nobody twice', async () => {
    let puts = 0
    const dying: UserStore = {
      ...world.users,
      put: async (item, expected) => {
        if (++puts > MANY * 0.8) throw new Error('killed')
        return world.users.put(item, expected)
      },
    }
    await expect(world.rescore({ usersPerStep: USERS_PER_STEP }, dying)).rejects.toThrow('killed')
    const written = itemsOf(world.users).filter(({ models }) => models[MODEL] === NEW).length
    expect(written).toBeGreaterThan(USERS_PER_STEP)
    let scanned = 0
    world.users.fault = ({ operation, userIds }) => {
      if (operation === 'scan') scanned += userIds.length
      return undefined
    }
    // The segments are those of the run that began.
    const { counts, isResumed, segments } = await world.rescore({ segments: 5, usersPerStep: USERS_PER_STEP })
    expect({ isResumed, segments }).toEqual({ isResumed: true, segments: 2 })
    expect(scanned).toBeLessThanOrEqual(MANY - USERS_PER_STEP)
    expect(counts).toEqual({ ...NOBODY, users: MANY, rescored: counts.rescored, already: MANY - counts.rescored })
    expect(itemsOf(world.users).every(({ v, models }) => v === 2 && models[MODEL] === NEW)).toBe(true)
    expect(world.users.counters.puts - world.users.counters.conflicts).toBe(MANY)
  })

  it('is not overtaken by one that does not know of it', async () => {
    const others: UserStore = {
      ...world.users,
      scan: async function* (segment, segments, after) {
        // Another run begins, and is done, before this one has its first page.
        if (segment === 0 && after === undefined && world.objects.objects.size === 1) {
          world.users.fault = undefined
          await world.rescore()
        }
        yield* world.users.scan(segment, segments, after)
      },
    }
    await expect(world.rescore({}, others)).rejects.toMatchObject({ code: 'rescore-running' })
    expect(itemsOf(world.users).every(({ v }) => v === 2)).toBe(true)
  })

  it('leaves objects whose names say nothing of users', async () => {
    await world.rescore()
    const names = [...world.objects.objects.keys()]
    expect(names).toContain(`rescore/churn/${NEW}/after-000000002/000000001/start`)
    expect(names.filter(name => name.includes('user'))).toEqual([])
  })
})
