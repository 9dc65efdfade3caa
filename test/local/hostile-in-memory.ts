// A great many hostile records through the real functions on ports in memory, in slices: each slice is put, delivered, judged and
// forgotten. What is left of memory after collection is measured: it must not grow with the records.
import { deepStrictEqual, ok, strictEqual } from 'node:assert'
import { type EventSourceMapping, startEventSourceMapping } from '../../localstack/event-source-mapping.ts'
import { memoryCheckpoints } from '../../localstack/checkpoints.ts'
import type { MappedStream } from '../../localstack/mapped-stream.ts'
import { unpackLines } from '../../src/archive/line-file.ts'
import { parseObjectName } from '../../src/archive/object-name.ts'
import { systemClock, systemSleep } from '../../src/platform/clock.ts'
import type { ObjectStore } from '../../src/platform/object-store.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { memoryStream, type MemoryStream } from '../fakes/memory-stream.ts'
import { memoryUserStore } from '../fakes/memory-user-store.ts'
import { hostileGenerator, type HostileGenerator, type HostileRecord } from './hostile-generator.ts'
import { HostileLedger } from './hostile-ledger.ts'
import { hostileShop } from './hostile-pipeline.ts'
import { mappingOf, memoryFunctions } from './memory-functions.ts'

const SHARDS = 2
const SLICE_RECORDS = 2000
/** As the deployed mappings have it. */
const RECOMPUTE_BATCH = 500
const ARCHIVE_BATCH = 10_000
const POLL_MS = 1
const FIRST_ARRIVAL_MS = Date.UTC(2026, 0, 15)
/** What users, ids and compiled code take until they are as many as they ever will be. */
const WARM_UP_SHARE = 0.3
const MEGABYTE = 1_000_000
/** Noise of the collector over a whole run. */
const HEAP_GROWTH_MAX_MB = 4

export interface HeapSample {
  readonly records: number
  readonly heapBytes: number
}

export async function throughMemory(
  records: number,
  seed: number,
  say: (line: string) => void,
): Promise<HostileLedger> {
  const generator = hostileGenerator(seed, 'memory')
  const ledger = new HostileLedger()
  const users = memoryUserStore()
  const functions = memoryFunctions(hostileShop, { users, archive: watchingStore(ledger) })
  const stream = memoryStream(SHARDS)
  const rawTexts = new Map<string, string>()
  const mapped = withRawTexts(stream, rawTexts)
  let nowMs = FIRST_ARRIVAL_MS
  const mappings = [
    await mappingTo(mapped, functions.recompute, mappingOf('recompute', RECOMPUTE_BATCH), () => nowMs),
    await mappingTo(mapped, functions.archive, mappingOf('archive', ARCHIVE_BATCH), () => nowMs),
  ]
  const samples: HeapSample[] = []
  const startMs = systemClock()
  for (let sent = 0; sent < records; ) {
    const slice = Math.min(SLICE_RECORDS, records - sent)
    for (let index = 0; index < slice; index++) putOne({ stream, rawTexts, ledger, generator }, ++nowMs)
    sent += slice
    await whenDelivered(mappings, sent)
    ledger.settle()
    rawTexts.clear()
    stream.trim(nowMs + 1)
    if (globalThis.gc !== undefined && isSampled(sent, records)) {
      globalThis.gc()
      samples.push({ records: sent, heapBytes: process.memoryUsage().heapUsed })
    }
  }
  const seconds = (systemClock() - startMs) / 1000
  await Promise.all(mappings.map(mapping => mapping.stop()))
  checkMappings(mappings, functions.errors)
  ledger.checkItems(users.items())
  say(`${records} records in ${seconds.toFixed(1)} s: ${Math.round(records / seconds)} records/s, judging included`)
  checkHeap(samples, records, say)
  return ledger
}

interface Putting {
  readonly stream: MemoryStream
  readonly rawTexts: Map<string, string>
  readonly ledger: HostileLedger
  readonly generator: HostileGenerator
}

function putOne({ stream, rawTexts, ledger, generator }: Putting, arrivalMs: number): void {
  const record: HostileRecord = generator.next(arrivalMs)
  const { shard, sequence } = stream.putByKey(record.partitionKey, record.data, { arrivalMs })
  const key = `${shard}/${sequence}`
  if (typeof record.data === 'string') rawTexts.set(key, record.data)
  ledger.sent(key, record)
}

