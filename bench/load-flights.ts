// Events of the load: each the next flight of the next route, so that every event of a batch has a user of its own and events a second
// are users written a second. To warm up, many flights of a route in a row, which are then one write.
import type { TrafficRecord } from '../test/local/flight-traffic.ts'

export interface LoadFlights {
  next(count: number, nowMs: number, inARow?: number): readonly TrafficRecord[]
}

export function loadFlights(routes: number): LoadFlights {
  let flight = 0
  return {
    next: (count, nowMs, inARow = 1) =>
      Array.from({ length: count }, () => {
        const route = `R${Math.floor(flight / inARow) % routes}`
        const event = {
          type: 'flight.arrived',
          flight: ++flight,
          route,
          arrivedAt: new Date(nowMs).toISOString(),
          delayMinutes: (flight * 7) % 90,
          distanceMiles: 100 + ((flight * 31) % 2000),
          departureHour: flight % 24,
          departureWeekday: flight % 7,
          origin: route,
          destination: 'HUB',
        }
        return { partitionKey: route, data: Buffer.from(JSON.stringify(event)) }
      }),
  }
}
