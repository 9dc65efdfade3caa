// Kinesis for the local cloud: creates the template's streams and reads shards for event source mappings.
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  ResourceInUseException,
} from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { type Clock, type Sleep, systemClock } from '../src/platform/clock.ts'
import type { StreamPlan } from './deployment-plan.ts'
import { localClientConfig } from './local-clients.ts'
import type { MappedShard, MappedStream, ShardRead, ShardReader, ShardStart } from './mapped-stream.ts'

/** Between looks at a stream that is being created. */
const CREATED_POLL_MS = 5

/** Over HTTP/1.1: kinesalite does not speak the HTTP/2 that the client would otherwise use. */
export function localKinesisClient(endpoint: string): KinesisClient {
  return new KinesisClient({ ...localClientConfig(endpoint), requestHandler: new NodeHttpHandler() })
}

/** Leaves a stream that is there already as it is. */
export async function createStream(
  client: KinesisClient,
  { streamName, shardCount }: StreamPlan,
  sleep: Sleep,
): Promise<void> {
  try {
    await client.send(new CreateStreamCommand({ StreamName: streamName, ShardCount: shardCount }))
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error
  }
  for (;;) {
    const { StreamDescriptionSummary } = await client.send(new DescribeStreamSummaryCommand({ StreamName: streamName }))
    if (StreamDescriptionSummary?.StreamStatus === 'ACTIVE') return
    await sleep(CREATED_POLL_MS)
  }
}

export function kinesisStream(client: KinesisClient, streamName: string, clock: Clock = systemClock): MappedStream {
  return {
    listShards: () => listShards(client, streamName),
    openShard: async (shard, start) => {
      // What was the latest is not any more when an iterator has expired before the first record.
      const position = start.type === 'LATEST' ? ({ type: 'AT_TIMESTAMP', atMs: clock() } as const) : start
      const iterator = await iteratorAt(client, streamName, shard, start)
      return shardReader(client, { streamName, shard, isFromTip: start.type === 'LATEST' }, position, iterator)
    },
  }
}

async function listShards(client: KinesisClient, streamName: string): Promise<readonly MappedShard[]> {
  const listed: MappedShard[] = []
  let nextToken: string | undefined
  do {
    // With a token the stream must not be named again.
    const { Shards = [], NextToken } = await client.send(
      new ListShardsCommand(nextToken === undefined ? { StreamName: streamName } : { NextToken: nextToken }),
    )
    for (const { ShardId, ParentShardId, AdjacentParentShardId } of Shards) {
      if (ShardId === undefined) continue
      const parents = [ParentShardId, AdjacentParentShardId].filter(parent => parent !== undefined)
      listed.push({ shard: ShardId, parents })
    }
    nextToken = NextToken
  } while (nextToken !== undefined)
  return listed
}

interface ReaderTarget {
  readonly streamName: string
  readonly shard: string
  /** Its first iterator stands after everything older. */
  readonly isFromTip: boolean
}

function shardReader(
  client: KinesisClient,
  { streamName, shard, isFromTip }: ReaderTarget,
  start: Exclude<ShardStart, { readonly type: 'LATEST' }>,
  firstIterator: string | undefined,
): ShardReader {
  let iterator = firstIterator
  let position: typeof start = start
  /** kinesalite does not know AT_TIMESTAMP for a shard without later records, so the start is found by reading. */
  let fromMs = start.type === 'AT_TIMESTAMP' && !isFromTip ? start.atMs : 0

  async function read(recordsMax: number): Promise<ShardRead> {
    if (iterator === undefined) return { records: [], isClosed: true }
    const { Records = [], NextShardIterator } = await client.send(
      new GetRecordsCommand({ ShardIterator: iterator, Limit: recordsMax }),
    )
    iterator = NextShardIterator
    const last = Records.at(-1)?.SequenceNumber
    if (last !== undefined) position = { type: 'AFTER_SEQUENCE', sequence: last }
    const records = Records.map(
      ({ SequenceNumber = '', PartitionKey = '', Data = new Uint8Array(), ApproximateArrivalTimestamp }) => ({
        sequence: SequenceNumber,
        partitionKey: PartitionKey,
        dataBase64: Buffer.from(Data.buffer, Data.byteOffset, Data.byteLength).toString('base64'),
        arrivalMs: ApproximateArrivalTimestamp?.getTime() ?? 0,
      }),
    )
    return {
      records: records.filter(({ arrivalMs }) => arrivalMs >= fromMs),
      isClosed: NextShardIterator === undefined,
    }
  }

  return {
    read: async recordsMax => {
      try {
        return await read(recordsMax)
      } catch (error) {
        // Five minutes between two reads: a long batch, or a laptop that slept.
        if (!(error instanceof ExpiredIteratorException)) throw error
        iterator = await iteratorAt(client, streamName, shard, position)
        fromMs = position.type === 'AT_TIMESTAMP' ? position.atMs : 0
        return read(recordsMax)
      }
    },
  }
}

async function iteratorAt(
  client: KinesisClient,
  streamName: string,
  shard: string,
  start: ShardStart,
): Promise<string | undefined> {
  const at =
    start.type === 'AFTER_SEQUENCE'
      ? ({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: start.sequence } as const)
      : ({ ShardIteratorType: start.type === 'LATEST' ? 'LATEST' : 'TRIM_HORIZON' } as const)
  const { ShardIterator } = await client.send(
    new GetShardIteratorCommand({ StreamName: streamName, ShardId: shard, ...at }),
  )
  return ShardIterator
}
