// What an event source mapping counts for each shard: for the status screen, for draining, and for tests.

export interface ShardCounters {
  readonly shard: string
  /** `waiting`: for its parents. `closed`: everything was read, some of it is not settled. `finished`: all of it is. */
  state: 'waiting' | 'open' | 'closed' | 'finished'
  /** Records that need no delivery any more, without the discarded ones. */
  delivered: number
  /** Records given up, whatever the condition. */
  discarded: number
  /** Those whose retries were used up: `RetryAttemptsExhausted`. */
  discardedAfterRetries: number
  /** Those that were too old: `RecordAgeExceeded`. */
  discardedByAge: number
  /** Times the function ran and answered. */
  invocations: number
  /** Those of them that brought records which had been brought before. */
  retries: number
  functionErrors: number
  partialFailures: number
  /** Times the function could not be run at all: it was throttled, or Lambda failed. */
  notInvoked: number
  /** Failures to write a given-up batch to its destination; each is tried again. */
  destinationErrors: number
  /** Failures to read the shard; each is tried again. */
  readErrors: number
  /** Times the shard was read to its end with nothing in hand. */
  quietReads: number
  /** Records read and not yet settled. */
  pending: number
  /** When the oldest of them arrived. */
  oldestPendingMs: number | undefined
  /** How long ago the last record of the last batch had arrived when the function was invoked. */
  iteratorAgeMs: number | undefined
  /** The last sequence before which everything is settled. */
  lastSequence: string | undefined
}

export function newShardCounters(shard: string): ShardCounters {
  return {
    shard,
    state: 'waiting',
    delivered: 0,
    discarded: 0,
    discardedAfterRetries: 0,
    discardedByAge: 0,
    invocations: 0,
    retries: 0,
    functionErrors: 0,
    partialFailures: 0,
    notInvoked: 0,
    destinationErrors: 0,
    readErrors: 0,
    quietReads: 0,
    pending: 0,
    oldestPendingMs: undefined,
    iteratorAgeMs: undefined,
    lastSequence: undefined,
  }
}
