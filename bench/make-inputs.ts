// Writes bench/inputs: run it by hand when the item's layout changes, and commit what it wrote.
//   node --conditions=millrace-source bench/make-inputs.ts
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { flightArrived, openFlights } from '../demo/flights.ts'
import { planDemo } from '../demo/plan.ts'
import { catalog } from '../src/catalog/catalog.ts'
import pipeline from '../src/pipeline/index.ts'
import { seededRandom } from '../src/platform/random.ts'
import { compilePipeline } from '../src/predictions/compile-pipeline.ts'
import { importHistory } from '../src/replay/import-history.ts'
import { memoryCatalogStore } from '../test/fakes/memory-catalog-store.ts'
import { memoryObjectStore } from '../test/fakes/memory-object-store.ts'
import { INPUTS_FILE, toInputsJson } from './inputs.ts'
import { plainStore } from './plain-store.ts'
import { lateArrivalPredictor } from './predictor.ts'

const BATCH_RECORDS = 500
/** Any fixed instant will do; this one makes the file the same every time. */
const NOW_MS = Date.UTC(2026, 0, 31, 18)

const compiled = compilePipeline(pipeline)
const plan = await planDemo(await openFlights(), NOW_MS)
const users = plainStore(new Map())

function* history(): Generator<Uint8Array> {
  for (const index of [...plan.history, ...plan.live.slice(0, -BATCH_RECORDS)]) {
    yield Buffer.from(JSON.stringify(flightArrived(plan.flights, index, plan.shiftMs)))
  }
}

const world = { clock: () => NOW_MS, random: seededRandom(1), sleep: async () => undefined }
const ownCatalog = catalog({ store: memoryCatalogStore(), objects: memoryObjectStore(), ...world })
const predictor = await lateArrivalPredictor()
const spoolDir = mkdtempSync(join(tmpdir(), 'millrace-inputs-'))
await importHistory(history(), {
  ...world,
  compiled,
  users,
  predictor,
  catalog: ownCatalog,
  name: 'inputs',
  spoolDir,
  who: 'bench',
  why: 'inputs',
})
rmSync(spoolDir, { recursive: true })
const batch = Array.from(plan.live.slice(-BATCH_RECORDS), index => flightArrived(plan.flights, index, plan.shiftMs))
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
