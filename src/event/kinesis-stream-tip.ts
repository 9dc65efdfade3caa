// How far the events stream is, on Kinesis: nothing tells a shard's last sequence, so what lies beyond the archive's position is read
// until there is no more. That is the archive's lag: seconds of data, unless something is wrong.
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis'
import { mapWithLimit } from '../platform/concurrency.ts'
import type { Sleep } from '../platform/clock.ts'
import { diagnoseServiceFailure, readServiceFailure } from '../platform/service-failure.ts'
import { EventStreamError } from './errors.ts'
import type { StreamTip } from './stream-tip.ts'

export interface KinesisStreamTipOptions {
  readonly client: KinesisClient
  readonly streamName: string
  readonly sleep: Sleep
}

/** Most that one GetRecords returns (Amazon Kinesis API reference); it stops at 10 MB before that. */
const RECORDS_PER_CALL = 10_000
/** A shard takes five reads a second, of which each mapped function makes one (Amazon Kinesis API reference, GetRecords). */
const BETWEEN_CALLS_MS = 400
/** At 10 MB a call more than ten gigabytes, which is a whole day of a shard at a tenth of its rate. */
const CALLS_PER_SHARD_MAX = 1000
const SHARDS_AT_ONCE = 8

export function kinesisStreamTip(options: KinesisStreamTipOptions): StreamTip {
  const reading = async <T>(read: () => Promise<T>): Promise<T> => {
    try {
      return await read()
    } catch (error) {
      throw error instanceof EventStreamError ? error : unreadable(error, options.streamName)
    }
  }
  return {
    streamName: options.streamName,
    shards: () => reading(() => listShards(options)),
    read: after =>
      reading(async () => {
        const shards = await listShards(options)
        const last = await mapWithLimit(shards, SHARDS_AT_ONCE, async shard => {
          const sequence = await lastOf(options, shard, after.get(shard))
          return sequence === undefined ? [] : [[shard, sequence] as const]
        })
        return new Map(last.flat())
      }),
  }
}

async function listShards({ client, streamName }: KinesisStreamTipOptions): Promise<string[]> {
  const shards: string[] = []
  let next: string | undefined
  do {
    const page = await client.send(
      new ListShardsCommand(next === undefined ? { StreamName: streamName } : { NextToken: next }),
    )
    shards.push(...(page.Shards ?? []).flatMap(({ ShardId }) => ShardId ?? []))
    next = page.NextToken
  } while (next !== undefined)
  return shards
}

async function lastOf(
  { client, streamName, sleep }: KinesisStreamTipOptions,
  shard: string,
  after: string | undefined,
): Promise<string | undefined> {
  const start =
    after === undefined
      ? ({ ShardIteratorType: 'TRIM_HORIZON' } as const)
      : ({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: after } as const)
  const first = await client.send(new GetShardIteratorCommand({ StreamName: streamName, ShardId: shard, ...start }))
  let iterator = first.ShardIterator
  let last: string | undefined
  for (let call = 1; iterator !== undefined; call++) {
    const {
      Records = [],
      NextShardIterator,
      MillisBehindLatest,
    } = await client.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: RECORDS_PER_CALL }))
    last = Records.at(-1)?.SequenceNumber ?? last
    // An emulator says 0 of a full answer, too.
    if (MillisBehindLatest === 0 && Records.length < RECORDS_PER_CALL) break
    if (call >= CALLS_PER_SHARD_MAX) throw tooFar(shard)
    iterator = NextShardIterator
    await sleep(BETWEEN_CALLS_MS)
  }
  return last
}

function tooFar(shard: string): EventStreamError {
  return new EventStreamError(`The archive is too far behind the stream in ${shard}`, {
    code: 'archive-behind',
    retriable: true,
    next: 'Look at the archive function and run it again when it has caught up.',
  })
}

function unreadable(error: unknown, streamName: string): EventStreamError {
  const diagnosis = diagnoseServiceFailure(error, { kind: 'stream', name: streamName })
  if (diagnosis !== undefined) return new EventStreamError(diagnosis.message, { ...diagnosis, cause: error })
  const { name, isRetriable } = readServiceFailure(error)
  // A sequence of another stream of the same name is no sequence of this one.
  const isOther = name === 'InvalidArgumentException'
  return new EventStreamError('The end of the stream cannot be read', {
    code: name,
    retriable: isRetriable,
    next: isOther
      ? 'Was the stream created anew? Then say which epoch it is: --stream-epoch N.'
      : isRetriable
        ? 'Run it again later.'
        : 'Look at the cause: the stream, its name, the role.',
    cause: error,
  })
}
