// Starts an event source mapping over the in-memory stream with a handler of the test's own.
import { onTestFinished } from 'vitest'
import { seededRandom } from '../../src/platform/random.ts'
import type { MappingPlan } from '../../localstack/deployment-plan.ts'
import {
  type EventSourceMapping,
  type EventSourceMappingOptions,
  startEventSourceMapping,
} from '../../localstack/event-source-mapping.ts'
import type { InvokeOutcome } from '../../localstack/invoke-outcome.ts'
import { memoryCheckpoints } from '../../localstack/checkpoints.ts'
import type { Checkpoint, GivenUpObject, MappedStream } from '../../localstack/mapped-stream.ts'
import { type MemoryStream, memoryStream } from '../fakes/memory-stream.ts'
import { type VirtualTime, virtualTime } from '../fakes/virtual-time.ts'

export interface Delivery {
  readonly shard: string
  readonly partitionKeys: readonly string[]
  readonly sequences: readonly string[]
  readonly data: readonly string[]
  readonly atMs: number
  readonly bytes: number
}

export interface KinesisRecordJson {
  readonly eventID: string
  readonly kinesis: { readonly sequenceNumber: string; readonly partitionKey: string; readonly data: string }
}

/** What the function does with a batch: its result, or an outcome that says more. */
export type TestHandler = (delivery: Delivery, attempt: number, world: World) => unknown

export interface World {
  readonly stream: MemoryStream
  readonly time: VirtualTime
}

export interface Harness {
  readonly stream: MemoryStream
  readonly time: VirtualTime
  readonly deliveries: Delivery[]
  readonly events: string[]
  readonly log: string[]
  /** The sequences that were saved for each shard. */
  readonly checkpoints: Map<string, string[]>
  /** What a restart would find. */
  readonly saved: Map<string, Checkpoint>
  readonly givenUp: GivenUpObject[]
  /** While it is so, neither shards nor records of the stream can be had. */
  readonly brokenStream: { isBroken: boolean }
  readonly mapping: EventSourceMapping
}

export const SHARD = 'shardId-000000000000'
export const OTHER = 'shardId-000000000001'

export const MAPPING: MappingPlan = {
  logicalId: 'Mapping',
  uuid: '0c8e3a4e-1f1c-5a51-8d5e-4c5b8a2f7a10',
  streamName: 'events',
  streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/events',
  functionName: 'recompute',
  functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:recompute',
  isEnabled: true,
  batchSize: 3,
  batchingWindowMs: 0,
  startingPosition: { type: 'TRIM_HORIZON' },
  maximumRetryAttempts: -1,
  maximumRecordAgeMs: -1,
  parallelizationFactor: 1,
  bisectsBatchOnFunctionError: false,
  reportsBatchItemFailures: true,
  onFailureBucket: undefined,
}

export const throttled: InvokeOutcome = {
  kind: 'not-invoked',
  errorType: 'TooManyRequestsException',
  errorMessage: 'as the test says',
}

export const failed = (errorType: string): InvokeOutcome => ({
  kind: 'failed',
  errorType,
  errorMessage: 'as the test says',
})

export interface HarnessOptions {
  readonly shards?: readonly string[]
  readonly plan?: Partial<MappingPlan>
  readonly handler?: TestHandler
  /** Puts records before the mapping starts. */
  readonly before?: (stream: MemoryStream) => void
  /** Go on with the stream, the time and the checkpoints of a mapping that ended. */
  readonly after?: Harness
  readonly saved?: Map<string, Checkpoint>
  readonly onFailure?: (object: GivenUpObject) => Promise<void>
  readonly options?: Partial<EventSourceMappingOptions>
  readonly isBrokenAtStart?: boolean
}

