// The command that dies at one of its steps, and is run again: nobody else loses anything at any moment, and in the end nothing is left.
import { loadRows } from '../../src/catalog/table-rows.ts'
import { snapshotPartition } from '../../src/snapshot/take-snapshot.ts'
import { collect } from '../archive/factories.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CatalogError } from '../../src/catalog/errors.ts'
import { findUser } from './find-bytes.ts'
import { ERIN, filledWorld, type FilledWorld } from './forget-world.ts'
import { othersOf } from './others.ts'
import { keepState } from './keep-state.ts'
import { orderRecord } from '../recompute/harness.ts'

/** Of the steps of a whole run so many are tried, and of those at which something has just gone as many. */
const MOMENTS = 6

let world: FilledWorld
let others: Awaited<ReturnType<typeof othersOf>>
let restore: () => void

beforeAll(async () => {
  world = await filledWorld({ days: 2, others: 3 })
  others = await othersOf(world, ERIN)
  restore = keepState(world)
})

afterAll(() => world.remove())

/** Throws at the call of this number and at every one after it; without one it counts, and says which calls made something go. */
function killAt(call: number): () => { readonly steps: number; readonly ends: readonly number[] } {
  let steps = 0
  const ends: number[] = []
  world.faults.next = operation => {
    if (++steps > call) throw new Error('killed')
    if (operation === 'end') ends.push(steps)
  }
  return () => {
    world.faults.next = () => undefined
    return { steps, ends }
  }
}

/** So many of them, from all over. */
function some(all: readonly number[]): readonly number[] {
  const step = Math.max(1, all.length / MOMENTS)
  return Array.from({ length: Math.min(MOMENTS, all.length) }, (_, index) => all[Math.floor((index + 0.5) * step)] ?? 0)
}

describe('a forgetting that is killed', () => {
  it('harms nobody at any moment, and the next run ends it', async () => {
    const stop = killAt(Number.POSITIVE_INFINITY)
    await world.forget()
    const { steps, ends } = stop()
    expect(ends.length).toBeGreaterThan(MOMENTS)
    for (const call of [...some(ends), ...some([...Array(steps).keys()])]) {
      restore()
      const alive = killAt(call)
      await expect(world.forget(), `call ${call}`).rejects.toThrow('killed')
      alive()
      expect(await othersOf(world, ERIN), `after call ${call}`).toEqual(others)
      expect(await world.forget(), `after call ${call}`).toMatchObject({ isComplete: true, left: [] })
      expect(await findUser(world, ERIN), `after call ${call}`).toEqual([])
      expect(await othersOf(world, ERIN), `in the end of ${call}`).toEqual(others)
    }
  })

  it('puts the current batch back where the store has no transactions and it died between two entries', async () => {
    restore()
    const { store, faults } = world
    const createAll = store.createAll.bind(store)
    const none = new CatalogError('none', { code: 'transactions-unavailable' })
    let isBetween = false
    store.createAll = async () => {
      // What comes next is the first entry; its answer is the last thing that the run hears.
      let calls = 0
      faults.next = () => {
        if (++calls > 2) throw new Error('killed')
      }
      isBetween = true
      throw none
    }
    await expect(world.forget()).rejects.toThrow('killed')
    faults.next = () => undefined
    expect(isBetween).toBe(true)
    store.createAll = async () => {
      throw none
    }
    expect(await world.forget()).toMatchObject({ isComplete: true, left: [] })
    store.createAll = createAll
    expect(await findUser(world, ERIN)).toEqual([])
    expect(await othersOf(world, ERIN)).toEqual(others)
  })
})

