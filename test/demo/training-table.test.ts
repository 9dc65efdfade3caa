// The training table on a slice of real flights, against features straight from their definitions.
import { beforeAll, describe, expect, it } from 'vitest'
import { arrivedMs, type Flights, openFlights, routeOf } from '../../demo/flights.ts'
import { decodedArrivals, lateLabels } from '../../demo/training-table.ts'
import { exportRows } from '../../src/features/export-rows.ts'
import pipeline from '../../src/pipeline/index.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { obviousFeatures } from '../../src/replay/obvious-features.ts'

const SLICE_FLIGHTS = 40_000
const COMPARED_EVERY = 97
const compiled = compilePipeline(pipeline)

let slice: Flights

beforeAll(async () => {
  const flights = await (await openFlights()).read(10, 10)
  slice = {
    ...flights,
    departedMs: flights.departedMs.subarray(0, SLICE_FLIGHTS),
    delayMinutes: flights.delayMinutes.subarray(0, SLICE_FLIGHTS),
    distanceMiles: flights.distanceMiles.subarray(0, SLICE_FLIGHTS),
    origin: flights.origin.subarray(0, SLICE_FLIGHTS),
    destination: flights.destination.subarray(0, SLICE_FLIGHTS),
  }
})

describe('the labels', () => {
  it('are one a flight at its departure, late above 15 minutes', () => {
    const labels = [...lateLabels(slice, 5_000)]
    expect(labels).toHaveLength(5_000)
    for (const minutes of [15, 16]) {
      const index = slice.delayMinutes.indexOf(minutes)
      expect(labels[index]).toEqual({
        userId: routeOf(slice, index),
        time: slice.departedMs[index],
        late: minutes > 15 ? 1 : 0,
      })
    }
  })
})

describe('the training table', () => {
  it('has the features that the definitions give for the arrivals before each departure, and never the flight itself', async () => {
    const events = [...decodedArrivals(slice, compiled)]
    let position = 0
    let compared = 0
    for await (const { instant, features } of exportRows(compiled.features, {
      events,
      instants: lateLabels(slice, SLICE_FLIGHTS),
    })) {
      const index = position++
      if (index % COMPARED_EVERY !== 0) continue
      compared++
      expect(arrivedMs(slice, index)).toBeGreaterThan(instant.time)
      const known = events.filter(event => event.userId === instant.userId && event.ts < instant.time)
      expect(features.values).toEqual(obviousFeatures(pipeline.features, known, instant.time - 1))
    }
    expect(compared).toBe(Math.ceil(SLICE_FLIGHTS / COMPARED_EVERY))
  })
})
