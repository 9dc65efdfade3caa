// What the desk is told of a route, written as a team writes its tests: with the package's own helpers and nothing of the engine.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { userOf } from 'millrace/testing'
import 'millrace/testing/vitest'
import { describe, expect, it } from 'vitest'
import { arrival } from '../../src/pipeline/events.ts'
import pipeline from '../../src/pipeline/index.ts'

const ARTIFACT_FILE = join(import.meta.dirname, '..', '..', 'models', 'late-arrival', 'late-arrival.zip')
const ONE_FLIGHT = {
  delayMinutes: -5,
  distanceMiles: 1745,
  departureHour: 14,
  departureWeekday: 1,
  origin: 'ORD',
  destination: 'LAX',
}

function route() {
  const models = { 'late-arrival': readFileSync(ARTIFACT_FILE) }
  return userOf(pipeline, { id: 'ORD-LAX', at: '2001-06-01T12:00:00Z', models })
}

describe('a route', () => {
  it('is late where more than 15 minutes are lost, to the minute', () => {
    const desk = route()
    for (const delayMinutes of [-5, 15, 16, 64]) desk.receives(arrival, { ...ONE_FLIGHT, delayMinutes })
    expect(desk).toHaveFeatures({
      arrivals6h: 4,
      lateShare6h: 0.5,
      lateMinutes7d: 80,
      meanDelay6h: 22.5,
      worstDelay1d: 64,
      bestDelay7d: -5,
    })
  })

  it('forgets a bad day hour by hour, with no flight to say so', () => {
    const desk = route()
    desk.receives(arrival, { ...ONE_FLIGHT, delayMinutes: 90 })
    expect(desk).toHaveFeatures({ arrivals6h: 1, lateShare6h: 1, sinceLate: 0 })
    expect(desk.freshUntil()).toBe('2001-06-01T13:00:00.000Z')
    desk.waits('7h')
    expect(desk).toHaveFeatures({
      arrivals6h: 0,
      lateShare6h: null,
      lateShare1d: 1,
      worstDelay1d: 90,
      sinceLate: 25_200,
    })
    desk.waits('2d')
    expect(desk).toHaveFeatures({ lateShare1d: null, worstDelay1d: null, meanDelay7d: 90, lateShare30d: 1 })
    desk.waits('40d')
    expect(desk).toHaveFeatures({ arrivals30d: 0, meanDelay7d: null, lastDelay: 90, distance: 1745 })
  })

  it('takes landings that come out of order, half a day late at the most', () => {
    const desk = route()
    desk.receives(arrival, ONE_FLIGHT, { at: '2001-05-31T23:00:00Z' })
    desk.receives(arrival, { ...ONE_FLIGHT, delayMinutes: 30 })
    expect(desk.receives(arrival, { ...ONE_FLIGHT, departureHour: 15 }, { at: '2001-06-01T01:00:00Z' })).toBe('folded')
    expect(desk).toHaveFeatures({ arrivals1d: 3, lastDelay: 30, lastHour: 14 })
    expect(desk.receives(arrival, ONE_FLIGHT, { at: '2001-05-31T22:00:00Z' })).toBe('late')
    expect(desk).toHaveFeature('arrivals1d', 3)
  })

  it('is expected to be late after an evening of late flights, and less so a week later', async () => {
    const desk = route()
    const lateness = async (): Promise<number> =>
      Number((await desk.predictions())['late-arrival']?.value?.['probability'])
    for (const delayMinutes of [70, 95, 120]) desk.receives(arrival, { ...ONE_FLIGHT, departureHour: 18, delayMinutes })
    const troubled = await lateness()
    desk.waits('7d')
    const rested = await lateness()
    expect(troubled).toBeGreaterThan(rested)
    expect(rested).toBeGreaterThan(0)
  })
})
