// `node --expose-gc --conditions=millrace-source bench/rescore.ts`: everybody rescored after a promotion, on the user store in memory: users a
// second and memory, killed at a put by chance and taken up again. `--users N`, `--json`, `--seed N` for another put.
import { availableParallelism, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { systemClock, systemSleep } from '../src/platform/clock.ts'
import { seededRandom } from '../src/platform/random.ts'
import type { PinnedPredictor, Predictor } from '../src/predictions/predictor.ts'
import { recomputeBatch } from '../src/recompute/recompute-batch.ts'
import { rescore, type RescoreResult } from '../src/rescore/rescore.ts'
import { isCorrupt, type UserStore } from '../src/store/user-item.ts'
import { memoryObjectStore } from '../test/fakes/memory-object-store.ts'
import { memoryUserStore } from '../test/fakes/memory-user-store.ts'
import { linearOnnx, treesOnnx } from './model-onnx.ts'
import {
  benchArtifact,
  INPUT_NAMES,
  MODEL,
  orderRecord,
  pinnedTo,
  refuseAside,
  shop,
  shopInputs,
} from './model-shop.ts'

const [OLD, NEW] = ['20260101000000-aaaaaaaa', '20260102000000-bbbbbbbb'] as const
const USERS_PER_BATCH = 1_000
const SAMPLE_MS = 50
const TREES = 100
/** The kill comes in the middle third of the puts. */
const [KILL_FROM, KILL_WITHIN] = [1 / 3, 1 / 3] as const

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const userCount = Number(values.users)
const random = seededRandom(Number(values.seed))
const loadBefore = loadavg()[0] ?? 0
const users = memoryUserStore({ scanPageItemsMax: 250 })
const objects = memoryObjectStore()
const folding = await fold()
const killAt = Math.floor(userCount * (KILL_FROM + random() * KILL_WITHIN))
const predictor = await pinnedTo(benchArtifact(treesOnnx(TREES, INPUT_NAMES.length, random), shopInputs(), 'new'), NEW)
users.resetCounters()
globalThis.gc?.()
const heldBefore = process.memoryUsage()
const peak = { heap: 0, rss: 0 }
const sampler = setInterval(sample, SAMPLE_MS)
const killed = await measured(() => run(dying()))
const writtenWhenKilled = users.counters.puts - users.counters.conflicts
const resumed = await measured(() => run(users))
clearInterval(sampler)
report()

/** Everybody has one order, predicted by the old version: the same store, fold, evaluation and codec, for comparison. */
async function fold(): Promise<{ readonly cpuMs: number; readonly wallMs: number }> {
  const linear = await pinnedTo(
    benchArtifact(linearOnnx({ weights: [1, 2, 3], intercept: 0 }), shopInputs(), 'old'),
    OLD,
  )
  const live: Predictor = { ...linear, pinned: async () => linear, production: async () => ({ [MODEL]: OLD }) }
  const { cpuMs, wallMs } = await measured(async () => {
    for (let from = 0; from < userCount; from += USERS_PER_BATCH) {
      const size = Math.min(USERS_PER_BATCH, userCount - from)
      const records = Array.from({ length: size }, (_, index) => orderRecord(`user-${from + index}`, from + index + 1))
      await recomputeBatch(records, {
        compiled: shop,
        users,
        predictor: live,
        aside: { writeDeadLetters: refuseAside, writeDoubt: refuseAside },
        random,
        sleep: systemSleep,
        remainingMs: () => Number.POSITIVE_INFINITY,
      })
    }
  })
  return { cpuMs, wallMs }
}

function run(table: UserStore, pinned: PinnedPredictor = predictor): Promise<RescoreResult> {
  const sweep = { model: MODEL, batchId: NEW, when: 'after', entry: 2 } as const
  return rescore(
    { sweep },
    {
      compiled: shop,
      users: table,
      predictor: pinned,
      objects,
      isCurrent: async () => true,
      clock: systemClock,
      sleep: systemSleep,
      random,
    },
  )
}

function dying(): UserStore {
  let puts = 0
  return {
    ...users,
    put: async (item, expected) => {
      if (++puts > killAt) throw new Error('killed')
      return users.put(item, expected)
    },
  }
}

interface Measured {
  readonly wallMs: number
  readonly cpuMs: number
  /** Undefined: it was killed. */
  readonly result: RescoreResult | undefined
}

async function measured(work: () => Promise<RescoreResult | void>): Promise<Measured> {
  const startMs = performance.now()
  const cpu = process.cpuUsage()
  let result: RescoreResult | undefined
  try {
    result = (await work()) ?? undefined
  } catch (error) {
    if (!(error instanceof Error) || error.message !== 'killed') throw error
  }
  const { user, system } = process.cpuUsage(cpu)
  return { wallMs: performance.now() - startMs, cpuMs: (user + system) / 1000, result }
}

function sample(): void {
  const { heapUsed, rss } = process.memoryUsage()
  peak.heap = Math.max(peak.heap, heapUsed)
  peak.rss = Math.max(peak.rss, rss)
}

function report(): void {
  sample()
  globalThis.gc?.()
  const heapAfter = process.memoryUsage().heapUsed - heldBefore.heapUsed
  const items = users.items()
  const once = items.filter(item => !isCorrupt(item) && item.v === 2 && item.models[MODEL] === NEW).length
  const wallMs = killed.wallMs + resumed.wallMs
  const cpuMs = killed.cpuMs + resumed.cpuMs
  const figures = {
    cores: availableParallelism(),
    loadBefore,
    users: userCount,
    usersPerSecond: (userCount * 1000) / wallMs,
    cpuMicrosecondsPerUser: (cpuMs * 1000) / userCount,
    /** Of what one event of one user costs, with the same store. */
    ratioToAnEvent: cpuMs / folding.cpuMs,
    memory: {
      storeBytes: heldBefore.heapUsed,
      peakHeapOverStore: peak.heap - heldBefore.heapUsed,
      heapAfter,
      rssBefore: heldBefore.rss,
      peakRss: peak.rss,
    },
    killedAtPut: killAt,
    writtenWhenKilled,
    puts: users.counters.puts,
    conflicts: users.counters.conflicts,
    resumed: resumed.result,
    onceUnderTheNewVersion: once,
    objects: objects.objects.size,
  }
  if (once !== userCount || resumed.result?.counts.users !== userCount) process.exitCode = 1
  if (values.json) process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`)
  else for (const line of lines(figures)) process.stdout.write(`${line}\n`)
}

function* lines(figures: {
  readonly usersPerSecond: number
  readonly cpuMicrosecondsPerUser: number
  readonly ratioToAnEvent: number
  readonly memory: Readonly<Record<string, number>>
  readonly puts: number
  readonly conflicts: number
  readonly onceUnderTheNewVersion: number
  readonly objects: number
}): Generator<string> {
  const { usersPerSecond, cpuMicrosecondsPerUser, ratioToAnEvent, memory, puts, conflicts } = figures
  const mb = (name: string): string => `${((memory[name] ?? 0) / 1e6).toFixed(0)} MB`
  const counts = resumed.result?.counts
  yield `${availableParallelism()} cores, load ${loadBefore.toFixed(1)} at the start; ${TREES} trees, ${INPUT_NAMES.length} inputs`
  yield `${userCount.toLocaleString('en')} users: ${Math.round(usersPerSecond).toLocaleString('en')}/s, ${cpuMicrosecondsPerUser.toFixed(0)} µs of CPU each, ${ratioToAnEvent.toFixed(2)} × that of an event with the same store`
  yield `  memory: the store ${mb('storeBytes')}, at most ${mb('peakHeapOverStore')} of heap over it (garbage included), ${mb('heapAfter')} after; of the process ${mb('rssBefore')} before and at most ${mb('peakRss')}`
  yield `  killed at put ${killAt.toLocaleString('en')}, when ${writtenWhenKilled.toLocaleString('en')} were written; taken up again: ${resumed.result?.isResumed === true}`
  yield `  in both: ${puts.toLocaleString('en')} puts, ${conflicts} conflicts, ${figures.objects} objects of progress`
  yield `  counted: ${counts?.users} users, ${counts?.rescored} rescored, ${counts?.already} found done, ${counts?.left} left`
  yield `  exactly once under the new version: ${figures.onceUnderTheNewVersion.toLocaleString('en')} of ${userCount.toLocaleString('en')}`
}
