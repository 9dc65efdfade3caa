// Everybody scored by a version before it serves: readers get one version before the swap and the other one after it, whatever events do
// in between, and after it what is stored.
import { beforeEach, describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/platform/random.ts'
import { predictOne } from '../../src/predictions/predictor.ts'
import { type BeforePointerResult, rescoreBeforePointer } from '../../src/rescore/before-pointer.ts'
import { featuresAt } from '../../src/serve/evaluate-user.ts'
import { serveHttp } from '../../src/serve/serve-http.ts'
import type { UserStore } from '../../src/store/user-item.ts'
import { gatewayEvent } from '../fakes/http-gateway.ts'
import { orderRecord, smallShop } from '../recompute/harness.ts'
import {
  functionPredictor,
  itemsOf,
  keptOf,
  MODEL,
  NEW,
  OLD,
  orders,
  OTHER,
  pinnedTo,
  type RescoreWorld,
  rescoreWorld,
  storedAndEvaluated,
} from './rescore-world.ts'

const USERS = 10
const SETTLE_MS = 60_000
let world: RescoreWorld

beforeEach(async () => {
  world = rescoreWorld()
  await world.deliver(orders(USERS, 2))
})

interface Hooks {
  readonly users?: UserStore
  readonly onSettle?: () => Promise<void>
  readonly isDryRun?: boolean
}

function run({ users = world.users, onSettle, isDryRun = false }: Hooks = {}): Promise<BeforePointerResult> {
  return rescoreBeforePointer(
    { model: MODEL, batchId: NEW, entry: world.log.length, segments: 2, settleMs: SETTLE_MS, isDryRun },
    {
      compiled: smallShop,
      users,
      predictor: pinnedTo(NEW),
      objects: world.objects,
      random: seededRandom(5),
      clock: () => world.nowMs,
      sleep: async ms => {
        world.nowMs += ms
        world.sleeps.push(ms)
        await onSettle?.()
      },
      newestEntry: async () => world.log.length,
      swap: async () => {
        world.promote(NEW)
        return { number: world.log.length }
      },
    },
  )
}

/** Everybody as a serve function that looks at the pointer for each request answers: user → batch of the prediction, and its source. */
async function readAll(): Promise<Map<string, readonly [string, string]>> {
  const predictor = functionPredictor(() => world.log.at(-1) ?? '')
  const handler = serveHttp({
    load: userId => world.users.load(userId),
    featuresAt: (item, atMs) => featuresAt(smallShop, item, atMs),
    predict: body => predictOne(predictor, body),
    productionBatches: () => predictor.production(),
    definitions: smallShop.definitions,
    shadows: new Set(),
    spills: undefined,
    clock: () => world.nowMs,
    report: error => expect.fail(String(error)),
  })
  const answers = itemsOf(world.users).map(async ({ userId }) => {
    const event = gatewayEvent({ route: '/users/{userId}/predictions', pathParameters: { userId } })
    const { body, headers, isBase64Encoded } = await handler(event)
    const text = isBase64Encoded ? Buffer.from(body, 'base64').toString() : body
    return [userId, [JSON.parse(text).models[MODEL].batchId, headers['millrace-source'] ?? '']] as const
  })
  return new Map(await Promise.all(answers))
}

function batchesOf(answers: ReadonlyMap<string, readonly [string, string]>): string[] {
  return [...new Set([...answers.values()].map(([batchId]) => batchId))]
}

describe('a version that everybody is scored by before it serves', () => {
  it('is never read before the swap, and the one before is never read after it, with events in between', async () => {
    const kept = itemsOf(world.users).length
    let event = 500
    const users: UserStore = {
      ...world.users,
      put: async (item, expected) => {
        // A user who is prepared or not has an event, by a function that goes by the pointer.
        if (event % 3 === 0) await world.deliver([orderRecord(event, event, { user: `user-${event % USERS}` })])
        event++
        const put = await world.users.put(item, expected)
        expect(batchesOf(await readAll())).toEqual([world.log.at(-1)])
        return put
      },
    }
    const { prepared, finished } = await run({
      users,
      onSettle: async () => {
        // Swapped, and nothing is rescored since: a function goes by the version before until it looks again.
        expect(world.log.at(-1)).toBe(NEW)
        await world.deliver([orderRecord(800, 800, { user: 'user-2' })])
        expect(batchesOf(await readAll())).toEqual([NEW])
        world.believed = NEW
      },
    })
    expect(prepared.counts.users).toBe(USERS)
    expect(finished?.counts.users).toBe(USERS)
    expect(finished?.counts.rescored).toBeGreaterThan(0)
    expect(finished?.counts.already).toBeGreaterThan(0)
    expect(itemsOf(world.users)).toHaveLength(kept)
    for (const item of itemsOf(world.users)) {
      const [stored, evaluated] = storedAndEvaluated(item, NEW)
      expect(stored).toEqual(evaluated)
    }
  })

  it('is served from what is stored as soon as the pointer names it', async () => {
    const sources: string[][] = []
    await run({
      onSettle: async () => void sources.push([...(await readAll()).values()].map(answer => answer.join(' '))),
    })
    expect(sources).toEqual([Array.from({ length: USERS }, () => `${NEW} stored`)])
  })

  it('writes each user once where there are no events, and no decision differs', async () => {
    const kept = keptOf(world.users)
    world.users.resetCounters()
    const { prepared, finished } = await run()
    expect(prepared.counts).toMatchObject({ users: USERS, rescored: USERS })
    expect(finished?.counts).toMatchObject({ users: USERS, rescored: 0, already: USERS })
    expect(world.users.counters.puts).toBe(USERS)
    expect(world.sleeps).toEqual([SETTLE_MS])
    expect(keptOf(world.users)).toEqual(kept)
  })

  it('swaps nothing where somebody else has moved the pointer meanwhile', async () => {
    const users: UserStore = {
      ...world.users,
      put: async (item, expected) => {
        if (world.log.length === 1) world.promote(OTHER)
        return world.users.put(item, expected)
      },
    }
    const { prepared, finished } = await run({ users })
    expect({ isMoved: prepared.isMoved, finished }).toEqual({ isMoved: true, finished: undefined })
    expect(world.log).toEqual([OLD, OTHER])
    expect(batchesOf(await readAll())).toEqual([OTHER])
  })

  it('goes on where it was killed, and swaps once', async () => {
    let puts = 0
    const dying: UserStore = {
      ...world.users,
      put: async (item, expected) => {
        if (++puts > USERS / 2) throw new Error('killed')
        return world.users.put(item, expected)
      },
    }
    await expect(run({ users: dying })).rejects.toThrow('killed')
    expect(world.log).toEqual([OLD])
    expect(batchesOf(await readAll())).toEqual([OLD])
    const { prepared } = await run()
    expect(prepared).toMatchObject({ isResumed: true, counts: { users: USERS } })
    expect(world.log).toEqual([OLD, NEW])
    expect(itemsOf(world.users).every(({ v }) => v === 2)).toBe(true)
  })

  it('is given up by going back: readers have the version before at once', async () => {
    await run()
    world.promote(OLD)
    expect(batchesOf(await readAll())).toEqual([OLD])
    await world.rescore()
    expect([...(await readAll()).values()]).toEqual(Array.from({ length: USERS }, () => [OLD, 'stored']))
  })

  it('changes nothing in a dry run', async () => {
    const { prepared, finished } = await run({ isDryRun: true })
    expect(prepared.counts).toMatchObject({ users: USERS, rescored: USERS })
    expect(finished).toBeUndefined()
    expect(world.log).toEqual([OLD])
    expect(world.objects.objects.size).toBe(0)
  })
})
