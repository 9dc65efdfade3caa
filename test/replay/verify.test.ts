import { inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { UserState } from '../../src/features/state.ts'
import { userBucket } from '../../src/platform/hash.ts'
import { seededRandom } from '../../src/platform/random.ts'
import type { ItemParts } from '../../src/store/item-codec.ts'
import { memoryHistory } from '../fakes/memory-history.ts'
import { START } from '../features/factories.ts'
import { orderRecord } from '../recompute/harness.ts'
import { deliverAll, NOW, randomStream, type VerifyWorld, verifyWorld } from './verify-world.ts'

const DAY = 86_400_000

const streams = new Map<number, Promise<VerifyWorld>>()

/** A copy each, of one stream a seed. */
async function streamed(seed: number): Promise<VerifyWorld> {
  const stream = streams.get(seed) ?? newStream(seed)
  streams.set(seed, stream)
  return verifyWorld(await stream)
}

async function newStream(seed: number): Promise<VerifyWorld> {
  const world = verifyWorld()
  const random = seededRandom(seed)
  await deliverAll(world, randomStream(random), random)
  return world
}

describe('verify', () => {
  it.each([1, 2, 3])('finds nothing after a stream with everything in it, seed %i', async seed => {
    const world = await streamed(seed)
    const report = await world.verify()
    expect(report.counts).toMatchObject({ users: 12, matched: 12, missing: 0, extra: 0, different: 0, behind: 0 })
    expect(report.counts.events).toBeGreaterThan(200)
    expect(report.counts.values).toBe(12 * 19 * 4)
    expect(report.refusedToday).toBe(0)
    expect([...world.archive.objects.keys()].some(key => key.startsWith('deadletters/'))).toBe(true)
    expect(world.waits).toEqual([])
  })

  it('finds nothing where history was imported before the stream, some of it in both', async () => {
    const world = verifyWorld()
    const history = Array.from({ length: 200 }, (_, id) =>
      orderRecord(`old-${id}`, id + 1, { user: `user-${id % 7}`, ts: START + id * 3_600_000, amount: id }),
    )
    await world.importAll([...history, ...history.slice(0, 20)])
    const again = history.slice(150).map((record, index) => ({ ...record, sequence: `${index + 1}` }))
    const after = Array.from({ length: 100 }, (_, id) =>
      orderRecord(`new-${id}`, id + 100, { user: `user-${id % 9}`, ts: START + 11 * DAY + id * 60_000 }),
    )
    await world.deliver([...again, ...after])
    expect((await world.verify()).counts).toMatchObject({ users: 9, matched: 9 })
  })

  it('counts no event of an import that the item does not name', async () => {
    const world = verifyWorld()
    await world.deliver([orderRecord(1, 1, { user: 'ana', ts: START + 20 * DAY })])
    await world.importAll([orderRecord(2, 2, { user: 'ana', ts: START })])
    expect((await world.verify()).counts).toMatchObject({ users: 1, matched: 1, events: 1 })
  })

  it('takes an imported line that nobody could read then for the one user it is of', async () => {
    const world = verifyWorld()
    await world.importAll([1, 2, 3].map(id => orderRecord(id, id, { user: `user-${id}`, ts: START })))
    for (const [index, { batchId, payload }] of world.imports.entries()) world.imports[index] = { batchId, payload }
    expect((await world.verify()).counts).toMatchObject({ users: 3, matched: 3 })
  })

  it('leaves imported events of others of the bucket alone', async () => {
    const world = verifyWorld()
    const [ana, ben = ''] = inOneBucket()
    await world.importAll([ana, ben].map((user, id) => orderRecord(id, id + 1, { user: user ?? '', ts: START })))
    world.remove(ben)
    expect((await world.verify({ which: { kind: 'named', userIds: [ana ?? ''] } })).counts).toMatchObject({
      users: 1,
      matched: 1,
    })
  })

  it('compares only what a GET would answer where the stored values are of other definitions', async () => {
    const world = await streamed(2)
    await world.damage('user-5', ({ features }) => ({
      definitions: 'of before',
      features: withValue(features, 'spend90d', 1),
    }))
    expect((await world.verify()).counts).toMatchObject({ matched: 12, values: 11 * 19 * 4 + 19 * 2 })
  })

  it('compares no value that is null until it is backfilled, but one that is pending and there', async () => {
    const world = await streamed(2)
    const pending = { orders30d: 'backfilling' }
    const with30d = (orders30d: number | null) => (parts: ItemParts) => {
      const body = JSON.parse(withValue(parts.features, 'orders30d', orders30d)) as object
      return { features: JSON.stringify({ ...body, pending }) }
    }
    await world.damage('user-5', with30d(null))
    expect((await world.verify()).counts).toMatchObject({ matched: 12, backfilling: 1 })
    await world.damage('user-5', with30d(77))
    expect((await world.verify()).counts).toMatchObject({ matched: 11, different: 1 })
  })

  it('looks at the same users for a seed, with an item or without, and at no other', async () => {
    const world = await streamed(1)
    const which = { kind: 'sample', users: 5, seed: 'monday' } as const
    expect((await world.verify({ which })).counts).toMatchObject({ users: 5, matched: 5 })
    const wrong: string[] = []
    for (const { userId } of world.users.items()) {
      const without = await streamed(1)
      without.remove(userId)
      const { counts, missing } = await without.verify({ which: { ...which, users: 4 } })
      expect(counts.users - counts.missing).toBe(4)
      wrong.push(...missing.map(user => user.userId))
    }
    expect(wrong.length).toBeGreaterThan(2)
    expect(wrong.length).toBeLessThan(12)
  })

  it('finds the same where a bucket does not fit into memory', async () => {
    const world = await streamed(1)
    expect(await world.verify({ eventsInMemoryMax: 3 })).toEqual(await world.verify())
  })

  it('looks at the users that are named, who need not be there', async () => {
    const world = await streamed(1)
    const which = { kind: 'named', userIds: ['user-3', 'user-4', 'nobody'] } as const
    expect((await world.verify({ which })).counts).toMatchObject({ users: 2, matched: 2 })
  })
})

describe('verify reports', () => {
  it('a tile that a roll-up dropped, though what is stored is right', async () => {
    const world = await streamed(2)
    await world.damage('user-5', ({ state }) => ({ state: withoutTile(state) }))
    const { counts, different } = await world.verify()
    expect(counts).toMatchObject({ matched: 11, different: 1 })
    expect(different).toMatchObject([{ userId: 'user-5', worst: { source: 'evaluated' } }])
    expect(different[0]?.values).toBeGreaterThan(0)
    expect(world.waits).toEqual([2000])
  })

  it('an item that is gone', async () => {
    const world = await streamed(2)
    world.remove('user-5')
    const { counts, missing } = await world.verify()
    expect(counts).toMatchObject({ users: 12, matched: 11, missing: 1 })
    expect(missing).toMatchObject([{ userId: 'user-5' }])
    expect(missing[0]?.events).toBeGreaterThan(20)
    expect((await world.verify({ which: { kind: 'named', userIds: ['user-5'] } })).counts).toMatchObject({ missing: 1 })
    world.archived.push(orderRecord('not folded yet', 5000, { user: 'user-5', ts: START + 50 * DAY }))
    expect((await world.verify()).missing).toEqual(missing)
  })

  it('an item of which history knows nothing', async () => {
    const world = await streamed(2)
    await world.damage('user-5', () => ({ userId: 'nobody' }))
    expect(await world.verify()).toMatchObject({ counts: { matched: 12, extra: 1 }, extra: [{ userId: 'nobody' }] })
  })

  it('a stored value that is another one', async () => {
    const world = await streamed(2)
    await world.damage('user-5', ({ features }) => ({ features: withValue(features, 'spend90d', 1) }))
    const { counts, different } = await world.verify()
    expect(counts).toMatchObject({ matched: 11, different: 1 })
    expect(different).toMatchObject([
      { userId: 'user-5', worst: { name: 'spend90d', source: 'stored', found: 1, recomputed: expect.any(Number) } },
    ])
  })

  it('a stored value that is served for too long', async () => {
    const world = await streamed(2)
    const tooLong = NOW + 90 * DAY
    await world.damage('user-5', ({ features }) => ({
      fresh: tooLong,
      features: JSON.stringify({ ...(JSON.parse(features) as object), freshUntil: tooLong }),
    }))
    const [user] = (await world.verify()).different
    expect(user).toMatchObject({ userId: 'user-5', worst: { source: 'stored', instantMs: tooLong - 1 } })
  })

  it('a newest event time that no event has', async () => {
    const world = await streamed(2)
    await world.damage('user-5', ({ at }) => ({ at: at + 1 }))
    expect((await world.verify()).different[0]?.worst).toMatchObject({ name: 'at' })
  })

  it('a mark that has passed a record which was never folded', async () => {
    const world = await streamed(2)
    const lost = orderRecord('lost', 1000, { user: 'user-5', ts: START + 20 * DAY })
    world.archived.push(lost)
    expect((await world.verify()).counts).toMatchObject({ matched: 12 })
    await world.damage('user-5', passed('events@1/shardId-000000000000', '1000'))
    expect(await world.verify()).toMatchObject({
      counts: { matched: 11, different: 1 },
      different: [{ userId: 'user-5' }],
    })
  })

  it('bytes that cannot be read, and says no more of them', async () => {
    const world = await streamed(2)
    const raw = world.users.raw('user-5')
    world.users.plant({ ...raw, userId: { S: 'user-5' }, st: { B: Buffer.from('torn') } })
    expect(await world.verify()).toMatchObject({ counts: { matched: 11, corrupt: 1 }, corrupt: [{ userId: 'user-5' }] })
  })
})

describe('an archive that is behind', () => {
  it('is waited for', async () => {
    const world = await streamed(3)
    let opened = 0
    const openHistory = async () => memoryHistory(++opened < 3 ? world.archived.slice(0, 200) : world.archived)
    expect((await world.verify({ openHistory })).counts).toMatchObject({ matched: 12 })
    expect(world.waits).toEqual([2000, 2000])
  })

  it('leaves out users, by name, when the wait is over', async () => {
    const world = await streamed(3)
    const openHistory = async () => memoryHistory(world.archived.slice(0, 200))
    const { counts, behind } = await world.verify({ openHistory })
    expect(counts.behind).toBeGreaterThan(8)
    expect(counts.different + counts.missing + counts.extra).toBe(0)
    expect(behind[0]).toMatchObject({ userId: expect.any(String), shard: expect.stringContaining('events@1/') })
    expect(world.waits).toHaveLength(5)
  })
})

describe('a stream that goes on meanwhile', () => {
  it('makes nobody wrong: only what is wrong twice is reported', async () => {
    const world = await streamed(3)
    const written = await world.item('user-5')
    await world.damage('user-5', ({ features }) => ({ features: withValue(features, 'orders30d', 77) }))
    const sleep = async (): Promise<void> => world.damage('user-5', () => parts(written))
    expect((await world.verify({ sleep })).counts).toMatchObject({ users: 12, matched: 12, different: 0 })
  })

  it('is ahead in the archive: a new user without an item yet is not missing', async () => {
    const world = await streamed(3)
    world.archived.push(orderRecord('first', 5000, { user: 'newcomer', ts: START + 50 * DAY }))
    expect((await world.verify()).counts).toMatchObject({ users: 12, matched: 12, missing: 0 })
  })
})

function parts(item: { readonly ft: Uint8Array }): Partial<ItemParts> {
  return { features: Buffer.from(inflateSync(item.ft)).toString('utf8') }
}

/** The newest tile of the state with most of them, of events that a window still counts. */
function withoutTile(state: string): string {
  const entries = JSON.parse(state) as UserState
  const [entry] = Object.values(entries).sort((a, b) => (b.d?.[0].length ?? 0) - (a.d?.[0].length ?? 0))
  const [places, cells] = entry?.d ?? [[], []]
  const [newest = 0, gap = 0] = places
  places.splice(0, 2, newest - gap)
  cells.shift()
  return JSON.stringify(entries)
}

function withValue(features: string, name: string, value: number | null): string {
  const body = JSON.parse(features) as { readonly values: object }
  return JSON.stringify({ ...body, values: { ...body.values, [name]: value } })
}

function passed(shard: string, sequence: string) {
  return ({ dedup }: ItemParts): Partial<ItemParts> => ({
    dedup: { ...dedup, marks: new Map(dedup.marks).set(shard, { sequence, arrivalMs: NOW }) },
  })
}

function inOneBucket(): readonly string[] {
  const names = Array.from({ length: 1000 }, (_, index) => `user-${index}`)
  return names.filter(name => userBucket(name) === userBucket('user-0')).slice(0, 2)
}
