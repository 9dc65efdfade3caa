// Writes bench/inputs: run it by hand when the item's layout changes, and commit what it wrote.
//   node --conditions=millrace-source bench/make-inputs.ts
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { gzipSync } from 'node:zlib'
import { flightArrived, openFlights } from '../demo/flights.ts'
import { planDemo } from '../demo/plan.ts'
import { decodePayload, isRefusal } from '../src/event/decode.ts'
import type { DecodedEvent } from '../src/event/decoded-event.ts'
import pipeline from '../src/pipeline/index.ts'
import { compilePipeline } from '../src/predictions/compile-pipeline.ts'
import { importHistory } from '../src/replay/import-history.ts'
import { INPUTS_FILE, toInputsJson } from './inputs.ts'
import { plainStore } from './plain-store.ts'
import { lateArrivalPredictor } from './predictor.ts'

const BATCH_RECORDS = 500
/** Any fixed instant will do; this one makes the file the same every time. */
const NOW_MS = Date.UTC(2026, 0, 31, 18)

const compiled = compilePipeline(pipeline)
const plan = await planDemo(await openFlights(), NOW_MS)
const users = plainStore(new Map())

function* history(): Generator<DecodedEvent> {
  for (const index of [...plan.history, ...plan.live.slice(0, -BATCH_RECORDS)]) {
    const text = JSON.stringify(flightArrived(plan.flights, index, plan.shiftMs))
    const event = decodePayload(Buffer.from(text), compiled.contracts)
    if (isRefusal(event)) throw new Error(event.detail)
    yield event
  }
}

await importHistory(history(), {
  compiled,
  users,
  predictor: await lateArrivalPredictor(),
  batchId: '20260131180000-aaaaaaaa',
})
const batch = [...plan.live.slice(-BATCH_RECORDS)].map(index => flightArrived(plan.flights, index, plan.shiftMs))
const affected = [...new Set(batch.map(event => event.route))].flatMap(route => users.items.get(route) ?? [])
mkdirSync(dirname(INPUTS_FILE), { recursive: true })
const json = JSON.stringify(
  toInputsJson(
    batch.map(event => JSON.stringify(event)),
    affected,
  ),
)
writeFileSync(INPUTS_FILE, gzipSync(json, { level: 9 }))
console.log(`${batch.length} events of ${affected.length} users, ${json.length} bytes plain`)
