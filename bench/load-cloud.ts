// The load through the local cloud with the packaged functions: a producer keeps the users written a second at a share of what the store
// emulator takes by itself, and lag and memory must not grow. Data is kept on disk, so that what grows in memory is not the data.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { localKinesisClient } from '../localstack/kinesis-streams.ts'
import type { LocalStatus } from '../localstack/local-api.ts'
import { RECENT_IDS_MAX } from '../src/affected/decide.ts'
import { STAGE_DEFAULT } from '../src/cli/stage.ts'
import { awsClients } from '../src/compose/clients.ts'
import { type Connection, connect } from '../src/compose/connect.ts'
import { systemClock, systemSleep } from '../src/platform/clock.ts'
import { MINUTE_MS } from '../src/platform/duration.ts'
import flights from '../src/pipeline/index.ts'
import { allItems } from '../test/local/flight-oracle.ts'
import { type ForkedCloud, forkCloud } from '../test/local/forked-cloud.ts'
import { packagedCloud } from '../test/local/packaged-cloud.ts'
import { putRecords } from '../test/local/put-records.ts'
import { type LoadFlights, loadFlights } from './load-flights.ts'
import { notedMemory, type NotedMemory, type ProcessUsage, usageOf } from './load-processes.ts'
import { measurePutRate } from './load-put-rate.ts'

/** A second function computes while the first one waits for its puts, so that the store is never idle. */
const SHARDS = 2
/** As many as the demo has routes. */
const ROUTES = 3000
/**
 * So that items have the size that they keep: all events are within the lateness, so an item's ids grow until they are as many as an item
 * remembers. Else what the function holds of a batch grows for as long, and looks like a leak.
 */
const WARM_UP_FLIGHTS_IN_A_ROW = 32
const WARM_UP_PASSES = Math.ceil(RECENT_IDS_MAX / WARM_UP_FLIGHTS_IN_A_ROW)
/** The least that is asked for is 80 %; a little more, as pacing and batches round down. */
const SHARE_WANTED = 0.83
/**
 * The store by itself and who puts into it take two cores whole, so beside it nothing could run at 80 % of what it takes there. A table
 * has a capacity, though, in write units as on AWS: it is given this share of what the emulator can.
 */
const CAPACITY_SHARE = 0.45
const BURST_SECONDS = 2
/** A batch that is held for a minute, as where it is deployed, comes a few times only while the functions grow warm. */
const ARCHIVE_WINDOW_SECONDS = 5
/** Half of a heap may fill before V8 looks what of it is garbage; of a big one that takes longer than the run, and looks like a leak. */
const CLOUD_HEAP_MB = 256
const ARCHIVE_MEMORY_MB = 128
/** glibc has arenas of its own for many threads, and what is freed in one is of no use in another: that looks like a leak as well. */
const ONE_ARENA = { MALLOC_ARENA_MAX: '1' }
const COLLECTED = `--import=${new URL('./collect-garbage.ts', import.meta.url).href}`
const TICK_MS = 200
const SAMPLE_MS = 2000
const PROBE_MS_MAX = 10_000
const DRAIN_TIMEOUT_MS = 120_000

export interface LoadSample {
  readonly atMs: number
  /** Age of the last batch's newest record when the function was invoked. */
  readonly iteratorAgeMs: number
  /** Acknowledged by Kinesis and not yet by the function. */
  readonly behind: number
  readonly processes: ReadonlyMap<string, ProcessUsage>
}

export interface CloudLoad {
  /** What the emulator takes, two cores and nothing else on them. */
  readonly putsPerSecondUnlimited: number
  /** What the table takes, at the capacity that it was given. */
  readonly putsPerSecondBefore: number
  readonly putsPerSecondAfter: number
  readonly eventsPerSecondWanted: number
  readonly eventsPerSecond: number
  readonly usersWrittenPerSecond: number
  readonly itemBytes: number
  readonly samples: readonly LoadSample[]
  /** Processes of functions that did not live from the load's beginning to its end. */
  readonly replaced: readonly string[]
  /** Of each of the others. */
  readonly afterCollections: ReadonlyMap<string, NotedMemory>
  readonly failures: number
}

