// What the protection costs (ids, floor, marks, checksums): the same batches through the code as it is and through a copy without it, each
// in a process of its own, a batch of one after a batch of the other, so that what the machine does besides slows both alike. Both must
// have written the same state, features and predictions.
// `node --conditions=millrace-source bench/protection.ts [--parts] [--pairs N] [--mix NAME]`; exits with 1 where it is over its limit, with 2 where the pairs of
// processes differ by so much that they do not tell.
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { patchedCopy } from '../test/simulation/planted/patched-copy.ts'
import { PROTECTION, PROTECTION_PARTS, type ProtectionPart } from './protection-off.ts'
import type { Ready } from './protection-process.ts'
import { type Mix, MIXES } from './protection-workload.ts'

/** Ten in a hundred of the handler's CPU are what never losing and never doubling an event may cost. */
const CPU_RATIO_MAX = 1.1
/** Of the mean ratio, for its limit to be judged. */
const STANDARD_ERROR_MAX = 0.02
/** Pairs of processes, the least. Each process is compiled in its own way, in luck or out of it, by some in a hundred. */
const PAIRS_DEFAULT = 10
/** Where so many of them do not tell, as many again are measured, up to this often. */
const ROUNDS_MAX = 3
/** Of the least and of the greatest ratios, this share is left out: one process out of luck would decide. */
const TRIMMED_SHARE = 0.1
const PAIRS_MIN = 4
/** Of a pair, for as long as this, and at least this many on each side. */
const PAIR_MS = 20_000
const BATCHES_MIN = 6

interface Pair {
  readonly on: Side
  readonly off: Side
}

interface Side extends Ready {
  /** Of each batch, in turn with the other side's. */
  readonly microseconds: readonly number[]
}

const { values } = parseArgs({
  options: {
    parts: { type: 'boolean', default: false },
    pairs: { type: 'string', default: String(PAIRS_DEFAULT) },
    mix: { type: 'string' },
  },
})
const pairCount = Number(values.pairs)
const mixes = MIXES.filter(mix => values.mix === undefined || mix === values.mix)
if (mixes.length === 0 || !(pairCount >= PAIRS_MIN))
  throw new Error(`--mix is one of ${MIXES.join(', ')}, --pairs ${PAIRS_MIN} or more`)
const variants = [PROTECTION, ...(values.parts ? PROTECTION_PARTS : [])]
let isOver = false
let isUnclear = false
for (const variant of variants) {
  const isLimited = variant === PROTECTION
  for (const mix of mixes) {
    const pairs = await measure(mix, variant)
    const { mean, standardError } = ratioOf(pairs)
    isOver ||= isLimited && mean > CPU_RATIO_MAX
    isUnclear ||= isLimited && standardError > STANDARD_ERROR_MAX
    process.stdout.write(linesOf(`${variant.name}, ${mix} mix`, pairs))
  }
}
if (isUnclear) process.stdout.write('The pairs differ too much to tell; run it where nothing else runs\n')
else if (isOver) process.stdout.write(`The protection costs more than ${CPU_RATIO_MAX} × the CPU without it\n`)
process.exitCode = isUnclear ? 2 : isOver ? 1 : 0

async function measure(mix: Mix, { name, patches, isSame }: ProtectionPart): Promise<readonly Pair[]> {
  // Both are copies: what lies elsewhere may be read, and so compiled, in another way.
  const [onCopy, offCopy] = [patchedCopy([]), patchedCopy(patches)]
  try {
    const pairs: Pair[] = []
    for (let index = 0; index === 0 || wantsMore(pairs); index++) {
      const pair = await measurePair(mix, [onCopy.folder, offCopy.folder], index)
      if (isSame && pair.on.written.bodies !== pair.off.written.bodies)
        throw new Error(`Without ${name} other features are written: what is measured is another handler`)
      pairs.push(pair)
    }
    return pairs
  } finally {
    onCopy.remove()
    offCopy.remove()
  }
}

/** Looked at after whole rounds only: whoever stops at the first standard error that is small enough chooses it. */
function wantsMore(pairs: readonly Pair[]): boolean {
  if (pairs.length % pairCount !== 0) return true
  return pairs.length < ROUNDS_MAX * pairCount && ratioOf(pairs).standardError > STANDARD_ERROR_MAX
}

