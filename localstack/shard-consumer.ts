// Reads one shard in order, ahead of what is delivered, and hands its records to sub-queues, until everything in the closed shard
// is settled.
import type { Clock, Sleep } from '../src/platform/clock.ts'
import type { DeliverBatch } from './deliver-batch.ts'
import type { MappingPlan } from './deployment-plan.ts'
import { mapRecord, type RecordSource } from './mapped-record.ts'
import type { ShardRead, ShardReader } from './mapped-stream.ts'
import type { ConsumerControl } from './consumer-control.ts'
import type { ShardCounters } from './shard-counters.ts'
import type { ShardProgress } from './shard-progress.ts'
import { signal } from './signal.ts'
import { subQueues } from './sub-queues.ts'

/** About a batch at a time: a long read holds up everybody else in the process that the emulators share. */
const READ_RECORDS_MIN = 100
/** Kinesis's own limit on one GetRecords. */
const READ_RECORDS_MAX = 10_000
export interface ShardConsumerPorts {
  readonly reader: ShardReader
  readonly deliver: DeliverBatch
  readonly progress: ShardProgress
  readonly control: ConsumerControl
  readonly clock: Clock
  readonly sleep: Sleep
  readonly log: (line: string) => void
}

export interface ShardConsumerSettings {
  readonly mapping: MappingPlan
  readonly source: RecordSource
  readonly pollMs: number
  /** Before the shard is read again after a failure. */
  readonly readRetryMs: number
  /** JSON of records that are not settled, beyond which the shard is not read: one of its sub-queues is stuck. */
  readonly readAheadBytesMax: number
}

/** True when everything in the closed shard is settled; false where the mapping was stopped before. */
export async function consumeShard(
  counters: ShardCounters,
  { mapping, source, pollMs, readRetryMs, readAheadBytesMax }: ShardConsumerSettings,
  ports: ShardConsumerPorts,
): Promise<boolean> {
  const { control, progress } = ports
  const woken = signal()
  const isClosed = (): boolean => counters.state === 'closed'
  const queues = subQueues(mapping, { ...ports, isClosed, onEnd: woken.raise })
  const unsubscribe = control.changed.subscribe(woken.raise)
  const recordsMax = Math.min(Math.max(mapping.batchSize, READ_RECORDS_MIN), READ_RECORDS_MAX)
  let isAsleep = false

  const wantsRecords = (): boolean => !isClosed() && queues.isAnyShort() && progress.pendingBytes() < readAheadBytesMax

  function wakeIn(ms: number): void {
    if (isAsleep) return
    isAsleep = true
    void ports.sleep(ms).then(() => {
      isAsleep = false
      woken.raise()
    })
  }

  async function readOnce(): Promise<void> {
    const read = await readOrSay()
    if (read === undefined) return wakeIn(readRetryMs)
    for (const record of read.records) {
      const mapped = mapRecord(record, source)
      progress.add(mapped)
      queues.push(mapped, record.partitionKey)
    }
    if (read.isClosed) counters.state = 'closed'
    if (read.records.length > 0) return
    if (counters.pending === 0) counters.quietReads++
    wakeIn(pollMs)
  }

  /** A stream that cannot be read now is read again later: emulators are restarted, and real streams throttle. */
  async function readOrSay(): Promise<ShardRead | undefined> {
    try {
      return await ports.reader.read(recordsMax)
    } catch (error) {
      if (control.isStopped()) return undefined
      counters.readErrors++
      ports.log(`not read: ${String(error)}`)
      return undefined
    }
  }

  try {
    while (await control.mayGoOn()) {
      if (wantsRecords() && !isAsleep) await readOnce()
      if (control.isStopped()) break
      queues.start()
      queues.assertRunning()
      if (isClosed() && counters.pending === 0) return true
      if (wantsRecords() && !isAsleep) continue
      if (queues.isAnyWindowOpen()) wakeIn(pollMs)
      if (control.isEnabled()) await woken.wait()
    }
    if (!control.isKilled()) await queues.idle()
    return false
  } finally {
    unsubscribe()
  }
}
