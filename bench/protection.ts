// What the protection costs (ids, floor, marks, checksums): the same batches through the code as it is and through a copy without it, by
// turns in one process. `node --conditions=millrace-source bench/protection.ts [--parts]`; exits with 1 where it is over its limit.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { type Patch, patchedCopy } from '../test/simulation/planted/patched-copy.ts'
import { PROTECTION_PARTS } from './protection-off.ts'
import { type Mix, MIXES, type Workload } from './protection-workload.ts'

/** Ten in a hundred of the handler's CPU are what never losing and never doubling an event may cost. */
const CPU_RATIO_MAX = 1.1
/** Each run is a batch of 500 events; the first are the compiler's. */
const WARM_UP_RUNS = 4
const PAIRS = 25

interface Cost {
  readonly events: number
  readonly onMicroseconds: number
  readonly offMicroseconds: number
  /** The median of the pairs' own: both of a pair have met the machine in the same mood. */
  readonly ratio: number
  readonly on: ReturnType<Workload['written']>
  readonly off: ReturnType<Workload['written']>
}

const { values } = parseArgs({ options: { parts: { type: 'boolean', default: false } } })
const variants = [
  { name: 'all of it', patches: PROTECTION_PARTS.flatMap(part => part.patches), isLimited: true },
  ...(values.parts ? PROTECTION_PARTS.map(part => ({ ...part, isLimited: false })) : []),
]
let isOver = false
for (const { name, patches, isLimited } of variants) {
  for (const mix of MIXES) {
    const cost = await costOf(mix, patches)
    isOver ||= isLimited && cost.ratio > CPU_RATIO_MAX
    process.stdout.write(linesOf(`${name}, ${mix} mix`, cost))
  }
}
if (isOver) process.stdout.write(`The protection costs more than ${CPU_RATIO_MAX} × the CPU without it\n`)
process.exitCode = isOver ? 1 : 0

async function costOf(mix: Mix, patches: readonly Patch[]): Promise<Cost> {
  // Both are copies: what lies elsewhere may be read, and so compiled, in another way.
  const [onCopy, offCopy] = [patchedCopy([]), patchedCopy(patches)]
  try {
    const [on, off] = [await workloadOf(onCopy.folder, mix), await workloadOf(offCopy.folder, mix)]
    const pairs: { readonly on: number; readonly off: number }[] = []
    for (let run = 0; run < WARM_UP_RUNS + PAIRS; run++) {
      const pair = await runPair(on, off, run % 2 === 0)
      if (run >= WARM_UP_RUNS) pairs.push(pair)
    }
    return {
      events: on.events,
      onMicroseconds: median(pairs.map(pair => pair.on)) / on.events,
      offMicroseconds: median(pairs.map(pair => pair.off)) / on.events,
      ratio: median(pairs.map(pair => pair.on / pair.off)),
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

async function runPair(on: Workload, off: Workload, isOnFirst: boolean): Promise<{ on: number; off: number }> {
  if (isOnFirst) return { on: await on.run(), off: await off.run() }
  const first = await off.run()
  return { on: await on.run(), off: first }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0
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
