// Writers of one user who meet in every order: each event is folded once or said not to be, whoever wins and whatever answer is
// lost. Amounts are powers of ten, so that a sum tells of each event how often it was folded.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { seededRandom } from '../../src/platform/random.ts'
import type { BatchResult } from '../../src/recompute/recompute-batch.ts'
import { memoryUserStore } from '../fakes/memory-user-store.ts'
import { START } from '../features/factories.ts'
import { PROPERTY_MS_MAX, propertyRuns } from '../features/property-runs.ts'
import { type Harness, harness, orderRecord, smallShop, stored, values } from './harness.ts'
import { type Choose, everySchedule, Turns } from './interleaving.ts'

const HOUR = 3_600_000
/** The contract's lateness is 6 hours: folding NEW evicts OLD. */
const OLD = START
const NEW = START + 24 * HOUR

type Batch = readonly StreamRecord[]

function orderOf(event: number, sequence: number, ts: number): StreamRecord {
  return orderRecord(event, sequence, { ts, amount: 10 ** event })
}

interface Meeting {
  readonly writers: readonly { readonly run: Harness; readonly batch: Batch; readonly result: BatchResult }[]
  /** Of each event, how often it was folded. */
  readonly times: (event: number) => number
  readonly version: number
  readonly puts: number
}

/** `before` is delivered by itself first. */
async function meet(
  choose: Choose,
  batches: readonly Batch[],
  lossesMax: number,
  before: Batch = [],
): Promise<Meeting> {
  const users = memoryUserStore()
  const table = { ...harness({ compiled: smallShop, users }), users }
  await table.deliver(before)
  const turns = new Turns(choose, lossesMax)
  const begun = batches.map(async batch => {
    const run = harness({ compiled: smallShop, users: turns.storeOf(users) })
    return { batch, run, result: await run.deliver(batch) }
  })
  await turns.run(begun)
  const writers = await Promise.all(begun)
  const digits = String((await values(table, 'ana'))['spend90d'])
  const times = (event: number): number => Number(digits.at(-1 - event) ?? 0)
  return { writers, times, version: (await stored(table, 'ana')).v, puts: turns.puts + (before.length > 0 ? 1 : 0) }
}

function checkMeeting({ writers, times, version, puts }: Meeting): void {
  expect(version).toBe(puts)
  const carried = new Map<number, { folds: number; late: number; doubt: number; failed: number; carriers: number }>()
  for (const { run, batch, result } of writers) {
    const { folded, duplicate, belowFloor, failed, deadLetters } = result.counts
    expect(folded + duplicate + belowFloor + failed + (deadLetters.late ?? 0)).toBe(batch.length)
    for (const record of batch) {
      const event = eventOf(record)
      const fate = carried.get(event) ?? { folds: 0, late: 0, doubt: 0, failed: 0, carriers: 0 }
      const isIn = (list: readonly { readonly record: StreamRecord }[]): boolean =>
        list.some(({ record: { sequence } }) => sequence === record.sequence)
      fate.carriers++
      if (failed > 0) fate.failed++
      else if (isIn(run.deadLetters)) fate.late++
      else if (isIn(run.doubt)) fate.doubt++
      else fate.folds++
      carried.set(event, fate)
    }
  }
  for (const [event, { folds, late, doubt, failed, carriers }] of carried) {
    expect(times(event)).toBeLessThanOrEqual(1)
    // Said to be folded, or a duplicate of what is: it is.
    if (folds > 0) expect(times(event)).toBe(1)
    // Said by everybody not to be: it is not. In doubt or to come again: either.
    if (late === carriers && doubt + failed === 0) expect(times(event)).toBe(0)
  }
}

function eventOf({ dataBase64 }: StreamRecord): number {
  return Number((JSON.parse(Buffer.from(dataBase64, 'base64').toString()) as { orderId: string }).orderId)
}

describe('a writer whose answer is lost', () => {
  it('says folded, be it that its own put has evicted the event again', async () => {
    const batches = [[orderOf(0, 1, OLD)], [orderOf(0, 1, OLD), orderOf(1, 2, NEW), orderOf(0, 3, OLD)]]
    for (const batch of batches) {
      const schedules = await everySchedule(async choose => {
        const { writers, version } = await meet(choose, [batch], 1)
        expect(writers[0]?.result.counts).toMatchObject({
          folded: Math.min(2, batch.length),
          duplicate: batch.length === 3 ? 1 : 0,
          belowFloor: 0,
          failed: 0,
          conflicts: 0,
          usersWritten: 1,
        })
        expect(version).toBe(1)
      })
      expect(schedules).toBe(2)
    }
  })
})

