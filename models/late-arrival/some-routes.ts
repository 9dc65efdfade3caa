// The flights of some routes, whole: features of a route follow from its own flights alone, so a few routes are as true as all.
import { type Flights, openFlights, routeOf } from '../../demo/flights.ts'
import { userBucket } from '../../src/platform/hash.ts'

/** Of the routes in the first so many of 64 buckets. */
export async function flightsOf(buckets: number): Promise<Flights> {
  const file = await openFlights()
  const all = await file.read(0, file.groups.length - 1)
  const kept = new Map<string, boolean>()
  const indices = all.departedMs.reduce((own: number[], _, index) => {
    const route = routeOf(all, index)
    const isKept = kept.get(route) ?? userBucket(route) < buckets
    kept.set(route, isKept)
    if (isKept) own.push(index)
    return own
  }, [])
  const pick = <Columns extends Float64Array | Int16Array | Uint16Array>(column: Columns, made: Columns): Columns => {
    for (const [place, index] of indices.entries()) made[place] = column[index] ?? 0
    return made
  }
  const count = indices.length
  return {
    firstRow: 0,
    airports: all.airports,
    departedMs: pick(all.departedMs, new Float64Array(count)),
    delayMinutes: pick(all.delayMinutes, new Int16Array(count)),
    distanceMiles: pick(all.distanceMiles, new Int16Array(count)),
    origin: pick(all.origin, new Uint16Array(count)),
    destination: pick(all.destination, new Uint16Array(count)),
  }
}
