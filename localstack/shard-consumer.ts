// Reads one shard in order, ahead of what is delivered, and hands its records to sub-queues, until everything in the closed shard
// is settled.
import type { Clock, Sleep } from '../src/platform/clock.ts'
import type { BatchDelivery } from './deliver-batch.ts'
import type { MappingPlan } from './deployment-plan.ts'
import { mapRecord, type RecordSource } from './mapped-record.ts'
import type { ShardRead, ShardReader } from './mapped-stream.ts'
import type { ConsumerControl } from './consumer-control.ts'
import type { ShardCounters } from './shard-counters.ts'
import type { ShardProgress } from './shard-progress.ts'
import { signal } from './signal.ts'
import { type SubQueues, subQueues } from './sub-queues.ts'

/** About a batch at a time: a long read holds up everybody else in the process that the emulators share. */
const READ_RECORDS_MIN = 100
/** Kinesis's own limit on one GetRecords. */
const READ_RECORDS_MAX = 10_000
export interface ShardConsumerPorts {
  readonly reader: ShardReader
  readonly delivery: BatchDelivery
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

export class ShardConsumer {
  readonly #counters: ShardCounters
  readonly #settings: ShardConsumerSettings
  readonly #ports: ShardConsumerPorts
  readonly #queues: SubQueues
  readonly #recordsMax: number
  readonly #woken = signal()
  /** Until the next poll; nothing is read meanwhile. */
  #isAsleep = false

  constructor(counters: ShardCounters, settings: ShardConsumerSettings, ports: ShardConsumerPorts) {
    this.#counters = counters
    this.#settings = settings
    this.#ports = ports
    const isClosed = (): boolean => this.#isClosed()
    this.#queues = subQueues(settings.mapping, { ...ports, isClosed, onEnd: this.#woken.raise })
    this.#recordsMax = Math.min(Math.max(settings.mapping.batchSize, READ_RECORDS_MIN), READ_RECORDS_MAX)
  }

  /** True when everything in the closed shard is settled; false where the mapping was stopped before. */
  async run(): Promise<boolean> {
    const { control } = this.#ports
    const unsubscribe = control.changed.subscribe(this.#woken.raise)
    try {
      while (await control.mayGoOn()) {
        if (this.#isReadDue()) await this.#read()
        if (control.isStopped()) break
        this.#queues.start()
        this.#queues.assertRunning()
        if (this.#isClosed() && this.#counters.pending === 0) return true
        if (this.#isReadDue()) continue
        if (this.#queues.isAnyWindowOpen()) this.#wakeIn(this.#settings.pollMs)
        if (control.isEnabled()) await this.#woken.wait()
      }
      if (!control.isKilled()) await this.#queues.idle()
      return false
    } finally {
      unsubscribe()
    }
  }

  #isClosed(): boolean {
    return this.#counters.state === 'closed'
  }

  #isReadDue(): boolean {
    const hasRoom = this.#ports.progress.pendingBytes() < this.#settings.readAheadBytesMax
    return !this.#isAsleep && !this.#isClosed() && hasRoom && this.#queues.isAnyShort()
  }

  #wakeIn(ms: number): void {
    if (this.#isAsleep) return
    this.#isAsleep = true
    void this.#ports.sleep(ms).then(() => {
      this.#isAsleep = false
      this.#woken.raise()
    })
  }

  async #read(): Promise<void> {
    const read = await this.#readOrSay()
    if (read === undefined) return this.#wakeIn(this.#settings.readRetryMs)
    for (const record of read.records) {
      const mapped = mapRecord(record, this.#settings.source)
      this.#ports.progress.add(mapped)
      this.#queues.push(mapped, record.partitionKey)
    }
    if (read.isClosed) this.#counters.state = 'closed'
    if (read.records.length > 0) return
    if (this.#counters.pending === 0) this.#counters.quietReads++
    this.#wakeIn(this.#settings.pollMs)
  }

  /** A stream that cannot be read now is read again later: emulators are restarted, and real streams throttle. */
  async #readOrSay(): Promise<ShardRead | undefined> {
    try {
      return await this.#ports.reader.read(this.#recordsMax)
    } catch (error) {
      if (this.#ports.control.isStopped()) return undefined
      this.#counters.readErrors++
      this.#ports.log(`not read: ${String(error)}`)
      return undefined
    }
  }
}
