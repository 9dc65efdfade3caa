// `node --conditions=millrace-source bench/models.ts`: what a prediction costs by model and batch, and versions that come into production
// while batches run. `--json` for machines, `--seconds N` for a longer load.
import { availableParallelism, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { openOnnxSession } from '../src/model/onnx-session.ts'
import { seededRandom } from '../src/platform/random.ts'
import { linearOnnx, treesOnnx } from './model-onnx.ts'
import { anyInputs, benchArtifact } from './model-shop.ts'
import { swapUnderLoad } from './model-swap.ts'
import { quantile } from './stopwatch.ts'

const INPUTS = 20
const BATCHES = [1, 100, 1_000] as const
/** Each round takes about this long; the median of them counts. */
const ROUND_MS = 60
const ROUNDS = 11

interface RunFigures {
  readonly batch: number
  readonly predictionsPerSecond: number
  /** Of one row alone. */
  readonly timesOfOneRow: number
}

interface ModelFigures {
  readonly model: string
  readonly bytes: number
  readonly openMs: number
  readonly runs: readonly RunFigures[]
}

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '6' }, json: { type: 'boolean', default: false } },
})
const loadBefore = loadavg()[0] ?? 0
const models = [await benchModel('linear', linearOnnx({ weights: weights(), intercept: 1 }))]
for (const trees of [100, 500])
  models.push(await benchModel(`${trees} trees`, treesOnnx(trees, INPUTS, seededRandom(7))))
const swap = await swapUnderLoad(Number(values.seconds) * 1000)
const machine = { cores: availableParallelism(), loadBefore }
if (values.json) process.stdout.write(`${JSON.stringify({ machine, models, swap }, null, 2)}\n`)
else for (const line of lines()) process.stdout.write(`${line}\n`)
if (swap.lost + swap.failed + swap.wrongAnswers > 0) process.exitCode = 1

function weights(): number[] {
  return Array.from({ length: INPUTS }, (_, index) => index + 1)
}

async function benchModel(model: string, onnx: Uint8Array): Promise<ModelFigures> {
  const startMs = performance.now()
  const session = await openOnnxSession(benchArtifact(onnx, anyInputs(INPUTS), model), model)
  const openMs = performance.now() - startMs
  const perSecond = new Map<number, number>()
  for (const batch of BATCHES) {
    const random = seededRandom(batch)
    const columns = Array.from({ length: INPUTS }, () => Float64Array.from({ length: batch }, random))
    const run = (): Promise<unknown> => session.run({ rowCount: batch, columns })
    const rates: number[] = []
    for (let round = 0; round < ROUNDS; round++) rates.push(await rateOf(run, batch))
    perSecond.set(batch, quantile(rates, 0.5))
  }
  const runs = BATCHES.map(batch => {
    const predictionsPerSecond = perSecond.get(batch) ?? 0
    return { batch, predictionsPerSecond, timesOfOneRow: predictionsPerSecond / (perSecond.get(1) ?? 1) }
  })
  return { model, bytes: onnx.byteLength, openMs, runs }
}

async function rateOf(run: () => Promise<unknown>, batch: number): Promise<number> {
  const startMs = performance.now()
  let calls = 0
  do {
    await run()
    calls++
  } while (performance.now() - startMs < ROUND_MS)
  return (calls * batch * 1000) / (performance.now() - startMs)
}

function* lines(): Generator<string> {
  yield `${machine.cores} cores, load ${loadBefore.toFixed(1)} at the start; ${INPUTS} inputs, one thread, trees of 64 leaves`
  for (const { model, bytes, openMs, runs } of models) {
    const rates = runs.map(
      ({ batch, predictionsPerSecond, timesOfOneRow }) =>
        `${Math.round(predictionsPerSecond).toLocaleString('en')}/s at ${batch.toLocaleString('en')} (${timesOfOneRow.toFixed(1)} ×)`,
    )
    yield `${model}, ${(bytes / 1000).toFixed(0)} KB, opened in ${openMs.toFixed(0)} ms: ${rates.join(', ')}`
  }
  yield `swap under load: ${swap.versions} versions in ${(swap.wallMs / 1000).toFixed(1)} s, ${swap.versionsAnswered} of them answered`
  yield `  ${swap.events.toLocaleString('en')} events in ${swap.batches} batches, ${swap.writers} at a time: ${swap.lost} lost, ${swap.failed} failed`
  yield `  ${swap.answers.toLocaleString('en')} answers: ${swap.wrongAnswers} by another version than they name; ${swap.itemsWrong} of ${swap.items} items wrong`
}
