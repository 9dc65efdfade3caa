import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
  MergeShardsCommand,
  PutRecordCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis'
import { afterAll, beforeAll, describe } from 'vitest'
import { type Emulators, startEmulators } from '../../localstack/emulators.ts'
import { kinesisStream, localKinesisClient } from '../../localstack/kinesis-streams.ts'
import { memoryStream } from '../fakes/memory-stream.ts'
import { mappedStreamContract, type StreamUnderTest } from './mapped-stream-contract.ts'

describe('a stream in memory', () => {
  let arrivalMs = 1_700_000_000_000
  mappedStreamContract(async shards => {
    const stream = memoryStream(shards)
    return {
      stream,
      put: async (partitionKey, data) => stream.putByKey(partitionKey, data, { arrivalMs: arrivalMs++ }),
      split: async shard => void stream.split(shard),
      merge: async (shard, other) => void stream.merge(shard, other),
    }
  })
})

describe('a stream of the Kinesis emulator', () => {
  let emulators: Emulators
  let server: Server
  let client: KinesisClient
  let streams = 0

  beforeAll(async () => {
    emulators = await startEmulators()
    server = createServer((request, response) => emulators.kinesis(request, response))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    client = localKinesisClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  })

  afterAll(async () => {
    client.destroy()
    server.closeAllConnections()
    server.close()
    await emulators.stop()
  })

  mappedStreamContract(async ShardCount => {
    const StreamName = `stream-${streams++}`
    await client.send(new CreateStreamCommand({ StreamName, ShardCount }))
    await untilActive(client, StreamName)
    return emulated(client, StreamName)
  })
})

function emulated(client: KinesisClient, StreamName: string): StreamUnderTest {
  /** In the middle of all hash keys: of the only shard. */
  const NewStartingHashKey = String(2n ** 127n)
  return {
    stream: kinesisStream(client, StreamName),
    put: async (PartitionKey, text) => {
      const { ShardId = '', SequenceNumber = '' } = await client.send(
        new PutRecordCommand({ StreamName, PartitionKey, Data: Buffer.from(text) }),
      )
      return { shard: ShardId, sequence: SequenceNumber }
    },
    split: async ShardToSplit => {
      await client.send(new SplitShardCommand({ StreamName, ShardToSplit, NewStartingHashKey }))
      await untilActive(client, StreamName)
    },
    merge: async (ShardToMerge, AdjacentShardToMerge) => {
      await client.send(new MergeShardsCommand({ StreamName, ShardToMerge, AdjacentShardToMerge }))
      await untilActive(client, StreamName)
    },
  }
}

async function untilActive(client: KinesisClient, StreamName: string): Promise<void> {
  for (;;) {
    const { StreamDescriptionSummary } = await client.send(new DescribeStreamSummaryCommand({ StreamName }))
    if (StreamDescriptionSummary?.StreamStatus === 'ACTIVE') return
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
