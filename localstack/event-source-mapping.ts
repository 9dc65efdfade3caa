// An event source mapping: what Lambda runs between a stream and a function. Each shard has a consumer of its own, so that one
// that fails or is slow holds up no other.
import type { Clock, Sleep } from '../src/platform/clock.ts'
import type { Random } from '../src/platform/random.ts'
import type { MappingPlan } from './deployment-plan.ts'
import { LocalCloudError } from './errors.ts'
import type { Checkpoints, InvokeFunction, MappedStream } from './mapped-stream.ts'
import {
  consumeShard,
  newShardCounters,
  RETRY_BASE_MS,
  RETRY_CAP_MS,
  type ShardConsumerSettings,
  type ShardCounters,
} from './shard-consumer.ts'

export interface EventSourceMappingPorts {
  readonly stream: MappedStream
  readonly invoke: InvokeFunction
  readonly checkpoints: Checkpoints
  readonly clock: Clock
  readonly sleep: Sleep
  readonly random: Random
  readonly log: (line: string) => void
}

export interface EventSourceMappingOptions {
  readonly mapping: MappingPlan
  readonly roleArn: string
  readonly region: string
  readonly pollMs: number
  readonly retryBaseMs?: number
  readonly retryCapMs?: number
}

export interface EventSourceMapping {
  readonly mapping: MappingPlan
  readonly counters: () => readonly Readonly<ShardCounters>[]
  /** Ends batching windows at once while the promise that it is given is pending. */
  readonly hurryUntil: (done: Promise<unknown>) => void
  /** Throws what has ended a shard's consumer before its time. */
  readonly assertRunning: () => void
  readonly stop: () => Promise<void>
}

/** Resolves when every shard is opened: what is put from then on is delivered. */
export async function startEventSourceMapping(
  options: EventSourceMappingOptions,
  ports: EventSourceMappingPorts,
): Promise<EventSourceMapping> {
  let isStopped = false
  let failure: unknown
  const hurriers = new Set<Promise<unknown>>()
  const control = { isStopped: () => isStopped, isHurried: () => hurriers.size > 0 }
  const counters = (await ports.stream.listShards()).map(newShardCounters)
  const consumers = await Promise.all(counters.map(each => openConsumer(each, options, ports, control)))
  const running = Promise.all(
    consumers.map(async (consume, index) => {
      try {
        await consume()
      } catch (error) {
        if (isStopped) return
        failure ??= error
        ports.log(`${counters[index]?.shard}: ${String(error)}`)
      }
    }),
  )
  return {
    mapping: options.mapping,
    counters: () => counters,
    hurryUntil: done => {
      hurriers.add(done)
      const forget = (): void => void hurriers.delete(done)
      done.then(forget, forget)
    },
    assertRunning: () => {
      if (failure !== undefined) throw failure
    },
    stop: async () => {
      isStopped = true
      await running
    },
  }
}

async function openConsumer(
  counters: ShardCounters,
  {
    mapping,
    roleArn,
    region,
    pollMs,
    retryBaseMs = RETRY_BASE_MS,
    retryCapMs = RETRY_CAP_MS,
  }: EventSourceMappingOptions,
  ports: EventSourceMappingPorts,
  control: Pick<ShardConsumerSettings, 'isStopped' | 'isHurried'>,
): Promise<() => Promise<void>> {
  const { shard } = counters
  const checkpoint = await ports.checkpoints.load(shard)
  const start =
    checkpoint === undefined ? mapping.startingPosition : ({ type: 'AFTER_SEQUENCE', sequence: checkpoint } as const)
  const reader = await ports.stream.openShard(shard, start)
  const source = { streamArn: mapping.streamArn, shard, roleArn, region }
  const settings = { mapping, source, pollMs, retryBaseMs, retryCapMs, ...control }
  const saveCheckpoint = (sequence: string) => ports.checkpoints.save(shard, sequence)
  const log = (line: string) => ports.log(`${shard}: ${line}`)
  return async () => {
    await consumeShard(counters, settings, { ...ports, reader, saveCheckpoint, log })
    // A closed shard has children, which nothing here reads yet: that is said, not passed over.
    if (!control.isStopped())
      throw new LocalCloudError(`${shard} is closed; its children are not read`, { code: 'shard-closed' })
  }
}
