// How far a shard is: batches of one shard may be settled in any order, and the checkpoint is the end of what is settled without a
// gap. So a restart delivers some records again, and skips none.
import { fifo } from './fifo.ts'
import type { MappedRecord } from './mapped-record.ts'
import type { Checkpoint } from './mapped-stream.ts'
import type { ShardCounters } from './shard-counters.ts'

export interface ShardProgress {
  /** JSON bytes of the records that are not settled. */
  readonly pendingBytes: () => number
  readonly add: (record: MappedRecord) => void
  /** Resolves when the checkpoint is saved, where it has moved. */
  readonly settle: (records: readonly MappedRecord[]) => Promise<void>
  /** The shard is closed and all of it settled; resolves when that is saved, after what is being saved. */
  readonly finish: () => Promise<void>
}

export interface ShardProgressPorts {
  readonly save: (checkpoint: Checkpoint) => Promise<void>
  readonly isKilled: () => boolean
}

export function shardProgress(counters: ShardCounters, { save, isKilled }: ShardProgressPorts): ShardProgress {
  const unsettled = fifo<MappedRecord>()
  let pendingBytes = 0
  let savedSequence: string | undefined
  let saving: Promise<void> | undefined

  function count(): void {
    counters.pending = unsettled.length
    counters.oldestPendingMs = unsettled.first?.arrivalMs
  }

  /** One save at a time, so that an older one cannot end last; what was settled meanwhile goes with the next. */
  async function saveLast(): Promise<void> {
    while (savedSequence !== counters.lastSequence && counters.lastSequence !== undefined && !isKilled()) {
      const sequence = counters.lastSequence
      await save({ type: 'AFTER_SEQUENCE', sequence })
      savedSequence = sequence
    }
  }

  return {
    pendingBytes: () => pendingBytes,
    add: record => {
      unsettled.push(record)
      pendingBytes += record.jsonBytes
      count()
    },
    settle: async records => {
      for (const record of records) record.isSettled = true
      for (let first = unsettled.first; first?.isSettled === true; first = unsettled.first) {
        unsettled.shift()
        pendingBytes -= first.jsonBytes
        counters.lastSequence = first.sequence
      }
      count()
      saving ??= saveLast().finally(() => {
        saving = undefined
      })
      await saving
    },
    finish: async () => {
      await saving
      if (!isKilled()) await save({ type: 'SHARD_END' })
    },
  }
}