export async function startHarness({ shards = [SHARD], after, ...options }: HarnessOptions): Promise<Harness> {
  const stream = after?.stream ?? memoryStream(shards)
  const time = after?.time ?? virtualTime()
  const saved = after?.saved ?? options.saved ?? new Map<string, Checkpoint>()
  options.before?.(stream)
  const deliveries: Delivery[] = []
  const events: string[] = []
  const log: string[] = []
  const givenUp: GivenUpObject[] = []
  const sequences = new Map<string, string[]>()
  const brokenStream = { isBroken: options.isBrokenAtStart ?? false }
  const inMemory = memoryCheckpoints(saved)
  const mapping = await startEventSourceMapping(
    {
      mapping: { ...MAPPING, ...options.plan },
      roleArn: 'arn:aws:iam::000000000000:role/recompute',
      region: 'us-east-1',
      pollMs: 100,
      ...options.options,
    },
    {
      stream: breakable(stream, brokenStream),
      checkpoints: {
        load: shard => inMemory.load(shard),
        save: async (shard, checkpoint) => {
          if (checkpoint.type === 'AFTER_SEQUENCE')
            sequences.set(shard, [...(sequences.get(shard) ?? []), checkpoint.sequence])
          await inMemory.save(shard, checkpoint)
        },
      },
      invoke: async event => {
        const delivery = deliveryOf(event, time.clock())
        deliveries.push(delivery)
        events.push(event)
        const result: unknown = await Promise.resolve(options.handler?.(delivery, deliveries.length, { stream, time }))
        return isOutcome(result) ? result : { kind: 'returned', payload: JSON.stringify(result) ?? 'null' }
      },
      onFailure: async object => {
        await options.onFailure?.(object)
        givenUp.push(object)
      },
      clock: time.clock,
      sleep: time.sleep,
      random: seededRandom(7),
      log: line => void log.push(line),
    },
  )
  return { stream, time, deliveries, events, log, checkpoints: sequences, saved, givenUp, brokenStream, mapping }
}

function breakable(stream: MappedStream, state: { readonly isBroken: boolean }): MappedStream {
  const unlessBroken = async <Answer>(call: () => Promise<Answer>): Promise<Answer> => {
    if (state.isBroken) throw new Error('ServiceUnavailable')
    return call()
  }
  return {
    listShards: () => unlessBroken(() => stream.listShards()),
    openShard: async (shard, start) => {
      const reader = await unlessBroken(() => stream.openShard(shard, start))
      return { read: recordsMax => unlessBroken(() => reader.read(recordsMax)) }
    },
  }
}

/** Starts a harness that is stopped when the test is over. */
export async function start(options: HarnessOptions): Promise<Harness> {
  const harness = await startHarness(options)
  onTestFinished(() => stop(harness))
  return harness
}

/** A consumer that is asleep only hears of the stop when virtual time goes on. */
export async function stop(harness: Harness): Promise<void> {
  let isStopped = false
  const stopping = harness.mapping.stop().then(() => {
    isStopped = true
  })
  await harness.time.runUntil(() => isStopped)
  await stopping
}

function isOutcome(result: unknown): result is InvokeOutcome {
  return typeof result === 'object' && result !== null && 'kind' in result
}

function deliveryOf(event: string, atMs: number): Delivery {
  const { Records } = JSON.parse(event) as { Records: KinesisRecordJson[] }
  return {
    shard: Records[0]?.eventID.split(':')[0] ?? '',
    partitionKeys: Records.map(({ kinesis }) => kinesis.partitionKey),
    sequences: Records.map(({ kinesis }) => kinesis.sequenceNumber),
    data: Records.map(({ kinesis }) => Buffer.from(kinesis.data, 'base64').toString()),
    atMs,
    bytes: Buffer.byteLength(event),
  }
}

export function delivered({ mapping }: Harness): number {
  return mapping.counters().reduce((sum, counters) => sum + counters.delivered, 0)
}

export function failFrom(...sequences: readonly (string | undefined)[]): object {
  return { batchItemFailures: sequences.map(itemIdentifier => ({ itemIdentifier })) }
}

export const putAll =
  (...data: string[]): NonNullable<HarnessOptions['before']> =>
  stream => {
    for (const text of data) stream.put(SHARD, text)
  }

export const dataOf = ({ deliveries }: Harness): string[] => deliveries.map(({ data }) => data.join(''))
