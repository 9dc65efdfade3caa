// An event source mapping: what Lambda runs between a stream and a function. Each shard has a consumer of its own, so that one
// that fails or is slow holds up no other.
import type { Clock, Sleep } from '../src/platform/clock.ts'
import type { Random } from '../src/platform/random.ts'
import type { MappingPlan } from './deployment-plan.ts'
import { LocalCloudError } from './errors.ts'
import type { Checkpoints, InvokeFunction, MappedStream } from './mapped-stream.ts'
import { consumeShard, newShardCounters, RETRY_BASE_MS, RETRY_CAP_MS, type ShardCounters } from './shard-consumer.ts'

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
  counters(): readonly Readonly<ShardCounters>[]
  /** Ends batching windows at once while the promise that it is given is pending. */
  hurryUntil(done: Promise<unknown>): void
  /** Throws what has ended a shard's consumer before its time. */
  assertRunning(): void
  stop(): Promise<void>
}

/** Resolves when every shard is opened: what is put from then on is delivered. */
export async function startEventSourceMapping(
  options: EventSourceMappingOptions,
  ports: EventSourceMappingPorts,
): Promise<EventSourceMapping> {
  const { mapping } = options
  let isStopped = false
  let failure: unknown
  const hurriers = new Set<Promise<unknown>>()
  const shards = await ports.stream.listShards()
  const counters = shards.map(newShardCounters)
  const consumers = await Promise.all(
    counters.map(async shardCounters => {
      const { shard } = shardCounters
      const checkpoint = await ports.checkpoints.load(shard)
      const start =
        checkpoint === undefined
          ? mapping.startingPosition
          : ({ type: 'AFTER_SEQUENCE', sequence: checkpoint } as const)
      const reader = await ports.stream.openShard(shard, start)
      return () =>
        consumeShard(
          shardCounters,
          {
            mapping,
            source: { streamArn: mapping.streamArn, shard, roleArn: options.roleArn, region: options.region },
            pollMs: options.pollMs,
            retryBaseMs: options.retryBaseMs ?? RETRY_BASE_MS,
            retryCapMs: options.retryCapMs ?? RETRY_CAP_MS,
            isStopped: () => isStopped,
            isHurried: () => hurriers.size > 0,
          },
          {
            ...ports,
            reader,
            saveCheckpoint: sequence => ports.checkpoints.save(shard, sequence),
            log: line => ports.log(`${shard}: ${line}`),
          },
        )
    }),
  )
  const running = Promise.all(
    consumers.map(async (consume, index) => {
      try {
        await consume()
        // A closed shard has children, which are read from the next issue on. Until then that is said, not passed over.
        if (!isStopped)
          throw new LocalCloudError(`${shards[index]} is closed; its children are not read`, { code: 'shard-closed' })
      } catch (error) {
        if (isStopped) return
        failure ??= error
        ports.log(`${shards[index]}: ${String(error)}`)
      }
    }),
  )
  return {
    mapping,
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
