// Runs seeds, prints what was done and how often each fault fired, and of the first seed that fails its number and a shortened history.
// `node --conditions=millrace-source test/simulation/main.ts --seeds 200 [--from 1] [--events N]`; exits 1 where a seed fails.
import { parseArgs } from 'node:util'
import { FAULTS } from './faults.ts'
import { runSeed, type SeedResult } from './run-seed.ts'
import { shorten } from './shorten.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    events: { type: 'string' },
  },
})
const [from, seeds] = [Number(values.from), Number(values.seeds)]
const eventsMax = values.events === undefined ? {} : { eventsMax: Number(values.events) }
const startedMs = performance.now()
const fired = new Map<string, number>()
let records = 0
for (let seed = from; seed < from + seeds; seed++) {
  const result = await runSeed({ seed, ...eventsMax })
  add(result)
  if (result.failure !== undefined) {
    await report(result)
    process.exit(1)
  }
}
const seconds = (performance.now() - startedMs) / 1000
console.log(JSON.stringify({ seeds, from, records, seconds, fired: Object.fromEntries(fired) }))
console.log(`${seeds} seeds, ${records} records, ${(seeds / seconds).toFixed(1)} seeds/s, 0 failures`)
for (const fault of FAULTS) console.log(`  ${fault}: ${fired.get(fault) ?? 0}`)

function add(result: SeedResult): void {
  records += result.records
  for (const [fault, count] of result.fired) fired.set(fault, (fired.get(fault) ?? 0) + count)
}

async function report(result: SeedResult): Promise<void> {
  const shortest = await shorten({ seed: result.seed, ...eventsMax })
  console.log(shortest.lines.slice(-150).join('\n'))
  console.log(`seed ${result.seed} fails: ${result.failure}`)
  console.log(`shortest: ${shortest.text}`)
}
