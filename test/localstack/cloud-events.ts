// Events that the fixture's functions know, put into a running local cloud, and what came of them.
import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { PutRecordsCommand } from '@aws-sdk/client-kinesis'
import { expect } from 'vitest'
import { localDynamoDbClient } from '../../localstack/dynamodb-tables.ts'
import { localKinesisClient } from '../../localstack/kinesis-streams.ts'
import type { LocalCloud } from '../../localstack/local-cloud.ts'

export const BUCKET = 'shop-archive-000000000000'

export interface TestEvent {
  readonly user: string
  readonly act?: 'fail' | 'hang' | 'throw'
}

export async function put({ endpoint }: LocalCloud, events: readonly TestEvent[]): Promise<void> {
  const client = localKinesisClient(endpoint)
  for (let at = 0; at < events.length; at += 500) {
    const Records = events
      .slice(at, at + 500)
      .map(event => ({ PartitionKey: event.user, Data: Buffer.from(JSON.stringify(event)) }))
    const { FailedRecordCount } = await client.send(new PutRecordsCommand({ StreamName: 'shop-dev-events', Records }))
    expect(FailedRecordCount).toBe(0)
  }
  client.destroy()
}

export async function eventsOf({ endpoint }: LocalCloud, user: string): Promise<number> {
  const client = localDynamoDbClient(endpoint)
  const { Item } = await client.send(
    new GetItemCommand({ TableName: 'millrace-local-UsersTable', Key: { userId: { S: user } } }),
  )
  client.destroy()
  return Number(Item?.['events']?.N ?? 0)
}

export const totals = (of: LocalCloud) => {
  const shards = of.status().mappings.flatMap(mapping => mapping.shards)
  const sum = (pick: (shard: (typeof shards)[0]) => number): number =>
    shards.reduce((total, shard) => total + pick(shard), 0)
  return {
    delivered: sum(({ delivered }) => delivered),
    invocations: sum(({ invocations }) => invocations),
    functionErrors: sum(({ functionErrors }) => functionErrors),
    partialFailures: sum(({ partialFailures }) => partialFailures),
  }
}