describe('what is not looked into', () => {
  it('keeps the forgetting from being complete', async () => {
    restore()
    await world.archive.store.create('exports/march.bin', Buffer.from('whatever'))
    await world.catalog.createTable({ db: 'team', table: 'blobs' }, { columns: [], format: 'bin', owner: 'team' })
    const ref = { db: 'team', table: 'blobs', partition: 'all' }
    await world.catalog.store(ref, { parts: [{ body: Buffer.from('x'), rows: 1 }], who: 'ana', why: 'test' })
    await world.objects.store.create('shop/users/day=1/20260101000000-aaaaaaaa/part-1.parquet', Buffer.from('x'))
    const report = await world.forget()
    expect(report).toMatchObject({ isComplete: false, isFinal: false })
    expect(report.left.map(({ where }) => where)).toEqual([
      'exports/',
      expect.stringContaining('team.blobs/all, batch '),
      'shop/users/day=1/20260101000000-aaaaaaaa/',
    ])
    expect(JSON.stringify(report)).not.toContain(ERIN)
  })

  it('is nothing of a dry run, which changes nothing', async () => {
    restore()
    const before = [...world.archive.store.objects.keys(), ...world.objects.store.objects.keys()]
    const report = await world.forget({ isDryRun: true })
    expect(report.replaced.length).toBeGreaterThan(3)
    expect(report.places.raw.rows).toBeGreaterThan(3)
    expect(report.bytesRewritten).toBeGreaterThan(0)
    expect([...world.archive.store.objects.keys(), ...world.objects.store.objects.keys()]).toEqual(before)
    expect(await othersOf(world, ERIN)).toEqual(others)
  })

  it('refuses a reason that names the user', async () => {
    await expect(world.forget({ why: `${ERIN} asked` })).rejects.toMatchObject({ code: 'reason-names-user' })
  })
})

describe('another life', () => {
  it('is what arrives later: it stays, and the old one does not come back in it', async () => {
    restore()
    await world.forget()
    const at = world.time.nowMs + 60_000
    world.time.nowMs = at
    await world.send([{ ...orderRecord('anew', 900, { user: ERIN, ts: at }), arrivalMs: at }])
    const again = await world.forget()
    expect(again).toMatchObject({ isResumed: true, item: 'new-life', newLife: 1, isComplete: true })
    expect((await world.users.load(ERIN))?.userId).toBe(ERIN)
    expect((await world.verify()).counts).toMatchObject({ missing: 0, extra: 0, different: 0 })
    const anew = await world.forget({ isAnew: true })
    expect(anew).toMatchObject({ isResumed: false, item: 'none', newLife: 0, isComplete: true })
    expect(await findUser(world, ERIN)).toEqual([])
  })

  it('has its rows of tables, and the old one has none, whatever clock wrote them', async () => {
    restore()
    // A snapshot of before, by a clock that is hours ahead.
    world.time.nowMs += 3 * 3_600_000
    await world.snapshot(world.time.nowMs)
    world.time.nowMs -= 3 * 3_600_000
    expect(await world.forget()).toMatchObject({ isComplete: true })
    expect(await findUser(world, ERIN)).toEqual([])
    world.time.nowMs += 24 * 3_600_000
    const at = world.time.nowMs
    await world.send([{ ...orderRecord('anew', 900, { user: ERIN, ts: at }), arrivalMs: at }])
    await world.snapshot(at + 60_000)
    expect(await world.forget()).toMatchObject({ item: 'new-life', isComplete: true, replaced: [] })
    const rows = await collect(
      loadRows(world.catalog, { db: 'shop', table: 'users', partition: snapshotPartition(at) }),
    )
    expect(rows.map(row => row['user_id'])).toContain(ERIN)
  })

  it('is told from what the stream delivered again, which goes once more', async () => {
    restore()
    await world.forget()
    await world.deliver([orderRecord('o0', 1, { user: ERIN })])
    expect(await world.forget()).toMatchObject({ item: 'unsettled', isComplete: false })
    world.time.nowMs += 2 * 3_600_000
    expect(await world.forget()).toMatchObject({ item: 'came-back', isComplete: false })
    expect(await world.forget()).toMatchObject({ item: 'none', isComplete: true })
  })
})
