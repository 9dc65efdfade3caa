// What the protection costs (ids, floor, marks, checksums): the same batches through the code as it is and through a copy without it, by
// turns in one process. `node --conditions=millrace-source bench/protection.ts [--parts]`; exits with 1 where it is over its limit, with 2
// where the machine is too busy to tell: then the code is not even as fast as itself.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { type Patch, patchedCopy } from '../test/simulation/planted/patched-copy.ts'
import { PROTECTION_PARTS } from './protection-off.ts'
import { type Mix, MIXES, type Workload } from './protection-workload.ts'

/** Ten in a hundred of the handler's CPU are what never losing and never doubling an event may cost. */
const CPU_RATIO_MAX = 1.1
/** What the code may seem to cost beside a copy of itself, for its limit to be judged. */
const NOISE_MAX = 0.03
/** Each run is a batch of 500 events; the first are the compiler's. */
const WARM_UP_RUNS = 6
/** Of a round: short runs are done more often. */
const MEASURED_MS = 5_000
const PAIRS_MIN = 7
/** Each with copies of its own, which the compiler looks at anew: it may be in luck with one of the two, and by more than is measured. */
const ROUNDS = 5

interface Cost {
  readonly events: number
  readonly onMicroseconds: number
  readonly offMicroseconds: number
  readonly ratio: number
  readonly on: ReturnType<Workload['written']>
  readonly off: ReturnType<Workload['written']>
}

const { values } = parseArgs({ options: { parts: { type: 'boolean', default: false } } })
const variants = [
  { name: 'all of it', patches: PROTECTION_PARTS.flatMap(part => part.patches), isLimited: true },
  ...(values.parts ? PROTECTION_PARTS.map(part => ({ ...part, isLimited: false })) : []),
]
let noise = 0
for (const mix of MIXES) noise = Math.max(noise, Math.abs((await medianCost(mix, [])).ratio - 1))
process.stdout.write(`The code as it is, beside itself: ${(100 * noise).toFixed(1)} % apart\n`)
let isOver = false
for (const { name, patches, isLimited } of variants) {
  for (const mix of MIXES) {
    const cost = await medianCost(mix, patches)
    isOver ||= isLimited && cost.ratio > CPU_RATIO_MAX
    process.stdout.write(linesOf(`${name}, ${mix} mix`, cost))
  }
}
const isTooBusy = noise > NOISE_MAX
if (isTooBusy)
  process.stdout.write('The machine is too busy to tell what the protection costs; run it where nothing else runs\n')
else if (isOver) process.stdout.write(`The protection costs more than ${CPU_RATIO_MAX} × the CPU without it\n`)
process.exitCode = isTooBusy ? 2 : isOver ? 1 : 0

async function medianCost(mix: Mix, patches: readonly Patch[]): Promise<Cost> {
  const costs: Cost[] = []
  for (let round = 0; round < ROUNDS; round++) costs.push(await costOf(mix, patches, round % 2 === 0))
  const cost = costs.toSorted((a, b) => a.ratio - b.ratio)[ROUNDS >> 1]
  if (cost === undefined) throw new Error('There was no round')
  return cost
}

async function costOf(mix: Mix, patches: readonly Patch[], isOnLoadedFirst: boolean): Promise<Cost> {
  // Both are copies: what lies elsewhere may be read, and so compiled, in another way.
  const [onCopy, offCopy] = [patchedCopy([]), patchedCopy(patches)]
  try {
    const folders = [onCopy.folder, offCopy.folder]
    const loaded = new Map<string, Workload>()
    for (const folder of isOnLoadedFirst ? folders : folders.toReversed())
      loaded.set(folder, await workloadOf(folder, mix))
    const [on, off] = [loaded.get(onCopy.folder), loaded.get(offCopy.folder)]
    if (on === undefined || off === undefined) throw new Error('There is nothing to run')
    for (let run = 0; run < WARM_UP_RUNS; run++) await runPair(on, off, run % 2 === 0)
    const pairs: Pair[] = []
    for (const startMs = performance.now(); pairs.length < PAIRS_MIN || performance.now() - startMs < MEASURED_MS; ) {
      pairs.push(await runPair(on, off, pairs.length % 2 === 0))
    }
    const onMicroseconds = undisturbed(pairs.map(pair => pair.on)) / on.events
    const offMicroseconds = undisturbed(pairs.map(pair => pair.off)) / on.events
    return {
      events: on.events,
      onMicroseconds,
      offMicroseconds,
      ratio: onMicroseconds / offMicroseconds,
      on: on.written(),
      off: off.written(),
    }
  } finally {
    onCopy.remove()
    offCopy.remove()
  }
}

async function workloadOf(folder: string, mix: Mix): Promise<Workload> {
  const url = pathToFileURL(join(folder, 'bench', 'protection-workload.ts')).href
  const { protectionWorkload } = (await import(url)) as typeof import('./protection-workload.ts')
  return protectionWorkload(mix)
}

interface Pair {
  readonly on: number
  readonly off: number
}

async function runPair(on: Workload, off: Workload, isOnFirst: boolean): Promise<Pair> {
  if (isOnFirst) return { on: await on.run(), off: await off.run() }
  const first = await off.run()
  return { on: await on.run(), off: first }
}

/** The lower quartile: others on the machine only ever add to what a run takes, and a median moves with them. */
function undisturbed(runs: readonly number[]): number {
  return runs.toSorted((a, b) => a - b)[runs.length >> 2] ?? 0
}

function linesOf(title: string, { events, onMicroseconds, offMicroseconds, ratio, on, off }: Cost): string {
  const row = (name: string, withIt: number, without: number, digits: number): string =>
    `  ${name.padEnd(26)} ${withIt.toFixed(digits).padStart(9)} ${without.toFixed(digits).padStart(9)}\n`
  return (
    `${`${title}: ${events} events of ${on.items} users`.padEnd(60)}\n` +
    `  ${''.padEnd(26)} ${'with'.padStart(9)} ${'without'.padStart(9)}\n` +
    row('CPU per event, µs', onMicroseconds, offMicroseconds, 1) +
    row('bytes per item', on.bytes / on.items, off.bytes / off.items, 0) +
    row('write units per event', on.writeUnits / events, off.writeUnits / events, 2) +
    `  CPU with / without: ${ratio.toFixed(3)}\n`
  )
}
