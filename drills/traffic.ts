// Events of the pipeline in upstream's own JSON, and the count of each user's: what a deployment must have when a drill is over.
import { MINUTE_MS, SECOND_MS } from '../src/platform/duration.ts'
import type { Sent } from './drill.ts'

/** The feature that counts every event of the drill. */
export const ARRIVALS_FEATURE = 'arrivals30d'
const USERS = 20
/** So that no event is ahead of its arrival, and all are of the last minutes. */
const AGO_MS = 2 * MINUTE_MS

export interface Traffic {
  /** How many of each user. */
  readonly counts: ReadonlyMap<string, number>
  readonly sent: number
  /** The next events, counted as sent. */
  next(count: number): readonly Sent[]
}

export function arrivals(clock: () => number): Traffic {
  const counts = new Map<string, number>()
  let sent = 0
  return {
    counts,
    get sent() {
      return sent
    },
    next: count =>
      Array.from({ length: count }, () => {
        const route = userOf(sent)
        counts.set(route, (counts.get(route) ?? 0) + 1)
        const arrivedMs = Math.floor((clock() - AGO_MS) / SECOND_MS) * SECOND_MS
        return sendable(arrival(sent++, route, arrivedMs))
      }),
  }
}

export function userOf(index: number): string {
  return `DRL-${String(index % USERS).padStart(3, '0')}`
}

export function sendable(event: { readonly route: string }): Sent {
  return { partitionKey: event.route, data: Buffer.from(JSON.stringify(event)) }
}

function arrival(flight: number, route: string, arrivedMs: number) {
  return {
    type: 'flight.arrived',
    flight,
    route,
    arrivedAt: new Date(arrivedMs).toISOString(),
    departureHour: flight % 24,
    departureWeekday: flight % 7,
    origin: route.slice(0, 3),
    destination: route.slice(4),
    distanceMiles: 300 + (flight % 2000),
    // From early to an hour late.
    delayMinutes: ((flight * 7) % 75) - 15,
  }
}