export async function loadCloud(minutes: number, say: (line: string) => void): Promise<CloudLoad> {
  const [folder, memoryFolder] = await Promise.all([temporaryFolder('load'), temporaryFolder('load-memory')])
  const packaged = await packagedCloud({
    shards: SHARDS,
    archiveWindowSeconds: ARCHIVE_WINDOW_SECONDS,
    recomputeWindowSeconds: 1,
    archiveMemoryMb: ARCHIVE_MEMORY_MB,
    variables: { ...ONE_ARENA, NODE_OPTIONS: COLLECTED, LOAD_MEMORY_FOLDER: memoryFolder },
  })
  const cloud = await forkCloud(
    { build: packaged.build, port: 0, path: folder, pollMs: 50 },
    { heapMb: CLOUD_HEAP_MB, variables: ONE_ARENA },
  )
  const env = { AWS_ENDPOINT_URL: cloud.endpoint }
  const connection = connect({ pipeline: flights.name, stage: STAGE_DEFAULT, env })
  try {
    return await runLoad({ cloud, connection, env, traffic: loadFlights(ROUTES), memoryFolder }, minutes, say)
  } finally {
    connection.close()
    await cloud.stop()
    await packaged.remove()
    await Promise.all([folder, memoryFolder].map(each => rm(each, { recursive: true, force: true })))
  }
}

function temporaryFolder(name: string): Promise<string> {
  return mkdtemp(join(tmpdir(), `millrace-${name}-`))
}

interface LoadWorld {
  readonly cloud: ForkedCloud
  readonly connection: Connection
  readonly env: Readonly<Record<string, string>>
  readonly traffic: LoadFlights
  /** Where functions note what they hold. */
  readonly memoryFolder: string
}

async function runLoad(world: LoadWorld, minutes: number, say: (line: string) => void): Promise<CloudLoad> {
  const { cloud, connection, env, traffic } = world
  const kinesis = localKinesisClient(cloud.endpoint)
  const clients = Array.from({ length: SHARDS }, () => awsClients(env))
  const put = async (count: number, inARow = 1): Promise<void> => {
    await putRecords(kinesis, connection.names.eventsStream, traffic.next(count, systemClock(), inARow))
  }
  try {
    for (let pass = 0; pass < WARM_UP_PASSES; pass++) {
      await put(ROUTES * WARM_UP_FLIGHTS_IN_A_ROW, WARM_UP_FLIGHTS_IN_A_ROW)
      await cloud.drain(DRAIN_TIMEOUT_MS)
    }
    const item = [...(await allItems(connection)).values()][0]
    if (item === undefined) throw new Error('No item was written')
    const probeMs = Math.min(PROBE_MS_MAX, (minutes * MINUTE_MS) / 6)
    const probe = () => measurePutRate({ clients: clients.map(({ dynamodb }) => dynamodb), item }, probeMs)
    await probe()
    const putsPerSecondUnlimited = await probe()
    await cloud.limitPuts({ putsPerSecond: CAPACITY_SHARE * putsPerSecondUnlimited, burstSeconds: BURST_SECONDS })
    await probe()
    const putsPerSecondBefore = await probe()
    const eventsPerSecondWanted = putsPerSecondBefore * SHARE_WANTED
    say(
      `the emulator takes ${Math.round(putsPerSecondUnlimited)} puts/s, the table at its capacity ${Math.round(putsPerSecondBefore)}; ` +
        `the load: ${Math.round(eventsPerSecondWanted)} events/s`,
    )
    const before = functionProcesses(await cloud.status())
    const load = await loadFor(minutes * MINUTE_MS, world, { put, eventsPerSecond: eventsPerSecondWanted })
    const after = new Map(functionProcesses(await cloud.status()))
    const lived = before.filter(([name, pid]) => after.get(name) === pid)
    const replaced = [...new Set([...before.map(([name]) => name), ...after.keys()])]
    await probe()
    return {
      putsPerSecondUnlimited,
      putsPerSecondBefore,
      putsPerSecondAfter: await probe(),
      eventsPerSecondWanted,
      ...load,
      replaced: replaced.filter(name => !lived.some(([each]) => each === name)),
      afterCollections: await collections(lived, world.memoryFolder),
      itemBytes: item.st.length + item.ft.length + item.pr.length + item.dedup.length,
      failures: failures(await cloud.status()),
    }
  } finally {
    for (const each of clients) each.destroy()
    kinesis.destroy()
  }
}

