// An event source mapping: what Lambda runs between a stream and a function. Each shard has a consumer of its own, so that one
// that fails or is slow holds up no other; only children wait for their parents.
import type { Clock, Sleep } from '../src/platform/clock.ts'
import type { Random } from '../src/platform/random.ts'
import type { MappingPlan } from './deployment-plan.ts'
import type { Checkpoints, GivenUpObject, InvokeFunction, MappedStream } from './mapped-stream.ts'
import { consumerControl } from './consumer-control.ts'
import { MappingShards } from './mapping-shards.ts'
import type { ShardCounters } from './shard-counters.ts'

/** Lambda does not publish its waits; short ones suit a laptop. Both can be set. */
const RETRY_BASE_MS = 100
const RETRY_CAP_MS = 2000
/** How often new shards are looked for besides when one is closed. */
const DISCOVERY_MS = 10_000
/** About ten full batches. */
const READ_AHEAD_BYTES_MAX = 64 * 1024 * 1024

export interface EventSourceMappingPorts {
  readonly stream: MappedStream
  readonly invoke: InvokeFunction
  readonly checkpoints: Checkpoints
  /** Takes the batches that are given up; where it fails it is asked again. Absent: they are counted and logged. */
  readonly onFailure?: ((object: GivenUpObject) => Promise<void>) | undefined
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
  readonly discoveryMs?: number
  /** How far a shard is read while one of its sub-queues is stuck. */
  readonly readAheadBytesMax?: number
  /** How long the stream keeps records: older ones are given up whatever the mapping says. */
  readonly retentionMs?: number
  /** For tests of handlers: Lambda's guide does not promise that parents are read first. */
  readonly isChildBeforeParentAllowed?: (shard: string) => boolean
}

export interface EventSourceMapping {
  readonly mapping: MappingPlan
  readonly counters: () => readonly Readonly<ShardCounters>[]
  readonly isEnabled: () => boolean
  /** Disabled, it ends the invocations in flight, which this waits for, and keeps its position. */
  readonly setEnabled: (isEnabled: boolean) => Promise<void>
  /** Ends batching windows at once while the promise that it is given is pending. */
  readonly hurryUntil: (done: Promise<unknown>) => void
  /** Looks for new shards now, and opens those that may be read. */
  readonly refreshShards: () => Promise<void>
  /** Throws what has ended a shard's consumer before its time. */
  readonly assertRunning: () => void
  /** Waits for the invocations in flight; what they have delivered is delivered. */
  readonly stop: () => Promise<void>
  /** As if the power failed: checkpoints stay as they are, and answers of invocations in flight have no effect. */
  readonly kill: () => void
}

/** Resolves when every shard is opened: what is put from then on is delivered. */
export async function startEventSourceMapping(
  {
    retryBaseMs = RETRY_BASE_MS,
    retryCapMs = RETRY_CAP_MS,
    discoveryMs = DISCOVERY_MS,
    readAheadBytesMax = READ_AHEAD_BYTES_MAX,
    ...options
  }: EventSourceMappingOptions,
  ports: EventSourceMappingPorts,
): Promise<EventSourceMapping> {
  const control = consumerControl(options.mapping.isEnabled, ports.sleep)
  const shards = new MappingShards({ ...options, retryBaseMs, retryCapMs, readAheadBytesMax }, { ...ports, control })
  await shards.refresh()
  const looking = lookForShards()

  async function lookForShards(): Promise<void> {
    while (await control.pause(discoveryMs)) {
      if (!(await control.mayGoOn())) return
      try {
        await shards.refresh()
      } catch (error) {
        ports.log(`shards are not listed: ${String(error)}`)
      }
    }
  }

  return {
    mapping: options.mapping,
    counters: () => shards.counters(),
    isEnabled: control.isEnabled,
    setEnabled: control.setEnabled,
    hurryUntil: control.hurryUntil,
    refreshShards: () => shards.refresh(),
    assertRunning: () => shards.assertRunning(),
    stop: async () => {
      control.stop()
      await Promise.all([looking, shards.ended()])
    },
    kill: control.kill,
  }
}
