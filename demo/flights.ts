// The demo's upstream: 3,000,000 US flights of 2001-01-01 to 2001-07-01 from npm's vega-datasets, as arrivals in upstream's JSON. Columns
// and not objects, because a row costs 16 bytes that way and the whole file fits into 50 MB.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type AsyncBuffer, asyncBufferFromFile, parquetMetadataAsync, parquetRead } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { MINUTE_MS } from '../src/platform/duration.ts'

/** The time that taxiing, climbing and landing add; with the speed below an estimate, as the data has no arrival time. */
const GROUND_MS = 30 * MINUTE_MS
/** 450 miles an hour: 7.5 miles a minute, which makes every arrival fall on a whole second. */
const MS_PER_MILE = 8000
/** The sample's longest distance is 4,962 miles. */
export const FLIGHT_MS_MAX = GROUND_MS + 5000 * MS_PER_MILE

export interface RowGroup {
  readonly firstRow: number
  readonly rows: number
  readonly firstDepartureMs: number
  readonly lastDepartureMs: number
}

export interface FlightsFile {
  /** In the order of the file, which is that of departures. */
  readonly groups: readonly RowGroup[]
  /** Reads the groups from `first` up to and including `last`, one at a time. */
  read(first: number, last: number): Promise<Flights>
}

/** Flights as columns; index i is row `firstRow + i` of the file. Local times of the place of departure are read as UTC. */
export interface Flights {
  readonly firstRow: number
  readonly departedMs: Float64Array
  readonly delayMinutes: Int16Array
  readonly distanceMiles: Int16Array
  /** Indices into `airports`. */
  readonly origin: Uint16Array
  readonly destination: Uint16Array
  readonly airports: readonly string[]
}

/** One landing, as the demo's upstream writes it. `flight` is the row number: rows of the file repeat, flights do not. */
export interface FlightArrived {
  readonly type: 'flight.arrived'
  readonly flight: number
  readonly route: string
  readonly arrivedAt: string
  readonly departedAt: string
  /** Clock hour of the departure, 0 to 23, where the flight left; and its weekday, Sunday 0. */
  readonly departureHour: number
  readonly departureWeekday: number
  readonly origin: string
  readonly destination: string
  readonly distanceMiles: number
  /** Minutes after the timetable; negative: early. */
  readonly delayMinutes: number
}

export function flightsPath(): string {
  // The package exports its code alone; its data lies beside it.
  const entry = createRequire(import.meta.url).resolve('vega-datasets')
  return join(entry.slice(0, entry.lastIndexOf('vega-datasets')), 'vega-datasets', 'data', 'flights-3m.parquet')
}

export async function openFlights(path: string = flightsPath()): Promise<FlightsFile> {
  const file = await asyncBufferFromFile(path)
  const metadata = await parquetMetadataAsync(file)
  let firstRow = 0
  const groups = metadata.row_groups.map(group => {
    const rows = Number(group.num_rows)
    const statistics = group.columns.find(column => column.meta_data?.path_in_schema[0] === 'date')?.meta_data
      ?.statistics
    const found = {
      firstRow,
      rows,
      firstDepartureMs: instantOf(statistics?.min_value),
      lastDepartureMs: instantOf(statistics?.max_value),
    }
    firstRow += rows
    return found
  })
  return { groups, read: (first, last) => readGroups(file, groups.slice(first, last + 1)) }
}

function instantOf(value: unknown): number {
  if (value instanceof Date) return value.getTime()
  throw new Error('The flights file has no statistics of its dates; is it flights-3m.parquet of vega-datasets?')
}

async function readGroups(file: AsyncBuffer, groups: readonly RowGroup[]): Promise<Flights> {
  const firstRow = groups[0]?.firstRow ?? 0
  const rows = groups.reduce((sum, group) => sum + group.rows, 0)
  const airports = new Map<string, number>()
  const airportIndex = (name: string): number => {
    const known = airports.get(name)
    if (known !== undefined) return known
    airports.set(name, airports.size)
    return airports.size - 1
  }
  const departedMs = new Float64Array(rows)
  const delayMinutes = new Int16Array(rows)
  const distanceMiles = new Int16Array(rows)
  const origin = new Uint16Array(rows)
  const destination = new Uint16Array(rows)
  const store: Readonly<Record<string, (index: number, value: unknown) => void>> = {
    date: (index, value) => void (departedMs[index] = value as number),
    delay: (index, value) => void (delayMinutes[index] = Number(value)),
    distance: (index, value) => void (distanceMiles[index] = Number(value)),
    origin: (index, value) => void (origin[index] = airportIndex(value as string)),
    destination: (index, value) => void (destination[index] = airportIndex(value as string)),
  }
  for (const group of groups) {
    await parquetRead({
      file,
      compressors,
      rowStart: group.firstRow,
      rowEnd: group.firstRow + group.rows,
      columns: Object.keys(store),
      parsers: { timestampFromMicroseconds: micros => Number(micros / 1000n) },
      onChunk({ columnName, columnData, rowStart }) {
        const put = store[columnName]
        for (let row = 0; row < columnData.length; row++) put?.(rowStart - firstRow + row, columnData[row])
      },
    })
  }
  return { firstRow, departedMs, delayMinutes, distanceMiles, origin, destination, airports: [...airports.keys()] }
}

/** Estimated: departure + 30 minutes + distance at 7.5 miles a minute. */
export function arrivedMs(flights: Flights, index: number): number {
  return (flights.departedMs[index] ?? 0) + GROUND_MS + (flights.distanceMiles[index] ?? 0) * MS_PER_MILE
}

export function routeOf(flights: Flights, index: number): string {
  return `${airport(flights, flights.origin, index)}-${airport(flights, flights.destination, index)}`
}

function airport(flights: Flights, column: Uint16Array, index: number): string {
  return flights.airports[column[index] ?? 0] ?? ''
}

/** The flight as upstream reports it once it has landed, all its times moved by `shiftMs`. */
export function flightArrived(flights: Flights, index: number, shiftMs = 0): FlightArrived {
  const departed = new Date((flights.departedMs[index] ?? 0) + shiftMs)
  return {
    type: 'flight.arrived',
    flight: flights.firstRow + index,
    route: routeOf(flights, index),
    arrivedAt: secondsText(new Date(arrivedMs(flights, index) + shiftMs)),
    departedAt: secondsText(departed),
    departureHour: departed.getUTCHours(),
    departureWeekday: departed.getUTCDay(),
    origin: airport(flights, flights.origin, index),
    destination: airport(flights, flights.destination, index),
    distanceMiles: flights.distanceMiles[index] ?? 0,
    delayMinutes: flights.delayMinutes[index] ?? 0,
  }
}

function secondsText(instant: Date): string {
  return `${instant.toISOString().slice(0, 19)}Z`
}

/** Beyond any row number, so that an instant in seconds and an index sort as one number: no comparison function, no objects. */
const INDICES_MAX = 2 ** 22

/** Indices by arrival, then by row: the order in which upstream, which reports landings as they happen, sends them. */
export function inOrderOfArrival(flights: Flights): Uint32Array {
  const keys = flights.departedMs.map((_, index) => (arrivedMs(flights, index) / 1000) * INDICES_MAX + index).sort()
  return Uint32Array.from(keys, key => key % INDICES_MAX)
}
