// The training table of models/late-arrival, by the functions behind `millrace features export`: three million flights need not
// become a file of events first. `node --conditions=millrace-source demo/training-table.ts OUT.parquet [FLIGHTS]`.
import { pathToFileURL } from 'node:url'
import { writeFeaturesTable } from '../src/cli/write-features-table.ts'
import { decodePayload, isRefusal } from '../src/event/decode.ts'
import type { DecodedEvent } from '../src/event/decoded-event.ts'
import { exportRows, type Instant } from '../src/features/export-rows.ts'
import pipeline from '../src/pipeline/index.ts'
import { type CompiledPipeline, compilePipeline } from '../src/predictions/compile-pipeline.ts'
import { type Flights, flightArrived, inOrderOfArrival, openFlights, routeOf } from './flights.ts'

/** The same as `late` in src/pipeline/features.ts. */
const LATE_ABOVE_MINUTES = 15
const PROGRESS_ROWS = 250_000

export interface Label extends Instant {
  /** 1: this flight arrived late. What is known of its route is asked for just before it departs. */
  readonly late: 0 | 1
}

/** A label for each of the first `count` flights, in order of departure. */
export function* lateLabels(flights: Flights, count: number): Generator<Label> {
  for (let index = 0; index < count; index++) {
    const late = (flights.delayMinutes[index] ?? 0) > LATE_ABOVE_MINUTES ? 1 : 0
    yield { userId: routeOf(flights, index), time: flights.departedMs[index] ?? 0, late }
  }
}

/** Every landing as the pipeline's contract reads it, in order of arrival. */
export function* decodedArrivals(flights: Flights, { contracts }: CompiledPipeline): Generator<DecodedEvent> {
  for (const index of inOrderOfArrival(flights)) {
    const decoded = decodePayload(Buffer.from(JSON.stringify(flightArrived(flights, index))), contracts)
    if (isRefusal(decoded)) throw new Error(`Flight ${flights.firstRow + index}: ${decoded.detail}`)
    yield decoded
  }
}

export async function writeTrainingTable(out: string, count: number): Promise<number> {
  const compiled = compilePipeline(pipeline)
  const file = await openFlights()
  const lastGroup = file.groups.findIndex(group => group.firstRow + group.rows >= count)
  const flights = await file.read(0, lastGroup < 0 ? file.groups.length - 1 : lastGroup)
  const rows = Math.min(count, flights.departedMs.length)
  async function* withProgress(): ReturnType<typeof exportRows<Label>> {
    let done = 0
    const events = decodedArrivals(flights, compiled)
    for await (const row of exportRows(compiled.features, { events, instants: lateLabels(flights, rows) })) {
      if (++done % PROGRESS_ROWS === 0) console.error(`${done} of ${rows} rows`)
      yield row
    }
  }
  return writeFeaturesTable(out, {
    pipeline,
    plan: compiled.features,
    carried: [{ name: 'late', type: 'int64' }],
    carriedValues: label => [label.late],
    rows: withProgress(),
  })
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [, , out, count = String(Number.MAX_SAFE_INTEGER)] = process.argv
  if (out === undefined) throw new Error('Say where to: demo/training-table.ts OUT.parquet [FLIGHTS]')
  const startMs = Date.now()
  const rows = await writeTrainingTable(out, Number(count))
  const peakMegabytes = process.resourceUsage().maxRSS / 1024
  console.error(`${rows} rows in ${((Date.now() - startMs) / 1000).toFixed(0)} s, peak ${peakMegabytes.toFixed(0)} MB`)
}
