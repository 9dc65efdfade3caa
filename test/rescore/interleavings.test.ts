// Events, promotions, rollbacks and runs that die, in any order of their calls to the table: in the end every item is what evaluating its
// own state by the version in production gives, and what was decided about events is as if nobody had been rescored.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StoredItem, UserStore } from '../../src/store/user-item.ts'
import { propertyRuns, PROPERTY_MS_MAX } from '../features/property-runs.ts'
import { Turns } from '../recompute/interleaving.ts'
import { orderRecord } from '../recompute/harness.ts'
import {
  itemsOf,
  keptOf,
  MODEL,
  NEW,
  OLD,
  OTHER,
  type RescoreWorld,
  rescoreWorld,
  stateOf,
  storedAndEvaluated,
} from './rescore-world.ts'

const USERS = 4
const LOSSES_MAX = 2

interface Steps {
  /** Users of the events of each batch. */
  readonly batches: readonly (readonly number[])[]
  readonly promotions: readonly { readonly batchId: string; readonly turnsUntilSeen: number }[]
  /** Of each run, the put at which it dies, if it lives so short. */
  readonly runs: readonly number[]
  readonly choices: readonly number[]
}

const steps: fc.Arbitrary<Steps> = fc.record({
  batches: fc.array(fc.array(fc.nat(USERS - 1), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 }),
  promotions: fc.array(fc.record({ batchId: fc.constantFrom(OLD, NEW, OTHER), turnsUntilSeen: fc.nat(4) }), {
    maxLength: 4,
  }),
  runs: fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 3 }),
  choices: fc.array(fc.nat(1000), { minLength: 1, maxLength: 60 }),
})

const KILLED = 'killed'

/** Versions of each user in the order of the writes that were made. */
function watched(users: UserStore, versions: Map<string, number[]>): UserStore {
  return {
    ...users,
    put: async (item, expected) => {
      const put = await users.put(item, expected)
      if (put.outcome === 'written') versions.set(item.userId, [...(versions.get(item.userId) ?? []), item.v])
      return put
    },
  }
}

function dyingAt(users: UserStore, puts: number): UserStore {
  let left = puts
  return {
    ...users,
    put: async (item: StoredItem, expected) => {
      if (--left < 0) throw new Error(KILLED)
      return users.put(item, expected)
    },
  }
}

function recordsOf({ batches }: Steps) {
  let sequence = 0
  return batches.map(users => users.map(user => orderRecord(`o${++sequence}`, sequence, { user: `user-${user}` })))
}

async function play(world: RescoreWorld, given: Steps, versions: Map<string, number[]>): Promise<void> {
  let choice = 0
  const choose = (options: number): number => (given.choices[choice++ % given.choices.length] ?? 0) % options
  const turns = new Turns(choose, LOSSES_MAX)
  const table = (): UserStore => turns.storeOf(watched(world.users, versions))
  const waiting = table()
  const turn = (): Promise<unknown> => waiting.load('nobody')
  const waiters: (() => void)[] = []
  let delivery: Promise<void> | undefined
  const events = async (): Promise<void> => {
    for (const records of recordsOf(given)) {
      delivery = deliverUntilDone(world, records, table())
      await delivery
    }
  }
  // What `--settle` waits for: functions have seen the pointer, and what they predicted before is written.
  const settled = async (): Promise<void> => {
    for (;;) {
      while (world.believed !== world.log.at(-1)) await new Promise<void>(resolve => waiters.push(resolve))
      const entry = world.log.length
      await delivery
      if (entry === world.log.length) return
    }
  }
  const promotions = async (): Promise<void> => {
    for (const { batchId, turnsUntilSeen } of given.promotions) {
      await turn()
      world.promote(batchId)
      for (let left = turnsUntilSeen; left > 0; left--) await turn()
      world.believed = batchId
      for (const resolve of waiters.splice(0)) resolve()
    }
  }
  const runs = async (): Promise<void> => {
    for (const puts of given.runs) {
      await turn()
      await settled()
      await world.rescore({ usersPerStep: 1 }, dyingAt(table(), puts)).catch(unlessKilled)
    }
  }
  await turns.run([events(), promotions(), runs()])
}

/** As Lambda does with a batch whose writers lost too often. */
async function deliverUntilDone(world: RescoreWorld, records: ReturnType<typeof recordsOf>[number], users: UserStore) {
  for (;;) {
    try {
      return await world.deliver(records, users)
    } catch (error) {
      if ((error as { code?: string }).code !== 'write-conflict') throw error
    }
  }
}

function unlessKilled(error: unknown): void {
  if (!(error instanceof Error) || error.message !== KILLED) throw error
}

describe('whatever comes in between', () => {
  it(
    'in the end everybody has what production gives, versions have gone up one by one, and no decision differs',
    async () => {
      await fc.assert(
        fc.asyncProperty(steps, async given => {
          const [world, alone] = [rescoreWorld(), rescoreWorld()]
          const versions = new Map<string, number[]>()
          await play(world, given, versions)
          for (const records of recordsOf(given)) await alone.deliver(records)

          const production = world.log.at(-1) ?? ''
          const { isMoved, counts } = await world.rescore({}, watched(world.users, versions))
          expect(isMoved).toBe(false)
          expect(counts.left + counts.corrupt + counts.refused).toBe(0)

          for (const item of itemsOf(world.users)) {
            const [stored, evaluated] = storedAndEvaluated(item, production)
            expect(item.models[MODEL]).toBe(production)
            expect(stored).toEqual(evaluated)
            expect(versions.get(item.userId)).toEqual(Array.from({ length: item.v }, (_, index) => index + 1))
          }
          expect(keptOf(world.users)).toEqual(keptOf(alone.users))
          expect(itemsOf(world.users).map(stateOf)).toEqual(itemsOf(alone.users).map(stateOf))
        }),
        propertyRuns(60),
      )
    },
    PROPERTY_MS_MAX,
  )
})
