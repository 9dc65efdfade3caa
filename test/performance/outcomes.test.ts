import { describe, expect, it } from 'vitest'
import { type Outcome, type OutcomeRules, OutcomeSpool, type RawOutcome } from '../../src/performance/outcomes.ts'
import { userBucket } from '../../src/platform/hash.ts'
import { inSpoolDir, listOf } from './performance-world.ts'

const DAY = 86_400_000

function spooled(rules: OutcomeRules, raw: readonly Omit<RawOutcome, 'userId' | 'weight'>[]) {
  return inSpoolDir(async spoolDir => {
    const spool = new OutcomeSpool(spoolDir, rules)
    for (const { time, label } of raw) spool.add({ userId: 'ana', time, label, weight: 1 })
    const bucket = userBucket('ana')
    const outcomes: Outcome[] = await listOf(spool.sorted(bucket))
    const { count, withoutLabel, outsideTime } = spool
    const days = [...spool.days(bucket)].sort((a, b) => a - b)
    spool.remove()
    return { labels: outcomes.map(({ time, label }) => [time, label]), days, count, withoutLabel, outsideTime }
  })
}

describe('OutcomeSpool', () => {
  it('makes a class of an amount by its threshold, and nothing of what is missing', async () => {
    const amounts = [
      { time: 3, label: 15 },
      { time: 1, label: 16 },
      { time: 2, label: null },
    ]
    expect(await spooled({ isOfClasses: true, threshold: { comparison: 'above', than: 15 } }, amounts)).toMatchObject({
      labels: [
        [1, 1],
        [3, 0],
      ],
      count: 2,
      withoutLabel: 1,
    })
    const atLeast = await spooled({ isOfClasses: true, threshold: { comparison: 'atLeast', than: 15 } }, amounts)
    expect(atLeast.labels).toEqual([
      [1, 1],
      [3, 1],
    ])
    const below = await spooled({ isOfClasses: true, threshold: { comparison: 'below', than: 16 } }, amounts)
    expect(below.labels).toEqual([
      [1, 0],
      [3, 1],
    ])
  })

  it('takes flags as 1 and 0, and outcomes from a time on and up to another', async () => {
    const flags = [1, 2, 3, 4].map(day => ({ time: day * DAY, label: day % 2 === 0 }))
    expect(await spooled({ isOfClasses: true, fromMs: 2 * DAY, toMs: 4 * DAY }, flags)).toEqual({
      labels: [
        [2 * DAY, 1],
        [3 * DAY, 0],
      ],
      days: [2, 3],
      count: 2,
      withoutLabel: 0,
      outsideTime: 2,
    })
  })

  it('refuses amounts where classes are asked for, and numbers that are none', async () => {
    const amount = [{ time: 1, label: 17 }]
    await expect(spooled({ isOfClasses: true }, amount)).rejects.toMatchObject({ code: 'labels-not-classes' })
    expect((await spooled({ isOfClasses: false }, amount)).labels).toEqual([[1, 17]])
    const none = [{ time: 1, label: Number.NaN }]
    await expect(spooled({ isOfClasses: false }, none)).rejects.toMatchObject({ code: 'outcome-invalid' })
  })
})
