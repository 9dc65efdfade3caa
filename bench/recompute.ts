// Our handler beside one that works record by record, on the same events in one run: store calls, write units, CPU, and the wall
// time of a batch when each store call takes 5 ms; and our handler's CPU beside the least that anybody could spend.
import { deflateSync, inflateSync } from 'node:zlib'
import { PutItemCommand } from '@aws-sdk/client-dynamodb'
import { seededRandom } from '../src/platform/random.ts'
import type { CompiledPipeline } from '../src/predictions/compile-pipeline.ts'
import type { Predictor } from '../src/predictions/predictor.ts'
import { recomputeBatch, type RecomputeDependencies } from '../src/recompute/recompute-batch.ts'
import { toAttributes } from '../src/store/dynamodb-attributes.ts'
import { dynamodbUserStore } from '../src/store/dynamodb-user-store.ts'
import { itemBytes, writeUnits } from '../src/store/item-size.ts'
import { isCorrupt, type StoredItem, type UserStore } from '../src/store/user-item.ts'
import type { BenchInputs } from './inputs.ts'
import { memoryDynamodb } from './memory-dynamodb.ts'
import { perRecord, perRecordAtOnce } from './per-record.ts'
import { type PlainStore, plainStore } from './plain-store.ts'

export interface RecomputeBench {
  readonly events: number
  readonly users: number
  readonly storeCallsPerEvent: Pair
  readonly writeUnitsPerEvent: Pair
  /** With the SDK's whole marshalling, and a store in memory behind it. */
  readonly cpuMicrosecondsPerEvent: Pair
  /** Of one batch, each store call taking 5 ms. */
  readonly wallMs: Pair & { readonly perRecordAtOnce: number }
  /** Updates that the at-once variant lost in this batch: it breaks the order per user. */
  readonly lostAtOnce: number
  readonly floor: FloorBench
}

export interface Pair {
  readonly millrace: number
  readonly perRecord: number
  /** perRecord / millrace. */
  readonly ratio: number
}

export interface FloorBench {
  readonly handlerMicrosecondsPerEvent: number
  readonly handlerMicrosecondsPerUser: number
  readonly floorMicrosecondsPerEvent: number
  readonly ratio: number
}

const STORE_CALL_MS = 5
const ROUNDS = 9

export async function benchRecompute(
  inputs: BenchInputs,
  deps: { readonly compiled: CompiledPipeline; readonly predictor: Predictor },
): Promise<RecomputeBench> {
  const counted = await countCalls(inputs, deps)
  return {
    events: inputs.records.length,
    users: new Set(inputs.records.map(record => record.partitionKey)).size,
    ...counted,
    cpuMicrosecondsPerEvent: await cpuThroughSdk(inputs, deps),
    ...(await wallOfBatch(inputs, deps)),
    floor: await overFloor(inputs, deps),
  }
}

type Deps = Parameters<typeof benchRecompute>[1]

function millrace(inputs: BenchInputs, deps: Deps, users: UserStore): Promise<unknown> {
  const dependencies: RecomputeDependencies = {
    ...deps,
    users,
    aside: { writeDeadLetters: refuseAside, writeDoubt: refuseAside },
    random: seededRandom(1),
    sleep: async () => undefined,
    remainingMs: () => Number.POSITIVE_INFINITY,
  }
  return recomputeBatch(inputs.records, dependencies)
}

async function refuseAside(): Promise<never> {
  throw new Error('The bench has events that are set aside')
}

/** Reads and puts without a condition, as in the tutorials. */
function plainPorts(store: PlainStore): {
  load: (id: string) => Promise<StoredItem | undefined>
  put: (item: StoredItem) => Promise<void>
} {
  return {
    load: async id => {
      const item = await store.load(id)
      return item === undefined || isCorrupt(item) ? undefined : item
    },
    put: async item => {
      const current = store.items.get(item.userId)
      await store.put(item, current?.v)
      store.items.set(item.userId, item)
    },
  }
}

async function countCalls(
  inputs: BenchInputs,
  deps: Deps,
): Promise<Pick<RecomputeBench, 'storeCallsPerEvent' | 'writeUnitsPerEvent'>> {
  const measure = async (run: (store: PlainStore) => Promise<unknown>): Promise<{ calls: number; units: number }> => {
    const store = plainStore(inputs.items)
    let units = 0
    const put = store.put.bind(store)
    store.put = (item, expected) => {
      units += writeUnits(itemBytes(item))
      return put(item, expected)
    }
    await run(store)
    return { calls: store.calls.reads + store.calls.writes, units }
  }
  const ours = await measure(store => millrace(inputs, deps, store))
  const theirs = await measure(store => perRecord(inputs.records, { ...deps, ...plainPorts(store) }))
  const events = inputs.records.length
  return {
    storeCallsPerEvent: pair(ours.calls / events, theirs.calls / events),
    writeUnitsPerEvent: pair(ours.units / events, theirs.units / events),
  }
}

