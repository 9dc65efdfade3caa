// The shards of an event source mapping: found, opened when their parents are settled, consumed, and remembered when they are
// finished, so that a restart does not read them again.
import type { EventSourceMappingOptions, EventSourceMappingPorts } from './event-source-mapping.ts'
import { batchDelivery } from './deliver-batch.ts'
import type { Checkpoint, MappedShard, ShardReader, ShardStart } from './mapped-stream.ts'
import type { ConsumerControl } from './consumer-control.ts'
import { consumeShard } from './shard-consumer.ts'
import { newShardCounters, type ShardCounters } from './shard-counters.ts'
import { type KnownShard, shardsToOpen } from './shard-lineage.ts'
import { shardProgress } from './shard-progress.ts'

export interface MappingShards {
  readonly counters: () => readonly Readonly<ShardCounters>[]
  /** Lists the stream's shards and opens those that may be read; resolves when they are opened. One after the other. */
  readonly refresh: () => Promise<void>
  readonly assertRunning: () => void
  /** Resolves when no consumer runs any more. */
  readonly ended: () => Promise<void>
}

interface ShardToRead extends KnownShard {
  readonly start: ShardStart
}

type Settings = EventSourceMappingOptions &
  Required<Pick<EventSourceMappingOptions, 'retryBaseMs' | 'retryCapMs' | 'readAheadBytesMax'>>
type Ports = EventSourceMappingPorts & { readonly control: ConsumerControl }

export function mappingShards(settings: Settings, ports: Ports): MappingShards {
  const { control, stream, checkpoints } = ports
  const known = new Map<string, ShardToRead>()
  const consumers = new Set<Promise<void>>()
  let failure: { readonly error: unknown } | undefined
  let refreshing: Promise<void> = Promise.resolve()

  const refresh = (): Promise<void> => {
    refreshing = refreshing.catch(() => undefined).then(look)
    return refreshing
  }

  async function look(): Promise<void> {
    if (control.isStopped()) return
    const shards = await stream.listShards()
    await learn(shards.filter(({ shard }) => !known.has(shard)))
    const isAllowed = settings.isChildBeforeParentAllowed
    const early = [...known.values()].filter(
      ({ shard, counters }) => counters.state === 'waiting' && isAllowed?.(shard) === true,
    )
    const due = shardsToOpen(known, new Set(shards.map(({ shard }) => shard)))
    await Promise.all([...new Set([...due, ...early])].map(open))
  }

  /** Where each starts is remembered at once: after a restart a shard that nobody has seen is a child that came later. */
  async function learn(fresh: readonly MappedShard[]): Promise<void> {
    const loaded = await Promise.all(fresh.map(({ shard }) => checkpoints.load(shard)))
    const isFirstStart = known.size === 0 && loaded.every(checkpoint => checkpoint === undefined)
    const atMs = ports.clock()
    for (const [index, { shard, parents }] of fresh.entries()) {
      const checkpoint = loaded[index]
      const counters = newShardCounters(shard)
      if (checkpoint?.type === 'SHARD_END') counters.state = 'finished'
      const start = isFirstStart ? settings.mapping.startingPosition : startOf(checkpoint)
      // What is latest now is not when the shard is opened later: after its parents, or after a restart.
      const laterStart = start.type === 'LATEST' ? ({ type: 'AT_TIMESTAMP', atMs } as const) : start
      known.set(shard, { shard, parents, counters, start: parents.length === 0 ? start : laterStart })
      if (checkpoint === undefined && !control.isKilled()) await checkpoints.save(shard, laterStart)
    }
  }

  async function open(shard: ShardToRead): Promise<void> {
    const reader = await stream.openShard(shard.shard, shard.start)
    if (control.isStopped()) return
    shard.counters.state = 'open'
    const consumer = consume(shard, reader).catch((error: unknown) => {
      if (control.isStopped()) return
      failure ??= { error }
      ports.log(`${shard.shard}: ${String(error)}`)
    })
    consumers.add(consumer)
    void consumer.finally(() => consumers.delete(consumer))
  }

  async function consume({ shard, counters }: ShardToRead, reader: ShardReader): Promise<void> {
    const { mapping, roleArn, region, retryCapMs, retentionMs = Infinity } = settings
    const log = (line: string): void => ports.log(`${shard}: ${line}`)
    const progress = shardProgress(counters, {
      saveCheckpoint: sequence => checkpoints.save(shard, { type: 'AFTER_SEQUENCE', sequence }),
      isKilled: control.isKilled,
    })
    const ageMaxMs = mapping.maximumRecordAgeMs === -1 ? Infinity : mapping.maximumRecordAgeMs
    const delivery = { ...settings, shard, recordAgeMaxMs: Math.min(ageMaxMs, retentionMs) }
    const deliver = batchDelivery(counters, delivery, { ...ports, progress, log })
    const source = { streamArn: mapping.streamArn, shard, roleArn, region }
    const consumerSettings = { ...settings, source, readRetryMs: retryCapMs }
    const isFinished = await consumeShard(counters, consumerSettings, { ...ports, reader, deliver, progress, log })
    if (!isFinished || control.isKilled()) return
    await checkpoints.save(shard, { type: 'SHARD_END' })
    counters.state = 'finished'
    try {
      await refresh()
    } catch (error) {
      // Shards are looked for again before long.
      log(`its children are not listed: ${String(error)}`)
    }
  }

  return {
    counters: () => [...known.values()].map(({ counters }) => counters),
    refresh,
    assertRunning: () => {
      if (failure !== undefined) throw failure.error
    },
    ended: async () => {
      while (consumers.size > 0) await Promise.all(consumers)
    },
  }
}

/** A shard that was never seen, found when others were known: nothing of it may be missed. */
function startOf(checkpoint: Checkpoint | undefined): ShardStart {
  return checkpoint === undefined || checkpoint.type === 'SHARD_END' ? { type: 'TRIM_HORIZON' } : checkpoint
}