/** Hands out as data what is no base64, which a stream by itself could not hold. */
function withRawTexts(stream: MappedStream, rawTexts: ReadonlyMap<string, string>): MappedStream {
  return {
    listShards: () => stream.listShards(),
    openShard: async (shard, start) => {
      const reader = await stream.openShard(shard, start)
      return {
        read: async recordsMax => {
          const { records, isClosed } = await reader.read(recordsMax)
          const raw = records.map(record => ({
            ...record,
            dataBase64: rawTexts.get(`${shard}/${record.sequence}`) ?? record.dataBase64,
          }))
          return { records: raw, isClosed }
        },
      }
    },
  }
}

/** An archive that reads what it is given, tells the ledger, and keeps nothing. */
function watchingStore(ledger: HostileLedger): ObjectStore {
  return {
    create: async (key, body) => {
      const { shard } = parseObjectName({ key, createdMs: 0 })
      for (const line of unpackLines(body, key)) {
        const record = `${shard}/${line.text('sequence')}`
        if (key.startsWith('raw/')) ledger.archived(record)
        else ledger.letter(record, line.text('reason'))
      }
      return 'created'
    },
    stat: async () => undefined,
    get: async () => undefined,
    list: async function* () {},
  }
}

function mappingTo(
  stream: MappedStream,
  invoke: ReturnType<typeof memoryFunctions>['recompute'],
  mapping: ReturnType<typeof mappingOf>,
  clock: () => number,
): Promise<EventSourceMapping> {
  return startEventSourceMapping(
    { mapping, roleArn: 'arn:aws:iam::000000000000:role/function', region: 'us-east-1', pollMs: POLL_MS },
    {
      stream,
      invoke,
      checkpoints: memoryCheckpoints(),
      clock,
      sleep: systemSleep,
      random: seededRandom(1),
      log: line => process.stderr.write(`${line}\n`),
    },
  )
}

async function whenDelivered(mappings: readonly EventSourceMapping[], records: number): Promise<void> {
  const isDone = (mapping: EventSourceMapping): boolean => {
    mapping.assertRunning()
    const counters = mapping.counters()
    const failed = counters.reduce((sum, each) => sum + each.functionErrors + each.partialFailures, 0)
    strictEqual(failed, 0, `batches of ${mapping.mapping.functionName} that failed`)
    return counters.reduce((sum, { delivered }) => sum + delivered, 0) === records
  }
  while (!mappings.every(isDone)) await systemSleep(POLL_MS)
}

function checkMappings(mappings: readonly EventSourceMapping[], errors: readonly unknown[]): void {
  deepStrictEqual(errors, [], 'what the functions wrote down as failed')
  for (const { pending, discarded } of mappings.flatMap(mapping => mapping.counters())) {
    deepStrictEqual({ pending, discarded }, { pending: 0, discarded: 0 }, 'every shard is read to its end')
  }
}

function isSampled(sent: number, records: number): boolean {
  const every = Math.max(1, Math.floor(records / SLICE_RECORDS / 50))
  return (sent / SLICE_RECORDS) % every < 1
}

/** What the heap holds after collection, as a line through the samples after warming up. */
function checkHeap(samples: readonly HeapSample[], records: number, say: (line: string) => void): void {
  if (globalThis.gc === undefined) {
    say('the heap was not looked at: run node with --expose-gc')
    return
  }
  const warm = samples.filter(sample => sample.records >= records * WARM_UP_SHARE)
  const [first, last] = [warm[0], warm.at(-1)]
  if (first === undefined || last === undefined || warm.length < 3) return
  const growthMb = (slope(warm) * (last.records - first.records)) / MEGABYTE
  const heapMb = (last.heapBytes / MEGABYTE).toFixed(1)
  say(
    `heap after collection: ${heapMb} MB at the end, ${growthMb.toFixed(2)} MB of growth over ${last.records - first.records} records`,
  )
  ok(growthMb <= HEAP_GROWTH_MAX_MB, `the heap grew by ${growthMb.toFixed(1)} MB`)
}

/** Bytes a record, by least squares. */
function slope(samples: readonly HeapSample[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const [x, y] = [mean(samples.map(({ records }) => records)), mean(samples.map(({ heapBytes }) => heapBytes))]
  const above = samples.reduce((sum, sample) => sum + (sample.records - x) * (sample.heapBytes - y), 0)
  return above / samples.reduce((sum, sample) => sum + (sample.records - x) ** 2, 0)
}