async function cpuThroughSdk(inputs: BenchInputs, deps: Deps): Promise<Pair> {
  const wire = memoryDynamodb()
  const users = dynamodbUserStore({
    client: wire.client,
    table: 'bench',
    random: seededRandom(1),
    sleep: async () => undefined,
  })
  // One put of each item, so that the store holds what the wire carries.
  for (const item of inputs.items.values())
    await wire.client.send(new PutItemCommand({ TableName: 'bench', Item: toAttributes(item) }))
  const before = new Map(wire.items)
  const ports = {
    load: async (id: string): Promise<StoredItem | undefined> => {
      const item = await users.load(id)
      return item === undefined || isCorrupt(item) ? undefined : item
    },
    put: async (item: StoredItem): Promise<void> => {
      await wire.client.send(new PutItemCommand({ TableName: 'bench', Item: toAttributes(item) }))
    },
  }
  const [ours, theirs] = await interleavedCpu(
    [() => millrace(inputs, deps, users), () => perRecord(inputs.records, { ...deps, ...ports })],
    () => {
      wire.items = new Map(before)
    },
  )
  return pair((ours ?? 0) / inputs.records.length, (theirs ?? 0) / inputs.records.length)
}

async function wallOfBatch(inputs: BenchInputs, deps: Deps): Promise<Pick<RecomputeBench, 'wallMs' | 'lostAtOnce'>> {
  const wall = async (run: (store: PlainStore) => Promise<unknown>): Promise<{ ms: number; store: PlainStore }> => {
    const store = plainStore(inputs.items, STORE_CALL_MS)
    const start = performance.now()
    await run(store)
    return { ms: performance.now() - start, store }
  }
  const ours = await wall(store => millrace(inputs, deps, store))
  const theirs = await wall(store => perRecord(inputs.records, { ...deps, ...plainPorts(store) }))
  const atOnce = await wall(store => perRecordAtOnce(inputs.records, { ...deps, ...plainPorts(store) }))
  const users = [...new Set(inputs.records.map(record => record.partitionKey))]
  const written = users.reduce(
    (sum, id) => sum + (atOnce.store.items.get(id)?.v ?? 0) - (inputs.items.get(id)?.v ?? 0),
    0,
  )
  return {
    wallMs: { ...pair(ours.ms, theirs.ms), perRecordAtOnce: atOnce.ms },
    lostAtOnce: inputs.records.length - written,
  }
}

/** What nobody can avoid: decode, inflate, parse, the model once, stringify, deflate; with no check, no decision and no fold. */
async function overFloor(inputs: BenchInputs, deps: Deps): Promise<FloorBench> {
  const users = [...new Set(inputs.records.map(record => record.partitionKey))]
  const after = plainStore(inputs.items)
  await millrace(inputs, deps, after)
  const written = users.flatMap(id => after.items.get(id) ?? [])
  const bodies = written.map(item =>
    [item.st, item.ft, item.pr].map(blob => JSON.parse(inflateSync(blob).toString('utf8')) as unknown),
  )
  const features = bodies.map(([, ft]) => ft as Parameters<Predictor['predict']>[0][number])
  const floor = async (): Promise<void> => {
    for (const record of inputs.records) JSON.parse(Buffer.from(record.dataBase64, 'base64').toString('utf8'))
    for (const id of users) {
      const item = inputs.items.get(id)
      if (item !== undefined) JSON.parse(inflateSync(item.st).toString('utf8'))
    }
    await deps.predictor.predict(features)
    for (const body of bodies) for (const part of body) deflateSync(JSON.stringify(part), { level: 6 })
  }
  let store = plainStore(inputs.items)
  const [handlerUs = 0, floorUs = 0] = await interleavedCpu([() => millrace(inputs, deps, store), floor], () => {
    store = plainStore(inputs.items)
  })
  return {
    handlerMicrosecondsPerEvent: handlerUs / inputs.records.length,
    handlerMicrosecondsPerUser: handlerUs / users.length,
    floorMicrosecondsPerEvent: floorUs / inputs.records.length,
    ratio: handlerUs / floorUs,
  }
}

/** CPU of this process in µs, the median of rounds taken in turns, so that a busy machine slows all alike. */
async function interleavedCpu(runs: readonly (() => Promise<unknown>)[], reset: () => void): Promise<number[]> {
  const samples: number[][] = runs.map(() => [])
  for (let round = 0; round < ROUNDS + 2; round++) {
    for (const [index, run] of runs.entries()) {
      reset()
      const start = process.cpuUsage()
      await run()
      const { user, system } = process.cpuUsage(start)
      // The first two rounds are the compiler's.
      if (round >= 2) samples[index]?.push(user + system)
    }
  }
  return samples.map(median)
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
}

function pair(millraceValue: number, perRecordValue: number): Pair {
  return { millrace: millraceValue, perRecord: perRecordValue, ratio: perRecordValue / millraceValue }
}
