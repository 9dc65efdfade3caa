import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DAY_MS } from '../../src/platform/duration.ts'
import type { ForgetReport } from '../../src/forget/forget-user.ts'
import { findUser } from './find-bytes.ts'
import { ERIN, filledWorld, type FilledWorld } from './forget-world.ts'
import { othersOf } from './others.ts'
import { orderRecord } from '../recompute/harness.ts'
import { after } from '../replay/backfill-world.ts'

const DAYS = 30

describe('a user who is everywhere, forgotten', () => {
  let world: FilledWorld
  let found: readonly string[]
  let others: Awaited<ReturnType<typeof othersOf>>
  let report: ForgetReport

  beforeAll(async () => {
    world = await filledWorld({ days: DAYS, others: 12 })
    found = await findUser(world, ERIN)
    others = await othersOf(world, ERIN)
    report = await world.forget()
  })

  afterAll(() => world.remove())

  it('was in every place', () => {
    const kinds = [
      'raw/',
      'deadletters/',
      'doubt/',
      'corrupt/',
      'aws/lambda/',
      'rescore/',
      'shop/events',
      'shop/imported',
    ]
    for (const kind of [...kinds, 'shop/users', 'shop/training', 'team/log_ndj', 'team/log_csv', ERIN]) {
      expect(
        found.some(key => key.startsWith(kind)),
        kind,
      ).toBe(true)
    }
    expect(found.some(key => key.endsWith('(hidden)'))).toBe(true)
    expect(found.filter(key => key.startsWith('shop/users/')).length).toBeGreaterThanOrEqual(DAYS + 1)
  })

  it('is complete, and says what it did', () => {
    expect(report.left).toEqual([])
    expect(report).toMatchObject({ isComplete: true, isFinal: false, item: 'none', passes: 2, newLife: 0 })
    expect(report.places.spill.found).toBeGreaterThan(0)
    // Of each batch the parts of her bucket are made anew, and all others are moved as they are.
    expect(report.bytesRewritten).toBeGreaterThan(0)
    expect(report.bytesCopied).toBeGreaterThan(report.bytesRewritten)
  })

  it('is in no byte of any bucket or table', async () => {
    expect(await findUser(world, ERIN)).toEqual([])
  })

  it('leaves everybody else as they were', async () => {
    expect(await othersOf(world, ERIN)).toEqual(others)
  })

  it('leaves verify content', async () => {
    const { counts } = await world.verify()
    expect(counts).toMatchObject({ missing: 0, extra: 0, different: 0, behind: 0 })
    expect(counts.matched).toBe(counts.users)
    expect(counts.users).toBe(18)
  })

  it('tells readers of a batch that is gone who purged it, and why', async () => {
    const partition = 'all'
    const read = world.catalog.load({ db: 'shop', table: 'training_churn', partition }, world.overwritten)
    await expect(read).rejects.toMatchObject({
      code: 'batch-purged',
      message: expect.stringContaining('bob: forget: ticket 17'),
    })
  })

  it('moves an anchor to the successor, and leaves the partition current as it was', async () => {
    const replaced = report.replaced.find(({ batchId }) => batchId === world.anchored)
    expect(replaced).toMatchObject({ anchors: ['churn-report'], table: 'shop.users' })
    const ref = { db: 'shop', table: 'users', partition: replaced?.partition ?? '' }
    const { record } = await world.catalog.load(ref, { anchor: 'churn-report' })
    expect(record.batchId).toBe(replaced?.successor)
    expect(record.anchors?.['churn-report']?.why).toContain(`successor of ${world.anchored}`)
    const current = await world.catalog.current(ref)
    expect(report.replaced.some(({ successor }) => successor === current?.batchId)).toBe(true)
    expect(current?.batchId).not.toBe(record.batchId)
  })

  it('does not come back by a full replay, not even where the archive has got the events again', async () => {
    await world.archiveAll(rawOfErin(world))
    expect((await findUser(world, ERIN)).length).toBe(1)
    await world.compact()
    expect((await findUser(world, ERIN)).length).toBe(1)
    await world.backfill()
    expect(await world.users.load(ERIN)).toBeUndefined()
    const { counts } = await world.verify(after)
    expect(counts).toMatchObject({ users: 18, matched: 18, missing: 0, extra: 0 })
  })

  it('is final once the stream has none of it, and a run has found nothing', async () => {
    world.time.nowMs += 8 * DAY_MS
    const second = await world.forget()
    expect(second).toMatchObject({ isResumed: true, isComplete: true, isFinal: false, untilMs: report.untilMs })
    expect(second.places.raw.found).toBe(1)
    expect(await findUser(world, ERIN)).toEqual([])
    const third = await world.forget()
    expect(third).toMatchObject({ isComplete: true, isFinal: true, passes: 1, replaced: [] })
    expect(await world.forget({ isDryRun: true })).toMatchObject({ isResumed: false })
  })
})

/** As a shard's events are archived that the stream delivers again. */
function rawOfErin(world: FilledWorld) {
  return [{ ...orderRecord('o0', 5, { user: ERIN, ts: world.time.nowMs - 9 * DAY_MS }), shard: 'shardId-000000000009' }]
}
