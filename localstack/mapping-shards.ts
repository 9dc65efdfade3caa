// The shards of an event source mapping: found, opened when their parents are settled, consumed, and remembered when they are
// finished, so that a restart does not read them again.
import type { EventSourceMappingOptions, EventSourceMappingPorts } from './event-source-mapping.ts'
import { BatchDelivery } from './deliver-batch.ts'
import type { Checkpoint, MappedShard, ShardReader, ShardStart } from './mapped-stream.ts'
import type { ConsumerControl } from './consumer-control.ts'
import { ShardConsumer } from './shard-consumer.ts'
import { newShardCounters, type ShardCounters } from './shard-counters.ts'
import { type KnownShard, shardsToOpen } from './shard-lineage.ts'
import { type ShardProgress, shardProgress } from './shard-progress.ts'

interface ShardToRead extends KnownShard {
  readonly start: ShardStart
}

type Settings = EventSourceMappingOptions &
  Required<Pick<EventSourceMappingOptions, 'retryBaseMs' | 'retryCapMs' | 'readAheadBytesMax'>>
type Ports = EventSourceMappingPorts & { readonly control: ConsumerControl }

export class MappingShards {
  readonly #settings: Settings
  readonly #ports: Ports
  readonly #known = new Map<string, ShardToRead>()
  readonly #consumers = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | undefined
  #refreshing: Promise<void> = Promise.resolve()

  constructor(settings: Settings, ports: Ports) {
    this.#settings = settings
    this.#ports = ports
  }

  counters(): readonly Readonly<ShardCounters>[] {
    return [...this.#known.values()].map(({ counters }) => counters)
  }

  /** Lists the stream's shards and opens those that may be read; resolves when they are opened. One call after the other. */
  refresh(): Promise<void> {
    this.#refreshing = this.#refreshing.catch(() => undefined).then(() => this.#look())
    return this.#refreshing
  }

  /** Throws what has ended a consumer before its time. */
  assertRunning(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Resolves when no consumer runs any more. */
  async ended(): Promise<void> {
    while (this.#consumers.size > 0) await Promise.all(this.#consumers)
  }

  async #look(): Promise<void> {
    if (this.#ports.control.isStopped()) return
    const shards = await this.#ports.stream.listShards()
    await this.#learn(shards.filter(({ shard }) => !this.#known.has(shard)))
    const isAllowed = this.#settings.isChildBeforeParentAllowed
    const early = [...this.#known.values()].filter(
      ({ shard, counters }) => counters.state === 'waiting' && isAllowed?.(shard) === true,
    )
    const due = shardsToOpen(this.#known, new Set(shards.map(({ shard }) => shard)))
    await Promise.all([...new Set([...due, ...early])].map(shard => this.#open(shard)))
  }

  /** Where each starts is remembered at once: after a restart a shard that nobody has seen is a child that came later. */
  async #learn(fresh: readonly MappedShard[]): Promise<void> {
    const { checkpoints, clock, control } = this.#ports
    const loaded = await Promise.all(fresh.map(({ shard }) => checkpoints.load(shard)))
    const isFirstStart = this.#known.size === 0 && loaded.every(checkpoint => checkpoint === undefined)
    const atMs = clock()
    for (const [index, { shard, parents }] of fresh.entries()) {
      const checkpoint = loaded[index]
      const counters = newShardCounters(shard)
      if (checkpoint?.type === 'SHARD_END') counters.state = 'finished'
      const start = isFirstStart ? this.#settings.mapping.startingPosition : startOf(checkpoint)
      // What is latest now is not when the shard is opened later: after its parents, or after a restart.
      const laterStart = start.type === 'LATEST' ? ({ type: 'AT_TIMESTAMP', atMs } as const) : start
      this.#known.set(shard, { shard, parents, counters, start: parents.length === 0 ? start : laterStart })
      if (checkpoint === undefined && !control.isKilled()) await checkpoints.save(shard, laterStart)
    }
  }

  async #open(shard: ShardToRead): Promise<void> {
    const { stream, control, log } = this.#ports
    const reader = await stream.openShard(shard.shard, shard.start)
    if (control.isStopped()) return
    shard.counters.state = 'open'
    const consumer = this.#consume(shard, reader).catch((error: unknown) => {
      if (control.isStopped()) return
      this.#failure ??= { error }
      log(`${shard.shard}: ${String(error)}`)
    })
    this.#consumers.add(consumer)
    void consumer.finally(() => this.#consumers.delete(consumer))
  }

  async #consume(shard: ShardToRead, reader: ShardReader): Promise<void> {
    const { checkpoints, control, log } = this.#ports
    const progress = shardProgress(shard.counters, {
      save: checkpoint => checkpoints.save(shard.shard, checkpoint),
      isKilled: control.isKilled,
    })
    const isFinished = await this.#consumerOf(shard, reader, progress).run()
    if (!isFinished) return
    await progress.finish()
    if (control.isKilled()) return
    shard.counters.state = 'finished'
    try {
      await this.refresh()
    } catch (error) {
      // Shards are looked for again before long.
      log(`${shard.shard}: its children are not listed: ${String(error)}`)
    }
  }

  #consumerOf({ shard, counters }: ShardToRead, reader: ShardReader, progress: ShardProgress): ShardConsumer {
    const { mapping, roleArn, region, retryCapMs, retentionMs = Infinity } = this.#settings
    const log = (line: string): void => this.#ports.log(`${shard}: ${line}`)
    const ageMaxMs = mapping.maximumRecordAgeMs === -1 ? Infinity : mapping.maximumRecordAgeMs
    const recordAgeMaxMs = Math.min(ageMaxMs, retentionMs)
    const delivery = new BatchDelivery(
      counters,
      { ...this.#settings, shard, recordAgeMaxMs },
      { ...this.#ports, progress, log },
    )
    const source = { streamArn: mapping.streamArn, shard, roleArn, region }
    const settings = { ...this.#settings, source, readRetryMs: retryCapMs }
    return new ShardConsumer(counters, settings, { ...this.#ports, reader, delivery, progress, log })
  }
}

/** A shard that was never seen, found when others were known: nothing of it may be missed. */
function startOf(checkpoint: Checkpoint | undefined): ShardStart {
  return checkpoint === undefined || checkpoint.type === 'SHARD_END' ? { type: 'TRIM_HORIZON' } : checkpoint
}