interface Pace {
  readonly put: (count: number) => Promise<void>
  readonly eventsPerSecond: number
}

/** Keeps the pace by the clock, whatever becomes of the events. */
async function loadFor(durationMs: number, { cloud, connection }: LoadWorld, { put, eventsPerSecond }: Pace) {
  const versionsBefore = await versions(connection)
  const settledBefore = settled(await cloud.status())
  const startMs = systemClock()
  const endMs = startMs + durationMs
  const samples: LoadSample[] = []
  let sent = 0
  const sampling = sample(cloud, samples, { endMs, behind: status => sent - (settled(status) - settledBefore) })
  while (systemClock() < endMs) {
    const due = Math.floor(((systemClock() - startMs) / 1000) * eventsPerSecond) - sent
    if (due > 0) await put(due)
    sent += Math.max(0, due)
    await systemSleep(TICK_MS)
  }
  const written = (await versions(connection)) - versionsBefore
  const seconds = (systemClock() - startMs) / 1000
  await sampling
  await cloud.drain(DRAIN_TIMEOUT_MS)
  return { eventsPerSecond: sent / seconds, usersWrittenPerSecond: written / seconds, samples }
}

async function sample(
  cloud: ForkedCloud,
  samples: LoadSample[],
  { endMs, behind }: { readonly endMs: number; readonly behind: (status: LocalStatus) => number },
): Promise<void> {
  while (systemClock() < endMs) {
    const status = await cloud.status()
    const shards = recomputeShards(status)
    samples.push({
      atMs: systemClock(),
      iteratorAgeMs: Math.max(0, ...shards.map(({ iteratorAgeMs }) => iteratorAgeMs ?? 0)),
      behind: behind(status),
      processes: await processesOf(cloud, status),
    })
    await systemSleep(SAMPLE_MS)
  }
}

async function processesOf(cloud: ForkedCloud, status: LocalStatus): Promise<ReadonlyMap<string, ProcessUsage>> {
  const usages = new Map<string, ProcessUsage>()
  for (const [name, pid] of [['cloud', cloud.pid], ['producer', process.pid], ...functionProcesses(status)] as const) {
    const usage = await usageOf(pid)
    if (usage !== undefined) usages.set(name, usage)
  }
  return usages
}

async function collections(
  processes: readonly FunctionProcess[],
  folder: string,
): Promise<CloudLoad['afterCollections']> {
  const noted = processes.map(async ([name, pid]) => [name, await notedMemory(folder, pid)] as const)
  return new Map(await Promise.all(noted))
}

type FunctionProcess = readonly [name: string, pid: number]

function functionProcesses(status: LocalStatus): readonly FunctionProcess[] {
  return status.functions
    .filter(({ key }) => key === 'recompute' || key === 'archive')
    .flatMap(({ key, pids }) => pids.map((pid, index) => [`${key} ${index + 1}`, pid] as const))
}

/** Each write of a user raises its version by one. */
async function versions(connection: Connection): Promise<number> {
  return [...(await allItems(connection)).values()].reduce((sum, { v }) => sum + v, 0)
}

function settled(status: LocalStatus): number {
  return recomputeShards(status).reduce((sum, { delivered }) => sum + delivered, 0)
}

function failures(status: LocalStatus): number {
  const shards = status.mappings.flatMap(mapping => mapping.shards)
  return shards.reduce((sum, each) => sum + each.functionErrors + each.partialFailures + each.discarded, 0)
}

function recomputeShards({ mappings }: LocalStatus): LocalStatus['mappings'][number]['shards'] {
  return mappings.find(({ functionName }) => functionName.endsWith('recompute'))?.shards ?? []
}
