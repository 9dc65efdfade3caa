// What the protection costs (ids, floor, marks, checksums): the same batches through the code as it is and through a copy without it, each
// in processes of its own, by turns. `node --conditions=millrace-source bench/protection.ts [--parts]`; exits with 1 where it is over its
// limit, with 2 where the machine is too busy to tell: then the code is not even as fast as itself.
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Patch, patchedCopy } from '../test/simulation/planted/patched-copy.ts'
import { PROTECTION_PARTS } from './protection-off.ts'
import type { Measured } from './protection-process.ts'
import { type Mix, MIXES } from './protection-workload.ts'

/** Ten in a hundred of the handler's CPU are what never losing and never doubling an event may cost. */
const CPU_RATIO_MAX = 1.1
/** What the code may seem to cost beside itself, for its limit to be judged. */
const NOISE_MAX = 0.04
/** Pairs of processes. Each is compiled in its own way, in luck or out of it, by some in a hundred. */
const ROUNDS = 8

interface Cost {
  readonly on: readonly Measured[]
  readonly off: readonly Measured[]
}

const { values } = parseArgs({ options: { parts: { type: 'boolean', default: false } } })
const variants = [
  { name: 'all of it', patches: PROTECTION_PARTS.flatMap(part => part.patches), isLimited: true },
  ...(values.parts ? PROTECTION_PARTS.map(part => ({ ...part, isLimited: false })) : []),
]
let isOver = false
let noise = 0
for (const { name, patches, isLimited } of variants) {
  for (const mix of MIXES) {
    const cost = await costOf(mix, patches)
    isOver ||= isLimited && ratioOf(cost) > CPU_RATIO_MAX
    noise = Math.max(noise, unlikeness(cost.on), unlikeness(cost.off))
    process.stdout.write(linesOf(`${name}, ${mix} mix`, cost))
  }
}
process.stdout.write(
  `Every second process beside the others of its code: ${(100 * noise).toFixed(1)} % apart at most\n`,
)
const isTooBusy = noise > NOISE_MAX
if (isTooBusy)
  process.stdout.write('The machine is too busy to tell what the protection costs; run it where nothing else runs\n')
else if (isOver) process.stdout.write(`The protection costs more than ${CPU_RATIO_MAX} × the CPU without it\n`)
process.exitCode = isTooBusy ? 2 : isOver ? 1 : 0

async function costOf(mix: Mix, patches: readonly Patch[]): Promise<Cost> {
  // Both are copies: what lies elsewhere may be read, and so compiled, in another way.
  const [onCopy, offCopy] = [patchedCopy([]), patchedCopy(patches)]
  try {
    const on: Measured[] = []
    const off: Measured[] = []
    for (let round = 0; round < ROUNDS; round++) {
      if (round % 2 === 0) on.push(await measure(onCopy.folder, mix))
      off.push(await measure(offCopy.folder, mix))
      if (round % 2 === 1) on.push(await measure(onCopy.folder, mix))
    }
    return { on, off }
  } finally {
    onCopy.remove()
    offCopy.remove()
  }
}

function measure(folder: string, mix: Mix): Promise<Measured> {
  const child = fork(join(folder, 'bench', 'protection-process.ts'), [mix], {
    cwd: folder,
    execArgv: ['--conditions=millrace-source'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  return new Promise((resolve, reject) => {
    child.once('message', message => resolve(message as Measured))
    child.once('exit', code => reject(new Error(`The bench's process ended with ${code}`)))
  })
}

/** Of all that they are: a median of few jumps from one to the next. */
function meanOf(measured: readonly Measured[]): number {
  return measured.reduce((sum, { microsecondsPerEvent }) => sum + microsecondsPerEvent, 0) / measured.length
}

function ratioOf({ on, off }: Cost): number {
  return meanOf(on) / meanOf(off)
}

/** How far one half of the same code's processes is from the other, as a share. */
function unlikeness(measured: readonly Measured[]): number {
  const half = (rest: number): readonly Measured[] => measured.filter((_, index) => index % 2 === rest)
  return Math.abs(meanOf(half(0)) / meanOf(half(1)) - 1)
}

function linesOf(title: string, cost: Cost): string {
  const [on, off] = [cost.on[0], cost.off[0]]
  if (on === undefined || off === undefined) throw new Error('There was no round')
  const row = (name: string, withIt: number, without: number, digits: number): string =>
    `  ${name.padEnd(26)} ${withIt.toFixed(digits).padStart(9)} ${without.toFixed(digits).padStart(9)}\n`
  const perItem = ({ written }: Measured): number => written.bytes / written.items
  return (
    `${title}: ${on.events} events of ${on.written.items} users\n` +
    `  ${''.padEnd(26)} ${'with'.padStart(9)} ${'without'.padStart(9)}\n` +
    row('CPU per event, µs', meanOf(cost.on), meanOf(cost.off), 1) +
    row('bytes per item', perItem(on), perItem(off), 0) +
    row('write units per event', on.written.writeUnits / on.events, off.written.writeUnits / off.events, 2) +
    `  CPU with / without: ${ratioOf(cost).toFixed(3)}\n`
  )
}
