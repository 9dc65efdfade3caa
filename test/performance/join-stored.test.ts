import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type JoinCounts, type Judged, noJoins } from '../../src/performance/judged.ts'
import { joinStored } from '../../src/performance/join-stored.ts'
import type { Outcome } from '../../src/performance/outcomes.ts'
import type { StoredPrediction } from '../../src/performance/snapshot-predictions.ts'
import { each, inSpoolDir, listOf, outcome, stored } from './performance-world.ts'

interface Joined {
  readonly judged: readonly Judged[]
  readonly counts: JoinCounts
}

function join(
  outcomes: readonly Outcome[],
  predictions: readonly StoredPrediction[],
  horizonMs: number,
  runBytesMax?: number,
): Promise<Joined> {
  return inSpoolDir(async spoolDir => {
    const counts = noJoins()
    const options = { horizonMs, spoolDir, counts, runBytesMax }
    return { judged: await listOf(joinStored(each(outcomes), each(predictions), options)), counts }
  })
}

describe('joinStored', () => {
  it('takes the newest prediction strictly before the outcome', async () => {
    const predictions = [stored('ana', 20, 0.2), stored('ana', 10, 0.1), stored('ana', 30, 0.3)]
    const { judged } = await join([outcome('ana', 20), outcome('ana', 21), outcome('ana', 99)], predictions, 1000)
    expect(judged.map(({ time, prediction }) => [time, prediction])).toEqual([
      [20, 0.1],
      [21, 0.2],
      [99, 0.3],
    ])
  })

  it('takes none that is older than the horizon, and none of another user', async () => {
    const predictions = [stored('ana', 10), stored('cy', 99)]
    const outcomes = [outcome('ana', 60), outcome('ana', 61), outcome('ben', 61), outcome('cy', 99)]
    const { judged, counts } = await join(outcomes, predictions, 50)
    expect(judged.map(({ userId, time }) => [userId, time])).toEqual([['ana', 60]])
    expect(counts).toEqual({ joined: 1, withoutPrediction: 3, withoutValue: 0, gone: 0 })
  })

  it('takes no older value where the newest prediction has none, and says why', async () => {
    const notReady = { ...stored('ana', 20), value: undefined }
    const gone = { ...stored('ben', 20), value: undefined, isGone: true }
    const { judged, counts } = await join(
      [outcome('ana', 25), outcome('ben', 25)],
      [stored('ana', 10), notReady, gone],
      100,
    )
    expect(judged).toEqual([])
    expect(counts).toMatchObject({ withoutValue: 1, gone: 1, withoutPrediction: 0 })
  })

  it('says the same as a search through all predictions, whatever fits into memory', async () => {
    const users = fc.constantFrom('a', 'b', 'B', '😀')
    const arbitrary = {
      outcomes: fc.array(fc.record({ userId: users, time: fc.nat(60) }), { maxLength: 15 }),
      predictions: fc.uniqueArray(fc.record({ userId: users, at: fc.nat(60) }), {
        maxLength: 25,
        selector: ({ userId, at }) => `${userId} ${at}`,
      }),
      horizonMs: fc.nat(40),
      runBytesMax: fc.constantFrom(1, 60, 10_000),
    }
    await fc.assert(
      fc.asyncProperty(fc.record(arbitrary), async ({ outcomes, predictions, horizonMs, runBytesMax }) => {
        const sorted = outcomes
          .map(({ userId, time }) => outcome(userId, time))
          .toSorted((a, b) => (a.userId < b.userId ? -1 : a.userId > b.userId ? 1 : a.time - b.time))
        const all = predictions.map(({ userId, at }) => stored(userId, at, at / 100))
        const slow = sorted.flatMap(({ userId, time }) => {
          const fitting = all.filter(one => one.userId === userId && one.at < time && one.at >= time - horizonMs)
          return fitting.length === 0 ? [] : [[userId, time, Math.max(...fitting.map(({ value }) => value ?? 0))]]
        })
        const { judged, counts } = await join(sorted, all, horizonMs, runBytesMax)
        expect(judged.map(({ userId, time, prediction }) => [userId, time, prediction])).toEqual(slow)
        expect(counts.joined + counts.withoutPrediction).toBe(sorted.length)
      }),
      { numRuns: 60 },
    )
  })
})
