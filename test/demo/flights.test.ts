// A slice of the real file: its last row groups, read once.
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  arrivedMs,
  type Flights,
  type FlightsFile,
  flightArrived,
  flightsPath,
  inOrderOfArrival,
  openFlights,
} from '../../demo/flights.ts'
import { type DemoPlan, LIVE_EVENTS, planDemo, wholeWeeksShiftMs } from '../../demo/plan.ts'
import { decodePayload } from '../../src/event/decode.ts'
import pipeline from '../../src/pipeline/index.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'

const DAY = 86_400_000
const NOW = Date.parse('2026-11-24T19:40:00Z')

let file: FlightsFile
let lastGroup: Flights
let plan: DemoPlan

beforeAll(async () => {
  file = await openFlights()
  lastGroup = await file.read(10, 10)
  plan = await planDemo(file, NOW)
})

describe('the flights', () => {
  it('are three million rows in order of departure, by row group', () => {
    expect(file.groups.reduce((sum, group) => sum + group.rows, 0)).toBe(3_000_000)
    for (const [index, group] of file.groups.entries()) {
      expect(group.firstDepartureMs).toBeGreaterThanOrEqual(file.groups[index - 1]?.lastDepartureMs ?? 0)
    }
  })

  it('become arrivals with the values of their row, 30 minutes and a minute for 7.5 miles after departure', async () => {
    const rows = { rowStart: 2_999_990, rowEnd: 3_000_000 }
    const expected = await parquetReadObjects({ file: await asyncBufferFromFile(flightsPath()), compressors, ...rows })
    for (const [offset, row] of expected.entries()) {
      const flight = rows.rowStart + offset
      const departed = row['date'] as Date
      const arrived = new Date(departed.getTime() + (30 + Number(row['distance']) / 7.5) * 60_000)
      expect(flightArrived(lastGroup, flight - lastGroup.firstRow)).toMatchObject({
        type: 'flight.arrived',
        flight,
        route: `${row['origin']}-${row['destination']}`,
        departedAt: departed.toISOString().replace('.000', ''),
        arrivedAt: arrived.toISOString().replace('.000', ''),
        departureHour: departed.getUTCHours(),
        departureWeekday: departed.getUTCDay(),
        origin: row['origin'],
        destination: row['destination'],
        distanceMiles: Number(row['distance']),
        delayMinutes: Number(row['delay']),
      })
    }
  })

  it('are accepted by the contract of the pipeline', () => {
    const { contracts } = compilePipeline(pipeline)
    const upstream = flightArrived(lastGroup, 7, 7 * DAY)
    const decoded = decodePayload(Buffer.from(JSON.stringify(upstream)), contracts)
    expect(decoded).toMatchObject({
      id: `${lastGroup.firstRow + 7}`,
      userId: upstream.route,
      ts: arrivedMs(lastGroup, 7) + 7 * DAY,
    })
  })

  it('are sorted by arrival, each once', () => {
    const order = inOrderOfArrival(lastGroup)
    expect(new Set(order).size).toBe(lastGroup.departedMs.length)
    const times = Array.from(order, index => arrivedMs(lastGroup, index))
    expect(times.findIndex((time, index) => time < (times[index - 1] ?? 0))).toBe(-1)
  })
})

describe('the plan of the demo', () => {
  it('moves times by whole weeks, so that now falls into the last week of the sample', () => {
    const lastDeparture = Date.parse('2001-07-01T00:00:00Z')
    for (const now of [NOW, lastDeparture, lastDeparture + 1, lastDeparture - 1, Date.parse('1999-01-01T00:00:00Z')]) {
      const shift = wholeWeeksShiftMs(now, lastDeparture)
      expect(Math.abs(shift % (7 * DAY))).toBe(0)
      expect(now - shift).toBeLessThanOrEqual(lastDeparture)
      expect(now - shift).toBeGreaterThan(lastDeparture - 7 * DAY)
    }
  })

  it('plays the last arrivals up to now, in order, after the 30 days before the first of them', () => {
    const { flights, shiftMs, live, history } = plan
    const shifted = (index: number) => arrivedMs(flights, index) + shiftMs
    const liveTimes = [...live].map(shifted)
    const historyTimes = Array.from(history, shifted)
    const firstLive = liveTimes[0] ?? 0
    expect(liveTimes).toHaveLength(LIVE_EVENTS)
    expect(liveTimes.findIndex((time, index) => time < (liveTimes[index - 1] ?? 0))).toBe(-1)
    expect(liveTimes.at(-1)).toBeLessThanOrEqual(NOW)
    // Nothing lies between: as many of the sample arrive in these spans as the plan has.
    const between = (fromMs: number, toMs: number) => {
      let count = 0
      for (let index = 0; index < flights.departedMs.length; index++) {
        const time = shifted(index)
        if (time >= fromMs && time <= toMs) count++
      }
      return count
    }
    expect(between(firstLive - 30 * DAY, NOW)).toBe(history.length + live.length)
    expect(historyTimes[0]).toBeGreaterThanOrEqual(firstLive - 30 * DAY)
    expect(historyTimes.at(-1)).toBeLessThanOrEqual(firstLive)
    expect(historyTimes[0]).toBeLessThan(firstLive - 30 * DAY + 600_000)
    expect(new Set([...history, ...live]).size).toBe(history.length + live.length)
  })

  it('is the same for the same now, and reads only the groups that it needs', async () => {
    const again = await planDemo(file, NOW)
    expect(again.shiftMs).toBe(plan.shiftMs)
    // Bytes: comparing half a million numbers one by one takes the test library a minute.
    expect(Buffer.from(again.live.buffer).equals(Buffer.from(plan.live.buffer))).toBe(true)
    expect(Buffer.from(again.history.buffer).equals(Buffer.from(plan.history.buffer))).toBe(true)
    expect(plan.flights.firstRow).toBeGreaterThan(2_000_000)
  })
})
