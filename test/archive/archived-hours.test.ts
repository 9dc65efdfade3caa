import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readArchivedHours } from '../../src/archive/archived-hours.ts'
import { collect, NOON_MS, recordAt, recordsAt } from './factories.ts'
import { HOUR_MS, type HistoryWorld, historyWorld, inOrder } from './history-world.ts'

let world: HistoryWorld
let read: string[]
beforeEach(() => {
  read = []
  world = historyWorld({ fault: ({ operation, key }) => void (operation === 'get' && read.push(key)) })
})
afterEach(() => world.remove())

/** Ten records at the start of each of four hours, from 11 o'clock on. */
const hourly = Array.from({ length: 4 }, (_, hour) =>
  recordsAt(hour * 10, hour * 10 + 10).map((record, index) => ({
    ...record,
    arrivalMs: NOON_MS + (hour - 1) * HOUR_MS + index * 1000,
  })),
)

const hours = async (from: number, to: number) =>
  inOrder(await collect(readArchivedHours(world, NOON_MS + from * HOUR_MS, NOON_MS + to * HOUR_MS)))

describe('the records of some hours', () => {
  it('are those that arrived then, each once, whether raw or compacted or both', async () => {
    for (const records of hourly) await world.put(records)
    // Two hours are read twice over: bounds of a batch change on retry.
    await world.put(hourly.flat().slice(5, 25))
    expect(await hours(0, 2)).toEqual(inOrder(hourly.slice(1, 3).flat()))
    world.time.nowMs = NOON_MS + 2.1 * HOUR_MS
    await world.compact()
    read = []
    expect(await hours(0, 1)).toEqual(inOrder(hourly[1] ?? []))
    expect(read).toEqual([])
    const late = recordAt(900, { arrivalMs: NOON_MS + 5000, shard: 'shardId-000000000001' })
    await world.put([late])
    expect(await hours(0, 2)).toEqual(inOrder([...hourly.slice(1, 3).flat(), late]))
    await world.put(hourly[1]?.slice(3, 8) ?? [])
    expect(await hours(-1, 3)).toEqual(inOrder([...hourly.flat(), late]))
  })

  it('are none where there are none', async () => {
    await world.put(hourly[0] ?? [])
    expect(await hours(1, 25)).toEqual([])
  })
})
