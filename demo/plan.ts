// Which flights the demo plays, and how far their times are moved: by whole weeks, so that weekdays and hours stay true, and into
// the last week of the sample, which training has not seen. A function of `now` alone.
import { DAY_MS } from '../src/platform/duration.ts'
import { arrivedMs, type Flights, FLIGHT_MS_MAX, type FlightsFile, inOrderOfArrival } from './flights.ts'

export const LIVE_EVENTS = 10_000
const HISTORY_MS = 30 * DAY_MS
const WEEK_MS = 7 * DAY_MS
/** The live arrivals span 15 hours on weekdays; two days leave room for the quietest weekend. */
const LIVE_MS_MAX = 2 * DAY_MS

export interface DemoPlan {
  readonly flights: Flights
  /** Added to every time of the sample; whole weeks. */
  readonly shiftMs: number
  /** Arrivals of the 30 days before the first live one, as indices in order of arrival. */
  readonly history: Uint32Array
  /** The last 10,000 arrivals up to `now`, in the order in which they are sent: that of arrival. */
  readonly live: Uint32Array
}

/** The smallest number of whole weeks that moves the last departure of the sample to `now` or later. */
export function wholeWeeksShiftMs(nowMs: number, lastDepartureMs: number): number {
  return Math.ceil((nowMs - lastDepartureMs) / WEEK_MS) * WEEK_MS
}

export async function planDemo(file: FlightsFile, nowMs: number): Promise<DemoPlan> {
  const last = file.groups.at(-1)
  if (last === undefined) throw new Error('The flights file is empty')
  const shiftMs = wholeWeeksShiftMs(nowMs, last.lastDepartureMs)
  const untilMs = nowMs - shiftMs
  const departedFromMs = untilMs - LIVE_MS_MAX - HISTORY_MS - FLIGHT_MS_MAX
  const first = file.groups.findIndex(group => group.lastDepartureMs >= departedFromMs)
  const flights = await file.read(first, file.groups.length - 1)
  const landed = inOrderOfArrival(flights).filter(index => arrivedMs(flights, index) <= untilMs)
  const live = landed.slice(-LIVE_EVENTS)
  const firstLiveMs = arrivedMs(flights, live[0] ?? 0)
  if (live.length < LIVE_EVENTS || firstLiveMs < untilMs - LIVE_MS_MAX) {
    throw new Error(`Fewer than ${LIVE_EVENTS} flights land in the two days before; is this flights-3m.parquet?`)
  }
  const history = landed.slice(0, -LIVE_EVENTS).filter(index => arrivedMs(flights, index) >= firstLiveMs - HISTORY_MS)
  return { flights, shiftMs, history, live }
}