describe('writers of one user, in every order in which they can meet', () => {
  it('two twins with an answer lost: both say folded, once it is', async () => {
    const batch = [orderOf(0, 1, OLD), orderOf(1, 2, OLD + 1)]
    const folds = new Set<string>()
    const schedules = await everySchedule(async choose => {
      const meeting = await meet(choose, [batch, batch], 1)
      checkMeeting(meeting)
      expect([meeting.times(0), meeting.times(1), meeting.version]).toEqual([1, 1, 1])
      folds.add(meeting.writers.map(({ result }) => result.counts.folded).join())
      expect(meeting.writers.every(({ result }) => result.counts.belowFloor === 0)).toBe(true)
    })
    expect(schedules).toBeGreaterThan(10)
    // Who had read before the other wrote meant to fold; who read later finds duplicates.
    expect([...folds].sort()).toEqual(['0,2', '2,0', '2,2'])
  })

  it('one who finds a duplicate, and one who evicts it meanwhile: a duplicate it stays', async () => {
    const again = [orderOf(0, 1, OLD), orderOf(1, 4, OLD + 1)]
    let met = 0
    const schedules = await everySchedule(async choose => {
      const meeting = await meet(choose, [again, [orderOf(2, 3, NEW)]], 0, [orderOf(0, 1, OLD)])
      checkMeeting(meeting)
      const { result, run } = meeting.writers[0] ?? {}
      // It has met the other: what its first read proved still holds, whatever the item remembers now.
      if (result?.counts.conflicts === 1) {
        met++
        expect(result.counts).toMatchObject({ folded: 1, duplicate: 1, belowFloor: 0 })
      } else if (result?.counts.duplicate === 0) {
        expect(run?.doubt.map(({ record }) => record.sequence)).toEqual(['1'])
      }
    })
    expect(schedules).toBeGreaterThan(5)
    expect(met).toBeGreaterThan(0)
  })

  it('one who finds a part of its batch folded: it says so of the whole', async () => {
    const folds = new Set<string>()
    await everySchedule(async choose => {
      const both = [orderOf(0, 1, OLD), orderOf(1, 2, OLD + 1)]
      const meeting = await meet(choose, [both, both.slice(0, 1)], 0)
      checkMeeting(meeting)
      folds.add(meeting.writers.map(({ result }) => result.counts.folded).join())
    })
    // 2,1: they met, and each has what it meant to fold in the item.
    expect([...folds].sort()).toEqual(['1,1', '2,0', '2,1'])
  })

  it('a duplicate of a record of the same batch fares as that record does', async () => {
    const twice = [orderOf(1, 4, OLD), orderOf(1, 5, OLD)]
    const fates = new Set<string>()
    await everySchedule(async choose => {
      const { result } =
        (await meet(choose, [twice, [orderOf(2, 3, NEW)]], 0, [orderOf(3, 2, OLD + HOUR)])).writers[0] ?? {}
      const { folded, duplicate, deadLetters, belowFloor } = result?.counts ?? {}
      fates.add(JSON.stringify({ folded, duplicate, late: deadLetters?.late ?? 0, belowFloor }))
    })
    expect([...fates].sort()).toEqual([
      '{"folded":0,"duplicate":0,"late":2,"belowFloor":0}',
      '{"folded":1,"duplicate":1,"late":0,"belowFloor":0}',
    ])
  })

  it('two writers, one of whom evicts what the other has, with an answer lost', async () => {
    const old = [orderOf(0, 1, OLD), orderOf(1, 5, OLD + 1)]
    const fresh = [orderOf(2, 3, NEW), orderOf(0, 1, OLD)]
    const outcomes = new Set<string>()
    const schedules = await everySchedule(async choose => {
      const meeting = await meet(choose, [old, fresh], 1, [orderOf(3, 2, OLD - HOUR)])
      checkMeeting(meeting)
      const { deadLetters, ...counts } = meeting.writers[0]?.result.counts ?? { deadLetters: {} }
      outcomes.add(JSON.stringify([counts, deadLetters]))
    })
    expect(schedules).toBeGreaterThan(10)
    // They do meet: the one who comes second finds something else than the one who comes first.
    expect(outcomes.size).toBeGreaterThan(1)
  })

  it('three writers, of whom two are twins', async () => {
    const twin = [orderOf(0, 1, OLD), orderOf(1, 2, OLD + 1)]
    const fresh = [orderOf(2, 3, NEW)]
    const schedules = await everySchedule(async choose => checkMeeting(await meet(choose, [twin, twin, fresh], 0)))
    expect(schedules).toBeGreaterThan(100)
  })
})

describe('writers of one user, by chance', () => {
  it(
    'fold each event once or say that they have not, however many they are',
    async () => {
      const events = fc.array(fc.record({ event: fc.nat(7), sequence: fc.nat(20), hours: fc.nat(30) }), {
        minLength: 1,
        maxLength: 4,
      })
      const meetings = fc.record({ batches: fc.array(events, { minLength: 2, maxLength: 5 }), seed: fc.nat() })
      await fc.assert(
        fc.asyncProperty(meetings, async ({ batches, seed }) => {
          const random = seededRandom(seed)
          // An event has one time and, of each delivery, one sequence.
          const times = new Map<number, number>()
          const records = batches.map(batch => {
            const bySequence = new Map(batch.map(one => [one.sequence, one]))
            return [...bySequence.values()]
              .sort((a, b) => a.sequence - b.sequence)
              .map(({ event, sequence, hours }) => {
                const ts = times.get(event) ?? START + hours * HOUR
                times.set(event, ts)
                return orderOf(event, sequence, ts)
              })
          })
          checkMeeting(await meet(options => Math.floor(random() * options), records, 2))
        }),
        propertyRuns(200),
      )
    },
    PROPERTY_MS_MAX,
  )
})
