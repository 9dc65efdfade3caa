// Snapshots under faults, by seed: workers die at any call, invocations come twice or are lost, nights overlap. Whatever happens, readers see
// one whole batch or the one before, and once the faults end the night is committed.
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/platform/random.ts'
import type { SnapshotEvent } from '../../src/snapshot/snapshot-events.ts'
import { WAKE_AFTER_MS } from '../../src/snapshot/snapshot-function.ts'
import { INSTANT, Killed, REF, type RunWorld, runWorld, userNames } from './run-world.ts'

const SEEDS = 15
const USERS = 24
const ROUNDS_MAX = 60

/** What runs goes on at once, so that their steps interleave; those who die come again, as Lambda has it, or are lost. */
async function night(world: RunWorld, random: () => number, first: readonly SnapshotEvent[]): Promise<void> {
  const takeUp: SnapshotEvent = { snapshot: 'take-up' }
  let queue: SnapshotEvent[] = [...first]
  for (let round = 0; round < ROUNDS_MAX; round++) {
    // Faults end, or nothing would.
    if (round >= 12) world.dies = () => false
    const batch = queue.splice(0)
    const again: SnapshotEvent[] = []
    await Promise.all(
      batch.map(async event => {
        try {
          await world.invoke(event)
        } catch (error) {
          if (!(error instanceof Killed)) throw error
          // Of one that began nothing nobody would know.
          if (event.snapshot === 'take' || random() < 0.6) again.push(event)
        }
      }),
    )
    const woken = world.woken.splice(0).flatMap((event): SnapshotEvent[] => {
      const chance = random()
      if (round < 12 && chance < 0.15) return []
      return chance > 0.85 ? [event, event] : [event]
    })
    queue = [...again, ...woken]
    await expectWhole(world)
    if (queue.length > 0) continue
    if (await isOver(world)) return
    world.nowMs += WAKE_AFTER_MS
    queue = [takeUp]
  }
  throw new Error('The night never ends')
}

async function expectWhole(world: RunWorld): Promise<void> {
  const dies = world.dies
  world.dies = () => false
  const users = await world.current()
  if (users !== undefined) expect(users).toEqual(userNames(USERS))
  world.dies = dies
}

async function isOver(world: RunWorld): Promise<boolean> {
  const dies = world.dies
  world.dies = () => false
  const current = await world.deps.catalog.current(REF)
  world.dies = dies
  return current !== undefined
}

function dyingBy(random: () => number, share: number): RunWorld['dies'] {
  return () => random() < share
}

const seeds = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

describe('the snapshot function under faults', () => {
  let deaths = 0

  it.each(seeds(SEEDS))(
    'commits one batch with every user once, whoever dies, comes twice or never comes: seed %i',
    async seed => {
      const random = seededRandom(seed)
      const world = await runWorld({ users: USERS, random: seededRandom(seed + 1_000) })
      world.patience = 1 + Math.floor(random() * 4)
      const dying = dyingBy(random, 0.03)
      world.dies = call => dying(call) && ++deaths > 0
      const take: SnapshotEvent = { snapshot: 'take', instantMs: INSTANT, requestId: 'night' }
      await night(world, random, random() < 0.3 ? [take, take] : [take])
      world.dies = () => false
      const history = await world.deps.catalog.history(REF)
      expect(history.map(({ kind }) => kind)).toEqual(['commit'])
    },
  )

  it('has seen deaths', () => {
    expect(deaths).toBeGreaterThan(SEEDS)
  })

  it.each(seeds(5))('is one batch of two nights that are asked for at once: seed %i', async seed => {
    const world = await runWorld({ users: USERS, random: seededRandom(seed + 1_000) })
    await night(world, seededRandom(seed), [
      { snapshot: 'take', instantMs: INSTANT, requestId: 'one' },
      { snapshot: 'take', instantMs: INSTANT + 1, requestId: 'other' },
    ])
    expect(await world.deps.catalog.history(REF)).toHaveLength(1)
  })
})
