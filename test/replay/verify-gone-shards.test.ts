// Users who have folded more of a shard than the archive will ever have: nobody can tell whether they are right, and no wait helps.
import { describe, expect, it } from 'vitest'
import { EventStreamError } from '../../src/event/errors.ts'
import type { StreamTip } from '../../src/event/stream-tip.ts'
import { memoryHistory } from '../fakes/memory-history.ts'
import { START } from '../features/factories.ts'
import { orderRecord } from '../recompute/harness.ts'
import { type VerifyWorld, verifyWorld } from './verify-world.ts'

const HOUR = 3_600_000
const [OLDER, YOUNGER] = ['shardId-000000000000', 'shardId-000000000001'] as const

function tipOf(...shards: string[]): StreamTip {
  return { streamName: 'events', shards: async () => shards, read: () => expect.fail('nobody asks for the end') }
}

/** Ana has two orders of the older shard, Ben one, which is archived as Ana's first is. */
async function folded(): Promise<VerifyWorld> {
  const world = verifyWorld()
  const users = ['ana', 'ben', 'ana']
  await world.deliver(users.map((user, id) => orderRecord(id, id + 1, { user, ts: START + id * HOUR })))
  await world.deliver([{ ...orderRecord(9, 9, { user: 'eva', ts: START }), stream: 'events@1', shard: YOUNGER }])
  return world
}

function archivedOf(world: VerifyWorld) {
  return world.archived.filter(({ sequence }) => sequence !== '3')
}

describe('a shard that is gone from the stream before the archive had all of it', () => {
  it('leaves users unarchived who have more of it, and others are compared', async () => {
    const world = await folded()
    const openHistory = async () => memoryHistory(archivedOf(world))
    const report = await world.verify({ openHistory, tip: tipOf(YOUNGER) })
    expect(report.counts).toMatchObject({ users: 3, matched: 2, behind: 0, unarchived: 1, different: 0 })
    expect(report.unarchived).toEqual([{ userId: 'ana', shard: `events@1/${OLDER}` }])
  })

  it('is not known where the stream cannot be asked: its users are behind, and the others are told of', async () => {
    const world = await folded()
    const openHistory = async () => memoryHistory(archivedOf(world))
    const shards = () => Promise.reject(new EventStreamError('no such stream', { code: 'stream-unreadable' }))
    const report = await world.verify({ openHistory, tip: { ...tipOf(), shards } })
    expect(report.counts).toMatchObject({ users: 3, matched: 2, behind: 1, unarchived: 0 })
  })

  it('is not waited for where a later epoch of the stream tells', async () => {
    const world = await folded()
    await world.deliver([{ ...orderRecord(10, 1, { user: 'eva', ts: START + HOUR }), stream: 'events@2' }])
    const openHistory = async () => memoryHistory(archivedOf(world))
    expect((await world.verify({ openHistory })).counts).toMatchObject({ matched: 2, unarchived: 1 })
    expect(world.waits).toEqual([])
  })

  it('is one that does not take a user for right who is wrong elsewhere', async () => {
    const world = await folded()
    await world.damage('ben', ({ at }) => ({ at: at + 1 }))
    const openHistory = async () => memoryHistory(archivedOf(world))
    const { counts } = await world.verify({ openHistory, tip: tipOf(YOUNGER) })
    expect(counts).toMatchObject({ different: 1, unarchived: 1, matched: 1 })
  })

  it('is none that the stream still has: its users are behind', async () => {
    const world = await folded()
    const openHistory = async () => memoryHistory(archivedOf(world))
    const { counts } = await world.verify({ openHistory, tip: tipOf(OLDER, YOUNGER) })
    expect(counts).toMatchObject({ behind: 1, unarchived: 0 })
    expect(world.waits).not.toEqual([])
  })
})

it('matches a user whose every value is the same without what is lost', async () => {
  const world = await folded()
  await world.damage('ben', ({ dedup }) => ({
    dedup: { ...dedup, marks: new Map([[`events@1/${OLDER}`, { sequence: '3', arrivalMs: START + 3 * HOUR }]]) },
  }))
  const openHistory = async () => memoryHistory(archivedOf(world))
  const { counts } = await world.verify({ openHistory, tip: tipOf(YOUNGER) })
  expect(counts).toMatchObject({ matched: 2, unarchived: 1 })
})
