// The records of one shard by groups of partition keys, as many groups as the parallelization factor says. Each has one batch in
// flight at most, so the records of one key are delivered in order, and one group that fails holds up no other.
import type { Clock } from '../src/platform/clock.ts'
import { type BatchQueue, batchQueue } from './batch-queue.ts'
import type { BatchDelivery } from './deliver-batch.ts'
import type { MappingPlan } from './deployment-plan.ts'
import type { MappedRecord } from './mapped-record.ts'
import type { ConsumerControl } from './consumer-control.ts'

export interface SubQueues {
  readonly push: (record: MappedRecord, partitionKey: string) => void
  /** Sends every batch that is due. */
  readonly start: () => void
  /** Some group has less than its next batch. */
  readonly isAnyShort: () => boolean
  /** Some group could send and waits for its window to end. */
  readonly isAnyWindowOpen: () => boolean
  /** Resolves when nothing is in flight. */
  readonly idle: () => Promise<void>
  /** Throws what a delivery has failed with, which is never what the function did. */
  readonly assertRunning: () => void
}

export interface SubQueuesPorts {
  readonly delivery: BatchDelivery
  readonly control: ConsumerControl
  readonly clock: Clock
  /** True when nothing more will come: windows end at once. */
  readonly isClosed: () => boolean
  /** Called when a batch has ended. */
  readonly onEnd: () => void
}

interface SubQueue {
  readonly waiting: BatchQueue
  isInFlight: boolean
  windowEndMs: number | undefined
}

export function subQueues(
  { parallelizationFactor, batchSize, batchingWindowMs }: MappingPlan,
  { delivery, control, clock, isClosed, onEnd }: SubQueuesPorts,
): SubQueues {
  const queues = Array.from(
    { length: parallelizationFactor },
    (): SubQueue => ({ waiting: batchQueue(batchSize), isInFlight: false, windowEndMs: undefined }),
  )
  const inFlight = new Set<Promise<void>>()
  let failure: { readonly error: unknown } | undefined

  const canStart = (): boolean => failure === undefined && control.isEnabled() && !control.isStopped()

  function startOne(queue: SubQueue): void {
    if (queue.isInFlight || queue.waiting.length === 0 || !canStart()) return
    queue.windowEndMs ??= clock() + batchingWindowMs
    const isWindowOver = isClosed() || control.isHurried() || clock() >= queue.windowEndMs
    const batch = queue.waiting.take({ isWindowOver })
    if (batch.length === 0) return
    queue.windowEndMs = undefined
    queue.isInFlight = true
    const running = run(queue, batch)
    inFlight.add(running)
    void running.finally(() => inFlight.delete(running))
  }

  async function run(queue: SubQueue, batch: readonly MappedRecord[]): Promise<void> {
    try {
      await delivery.run(batch)
    } catch (error) {
      failure ??= { error }
    }
    queue.isInFlight = false
    startOne(queue)
    onEnd()
  }

  return {
    push: (record, partitionKey) => {
      queues[parallelizationFactor === 1 ? 0 : hashOf(partitionKey) % parallelizationFactor]?.waiting.push(record)
    },
    start: () => {
      for (const queue of queues) startOne(queue)
    },
    isAnyShort: () => queues.some(({ waiting }) => !waiting.isBatchFull),
    isAnyWindowOpen: () => queues.some(({ isInFlight, waiting }) => !isInFlight && waiting.length > 0),
    idle: async () => {
      await Promise.all(inFlight)
    },
    assertRunning: () => {
      if (failure !== undefined) throw failure.error
    },
  }
}

const FNV_OFFSET = 0x81_1c_9d_c5
const FNV_PRIME = 0x01_00_01_93

/** FNV-1a: Lambda does not say which hash it takes, and this one has nothing to do with the one that places keys on shards. */
function hashOf(text: string): number {
  let hash = FNV_OFFSET
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), FNV_PRIME)
  return hash >>> 0
}
