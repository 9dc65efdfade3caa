// What holds of a mapping for any stream, any faults and any moments of its end: nothing is lost, and each key's records come first
// in the order in which they were put, through splits and merges as well.
import { expect, it } from 'vitest'
import { type Random, seededRandom } from '../../src/platform/random.ts'
import { type Delivery, failed, failFrom, type Harness, startHarness, stop, throttled } from './mapping-harness.ts'

const KEYS = Array.from({ length: 12 }, (_, index) => `user-${index}`)
const FAULTS_UNTIL_MS = 120_000

interface World {
  readonly random: Random
  /** By key, in the order in which they were put. */
  readonly put: Map<string, string[]>
  /** By key, in the order in which they were delivered first. */
  readonly first: Map<string, string[]>
  readonly done: Set<string>
  count: number
  endMs: number
}

const pick = <Item>(random: Random, items: readonly Item[]): Item | undefined =>
  items[Math.floor(random() * items.length)]

function putSome({ stream, time }: Pick<Harness, 'stream' | 'time'>, world: World): void {
  for (let index = 0; index < 1 + world.random() * 12; index++) {
    const key = pick(world.random, KEYS) ?? ''
    const text = `${key}:${world.count++}`
    stream.putByKey(key, text, { arrivalMs: time.clock() })
    world.put.set(key, [...(world.put.get(key) ?? []), text])
  }
}

function reshard({ stream }: Pick<Harness, 'stream'>, { random }: World): void {
  const open = stream.openShards()
  const shard = pick(random, open) ?? ''
  if (open.length < 3) return void stream.split(shard)
  const other = open.find(each => each !== shard) ?? ''
  try {
    stream.merge(shard, other)
  } catch {
    // They are no neighbours.
    stream.split(shard)
  }
}

/** What was delivered counts from the moment at which the function has it, whatever becomes of its answer. */
function handle(delivery: Delivery, world: World, isFaulty: boolean): unknown {
  const { random, first, done } = world
  const dice = isFaulty ? random() : 1
  if (dice < 0.15) return throttled
  if (dice < 0.3) return failed('Error')
  const failedAt = dice < 0.5 ? Math.floor(random() * delivery.data.length) : delivery.data.length
  for (const [index, text] of delivery.data.slice(0, failedAt).entries()) {
    const key = delivery.partitionKeys[index] ?? ''
    if (!done.has(text)) first.set(key, [...(first.get(key) ?? []), text])
    done.add(text)
  }
  return failedAt === delivery.data.length ? null : failFrom(delivery.sequences[failedAt])
}

async function runWorld(seed: number, parallelizationFactor: number, bisects: boolean): Promise<World> {
  const random = seededRandom(seed)
  const world: World = { random, put: new Map(), first: new Map(), done: new Set(), count: 0, endMs: 0 }
  const begin = (after?: Harness): Promise<Harness> =>
    startHarness({
      shards: ['shardId-000000000000', 'shardId-000000000001'],
      plan: {
        batchSize: 1 + Math.floor(random() * 6),
        batchingWindowMs: random() < 0.5 ? 0 : 2000,
        parallelizationFactor,
        bisectsBatchOnFunctionError: bisects,
      },
      handler: async (delivery, _attempt, { time }) => {
        const isFaulty = world.endMs === 0 || time.clock() < world.endMs
        await time.sleep(random() * 300)
        return handle(delivery, world, isFaulty)
      },
      ...(after === undefined ? {} : { after }),
    })
  let harness = await begin()
  const endMs = harness.time.clock() + FAULTS_UNTIL_MS
  for (let step = 0; harness.time.clock() < endMs; step++) {
    putSome(harness, world)
    const dice = random()
    if (dice < 0.1) reshard(harness, world)
    else if (dice < 0.13) {
      const { mapping, time } = harness
      void mapping.setEnabled(false)
      void time.sleep(3000).then(() => mapping.setEnabled(true))
    } else if (dice < 0.18) {
      if (dice < 0.15) await stop(harness)
      else harness.mapping.kill()
      harness = await begin(harness)
    }
    const untilMs = harness.time.clock() + random() * 4000
    void harness.time.sleep(untilMs - harness.time.clock())
    await harness.time.runUntil(() => harness.time.clock() >= untilMs)
  }
  world.endMs = endMs
  await harness.mapping.setEnabled(true)
  await harness.time.runUntil(
    () => world.done.size === world.count && harness.mapping.counters().every(({ pending }) => pending === 0),
  )
  harness.mapping.assertRunning()
  await stop(harness)
  return world
}

const RUNS = Array.from({ length: 24 }, (_, seed) => ({
  seed,
  factor: [1, 2, 10][seed % 3] ?? 1,
  bisects: seed % 2 === 0,
}))

it.each(RUNS)(
  'loses nothing and keeps the order of every key through faults, splits, merges, pauses, stops and kills (seed $seed)',
  async ({ seed, factor, bisects }) => {
    const { put, first } = await runWorld(seed, factor, bisects)
    expect(first).toEqual(put)
  },
)

it('does the same for the same seed', async () => {
  const [one, other] = [await runWorld(11, 2, true), await runWorld(11, 2, true)]
  expect({ ...one, random: undefined }).toEqual({ ...other, random: undefined })
  expect(one.count).toBeGreaterThan(100)
})
