import { ExpiredIteratorException, GetRecordsCommand, GetShardIteratorCommand } from '@aws-sdk/client-kinesis'
import { expect, it, onTestFinished } from 'vitest'
import { kinesisStream, localKinesisClient } from '../../localstack/kinesis-streams.ts'

it('keeps its place at the latest when an iterator expires before there was a record', async () => {
  const client = localKinesisClient('http://127.0.0.1:1')
  onTestFinished(() => client.destroy())
  const asked: unknown[] = []
  const Records = [1000, 2000].map(ms => ({
    SequenceNumber: String(ms),
    PartitionKey: 'key',
    Data: Buffer.from(String(ms)),
    ApproximateArrivalTimestamp: new Date(ms),
  }))
  const answer = (command: unknown): object => {
    if (command instanceof GetShardIteratorCommand) {
      asked.push(command.input.ShardIteratorType)
      return { ShardIterator: `iterator-${asked.length}` }
    }
    if (command instanceof GetRecordsCommand && command.input.ShardIterator === 'iterator-1') {
      throw new ExpiredIteratorException({ message: 'Iterator expired', $metadata: {} })
    }
    return { Records, NextShardIterator: 'next' }
  }
  Object.assign(client, { send: async (command: unknown) => answer(command) })
  const reader = await kinesisStream(client, 'events', () => 1500).openShard('shardId-0', { type: 'LATEST' })
  const { records } = await reader.read(10)
  expect(asked).toEqual(['LATEST', 'TRIM_HORIZON'])
  expect(records.map(({ sequence }) => sequence)).toEqual(['2000'])
})
