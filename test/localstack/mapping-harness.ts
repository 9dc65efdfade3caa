// Starts an event source mapping over the in-memory stream with a handler of the test's own.
import { onTestFinished } from 'vitest'
import { seededRandom } from '../../src/platform/random.ts'
import type { MappingPlan } from '../../localstack/deployment-plan.ts'
import { type EventSourceMapping, startEventSourceMapping } from '../../localstack/event-source-mapping.ts'
import type { InvokeOutcome } from '../../localstack/invoke-outcome.ts'
import type { Checkpoints } from '../../localstack/mapped-stream.ts'
import { type MemoryStream, memoryStream, type VirtualTime, virtualTime } from './memory-stream.ts'

export interface Delivery {
  readonly shard: string
  readonly sequences: readonly string[]
  readonly data: readonly string[]
  readonly atMs: number
  readonly bytes: number
}

export interface KinesisRecordJson {
  readonly eventID: string
  readonly kinesis: { readonly sequenceNumber: string; readonly data: string }
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
  readonly checkpoints: Map<string, string[]>
  readonly mapping: EventSourceMapping
}

export const SHARD = 'shardId-000000000000'
export const OTHER = 'shardId-000000000001'

export const MAPPING: MappingPlan = {
  logicalId: 'Mapping',
  streamName: 'events',
  streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/events',
  functionName: 'recompute',
  isEnabled: true,
  batchSize: 3,
  batchingWindowMs: 0,
  startingPosition: { type: 'TRIM_HORIZON' },
  maximumRetryAttempts: -1,
  reportsBatchItemFailures: true,
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
  readonly checkpoint?: (shard: string) => string | undefined
}

export async function startHarness({ shards = [SHARD], ...options }: HarnessOptions): Promise<Harness> {
  const stream = memoryStream(shards)
  options.before?.(stream)
  const time = virtualTime()
  const deliveries: Delivery[] = []
  const events: string[] = []
  const log: string[] = []
  const saved = new Map<string, string[]>(shards.map(shard => [shard, []]))
  const checkpoints: Checkpoints = {
    load: async shard => options.checkpoint?.(shard),
    save: async (shard, sequence) => void saved.get(shard)?.push(sequence),
  }
  const mapping = await startEventSourceMapping(
    {
      mapping: { ...MAPPING, ...options.plan },
      roleArn: 'arn:aws:iam::000000000000:role/recompute',
      region: 'us-east-1',
      pollMs: 100,
    },
    {
      stream,
      checkpoints,
      invoke: async event => {
        const delivery = deliveryOf(event, time.clock())
        deliveries.push(delivery)
        events.push(event)
        const result: unknown = await Promise.resolve(options.handler?.(delivery, deliveries.length, { stream, time }))
        return isOutcome(result) ? result : { kind: 'returned', payload: JSON.stringify(result) ?? 'null' }
      },
      clock: time.clock,
      sleep: time.sleep,
      random: seededRandom(7),
      log: line => void log.push(line),
    },
  )
  return { stream, time, deliveries, events, log, checkpoints: saved, mapping }
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
