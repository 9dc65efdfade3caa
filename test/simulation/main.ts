// Runs seeds, prints how often each fault fired, and of the first seed that fails its number and a shortened history. Exits 1 then.
// `node --conditions=millrace-source test/simulation/main.ts --seeds 200 [--from 1] [--events N] [--workers 2]`
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { FAULTS } from './faults.ts'
import { runSeed, type SeedResult } from './run-seed.ts'
import { shorten } from './shorten.ts'

interface Totals {
  readonly seeds: number
  readonly records: number
  readonly fired: Readonly<Record<string, number>>
}

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    events: { type: 'string' },
    workers: { type: 'string', default: '1' },
    /** Of the workers themselves: totals alone, as JSON. */
    totals: { type: 'boolean', default: false },
  },
})
const HISTORY_LINES = 150
const PROGRESS_SEEDS = 1_000
const [from, seeds, workers] = [Number(values.from), Number(values.seeds), Number(values.workers)]
const eventsMax = values.events === undefined ? {} : { eventsMax: Number(values.events) }
const startedMs = performance.now()
const parts =
  workers === 1 ? [await runHere()] : await Promise.all(Array.from({ length: workers }, (_, at) => runThere(at)))
const totals = parts.reduce(sum)
if (values.totals) console.log(JSON.stringify(totals))
else print(totals)

async function runHere(): Promise<Totals> {
  // Thousands of simulated errors are made and nobody looks where.
  const stackTraceLimit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  const fired = new Map<string, number>()
  let records = 0
  for (let seed = from; seed < from + seeds; seed++) {
    const result = await runSeed({ seed, ...eventsMax })
    records += result.records
    for (const [fault, count] of result.fired) fired.set(fault, (fired.get(fault) ?? 0) + count)
    if (result.failure !== undefined) {
      Error.stackTraceLimit = stackTraceLimit
      await report(result)
      process.exit(1)
    }
    if ((seed - from + 1) % PROGRESS_SEEDS === 0) console.error(`${seed - from + 1} of ${seeds} seeds`)
  }
  return { seeds, records, fired: Object.fromEntries(fired) }
}

/** Its share in a process of its own; where that fails, so does everything. */
function runThere(at: number): Promise<Totals> {
  const share = Math.ceil(seeds / workers)
  const mine = Math.max(0, Math.min(share, seeds - at * share))
  const more = values.events === undefined ? [] : ['--events', values.events]
  const range = ['--seeds', `${mine}`, '--from', `${from + at * share}`, '--totals', ...more]
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), ...range], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => void chunks.push(chunk))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => {
      const output = Buffer.concat(chunks).toString('utf8')
      if (code === 0) return resolve(JSON.parse(output) as Totals)
      console.log(output)
      process.exit(1)
    })
  })
}

function sum(a: Totals, b: Totals): Totals {
  const fired = Object.fromEntries(FAULTS.map(fault => [fault, (a.fired[fault] ?? 0) + (b.fired[fault] ?? 0)]))
  return { seeds: a.seeds + b.seeds, records: a.records + b.records, fired }
}

function print({ seeds: done, records, fired }: Totals): void {
  const seconds = (performance.now() - startedMs) / 1000
  console.log(`${done} seeds, ${records} records, ${(done / seconds).toFixed(1)} seeds/s, 0 failures`)
  for (const fault of FAULTS) {
    const count = fired[fault] ?? 0
    console.log(`  ${fault}: ${count}, ${(count / done).toFixed(2)} a seed`)
  }
}

async function report(result: SeedResult): Promise<void> {
  const shortest = await shorten({ seed: result.seed, ...eventsMax })
  console.log(shortest.lines.slice(-HISTORY_LINES).join('\n'))
  console.log(`seed ${result.seed} fails: ${result.failure}`)
  console.log(`shortest: ${shortest.text}`)
}
