// Events of the features bench, decoded already: every route of the last 91 days of the flights, and one user of any number of
// events, made from a seed.
import { arrivedMs, flightArrived, FLIGHT_MS_MAX, inOrderOfArrival, openFlights, routeOf } from '../demo/flights.ts'
import type { DecodedEvent } from '../src/event/decoded-event.ts'
import { arrival } from '../src/pipeline/events.ts'
import { DAY_MS, SECOND_MS } from '../src/platform/duration.ts'
import { eventIdHash } from '../src/platform/hash.ts'
import { seededRandom } from '../src/platform/random.ts'

/** The longest window of the sets is 90 days. */
const HISTORY_MS = 91 * DAY_MS
/** 100,000 of them span 150 days: more than any window or decay of the sets looks back. */
const EVERY_MS = 130 * SECOND_MS
const FIRST_MS = Date.UTC(2024, 0, 1)

export interface RouteEvents {
  readonly userId: string
  /** In order of arrival; made when they are asked for. */
  readonly events: () => readonly DecodedEvent[]
}

export async function allRoutes(): Promise<readonly RouteEvents[]> {
  const file = await openFlights()
  const untilMs = file.groups.at(-1)?.lastDepartureMs ?? 0
  const fromMs = untilMs - HISTORY_MS
  const first = file.groups.findIndex(group => group.lastDepartureMs >= fromMs - FLIGHT_MS_MAX)
  const flights = await file.read(first, file.groups.length - 1)
  const byRoute = new Map<string, number[]>()
  for (const index of inOrderOfArrival(flights)) {
    if (arrivedMs(flights, index) < fromMs) continue
    const route = routeOf(flights, index)
    const own = byRoute.get(route)
    if (own === undefined) byRoute.set(route, [index])
    else own.push(index)
  }
  return [...byRoute].map(([userId, indices]) => ({
    userId,
    events: () =>
      indices.map(index => {
        const { flight, route: _, arrivedAt, ...fields } = flightArrived(flights, index)
        return decoded(userId, String(flight), Date.parse(arrivedAt), fields)
      }),
  }))
}

/** The events from number `from` on, up to and without `to`. */
export function busyUser(from: number, to: number): readonly DecodedEvent[] {
  const random = seededRandom(from + 1)
  return Array.from({ length: to - from }, (_, index) => {
    const ts = FIRST_MS + (from + index) * EVERY_MS
    const at = new Date(ts)
    return decoded('busy', String(from + index), ts, {
      // About what the flights have: most are a little early, one in six is late, a few by hours.
      delayMinutes: Math.round((random() < 0.16 ? 15 : -8) - Math.log(1 - random()) * (random() < 0.16 ? 45 : 9)),
      distanceMiles: 200 + Math.floor(random() * 2000),
      departureHour: at.getUTCHours(),
      departureWeekday: at.getUTCDay(),
      origin: 'ORD',
      destination: 'LAX',
    })
  })
}

function decoded(userId: string, id: string, ts: number, values: object): DecodedEvent {
  const fields = new Map(Object.entries(values).filter(([name]) => name in arrival.fields))
  return { type: arrival.type, id, idHash: eventIdHash(arrival.type, id), userId, ts, fields, unknownFields: 0 }
}