async function measurePair(mix: Mix, folders: readonly [string, string], pair: number): Promise<Pair> {
  const children = folders.map(folder => start(folder, mix))
  // One warms up after the other.
  const [on, off] = [await children[0]?.ready(), await children[1]?.ready()]
  if (on === undefined || off === undefined) throw new Error('A side of the bench did not start')
  const taken: [number[], number[]] = [[], []]
  const order = pair % 2 === 0 ? [0, 1] : [1, 0]
  for (const startMs = performance.now(); performance.now() - startMs < PAIR_MS || taken[0].length < BATCHES_MIN; ) {
    for (const side of order) taken[side]?.push((await children[side]?.run()) ?? 0)
  }
  for (const child of children) child.stop()
  return { on: { ...on, microseconds: taken[0] }, off: { ...off, microseconds: taken[1] } }
}

interface Child {
  ready(): Promise<Ready>
  /** CPU of one batch, µs. */
  run(): Promise<number>
  stop(): void
}

function start(folder: string, mix: Mix): Child {
  let child: ChildProcess | undefined
  return {
    ready: () => {
      child = fork(join(folder, 'bench', 'protection-process.ts'), [mix], {
        cwd: folder,
        execArgv: ['--conditions=millrace-source'],
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      })
      return answerOf<Ready>(child)
    },
    run: () => {
      if (child === undefined) throw new Error('The side was not started')
      const answer = answerOf<number>(child)
      child.send('run')
      return answer
    },
    stop: () => child?.disconnect(),
  }
}

function answerOf<Answer>(child: ChildProcess): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`The bench's process ended with ${code}`))
    child.once('exit', onExit)
    child.once('message', message => {
      child.off('exit', onExit)
      resolve(message as Answer)
    })
  })
}

interface Ratio {
  readonly ratios: readonly number[]
  readonly mean: number
  readonly standardError: number
}

/** Of the pairs: each has the median of its batches' ratios, neighbours in time. */
function ratioOf(pairs: readonly Pair[]): Ratio {
  const ratios = pairs.map(({ on, off }) =>
    medianOf(on.microseconds.map((microseconds, index) => microseconds / (off.microseconds[index] ?? Number.NaN))),
  )
  return { ratios, ...trimmedMean(ratios) }
}

/** With the standard error of Tukey and McLaughlin (Sankhya A 25, 1963): that of the winsorized values, over the share that is kept. */
function trimmedMean(values: readonly number[]): { readonly mean: number; readonly standardError: number } {
  const sorted = values.toSorted((a, b) => a - b)
  const trimmed = Math.max(1, Math.floor(values.length * TRIMMED_SHARE))
  const kept = sorted.slice(trimmed, -trimmed)
  const [least = Number.NaN, greatest = Number.NaN] = [kept[0], kept.at(-1)]
  const winsorized = sorted.map(value => Math.min(Math.max(value, least), greatest))
  const center = meanOf(winsorized)
  const variance = winsorized.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1)
  return { mean: meanOf(kept), standardError: (Math.sqrt(variance / values.length) * values.length) / kept.length }
}

function medianOf(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN
}

function meanOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length
}

function linesOf(title: string, pairs: readonly Pair[]): string {
  const [pair] = pairs
  if (pair === undefined) throw new Error('There was no pair')
  const { on, off } = pair
  const row = (name: string, withIt: number, without: number, digits: number): string =>
    `  ${name.padEnd(26)} ${withIt.toFixed(digits).padStart(9)} ${without.toFixed(digits).padStart(9)}\n`
  const perItem = ({ written }: Side): number => written.bytes / written.items
  const perEvent = (side: 'on' | 'off'): number =>
    meanOf(pairs.map(each => medianOf(each[side].microseconds) / each[side].events))
  const { ratios, mean, standardError } = ratioOf(pairs)
  return (
    `${title}: ${on.events} events of ${on.written.items} users\n` +
    `  ${''.padEnd(26)} ${'with'.padStart(9)} ${'without'.padStart(9)}\n` +
    row('CPU per event, µs', perEvent('on'), perEvent('off'), 1) +
    row('bytes per item', perItem(on), perItem(off), 0) +
    row('write units per event', on.written.writeUnits / on.events, off.written.writeUnits / off.events, 2) +
    `  CPU with / without: ${mean.toFixed(3)} ± ${standardError.toFixed(3)} (standard error; pairs: ${ratios.map(ratio => ratio.toFixed(2)).join(' ')})\n`
  )
}
