// How many conditional puts a second the store takes with nothing else to do: items of the size of the load's, and as many calls in
// flight as the recompute functions have, a client for each of them.
import {
  CreateTableCommand,
  type DynamoDBClient,
  ProvisionedThroughputExceededException,
  PutItemCommand,
  type PutItemCommandInput,
} from '@aws-sdk/client-dynamodb'
import { systemClock } from '../src/platform/clock.ts'
import { WRITES_IN_FLIGHT_MAX } from '../src/recompute/limits.ts'
import { toAttributes } from '../src/store/dynamodb-attributes.ts'
import type { StoredItem } from '../src/store/user-item.ts'

const TABLE = 'put-rate-probe'

export interface ProbedStore {
  readonly clients: readonly DynamoDBClient[]
  /** That is put, under other users. */
  readonly item: StoredItem
}

/** Puts a second, each under the condition that the version is the one before; one that is refused is tried again. */
export async function measurePutRate({ clients, item }: ProbedStore, durationMs: number): Promise<number> {
  await Promise.all(clients.slice(0, 1).map(createTable))
  const startMs = systemClock()
  let puts = 0
  const lane = async (client: DynamoDBClient, number: number): Promise<void> => {
    const userId = { S: `${item.userId}-${number}-${startMs}` }
    for (let version = 1; systemClock() < startMs + durationMs; version++) {
      const Item = { ...toAttributes(item), userId, v: { N: String(version) } }
      if (await isPut(client, { TableName: TABLE, Item, ...condition(version) })) puts++
      else version--
    }
  }
  const lanes = clients.flatMap((client, index) =>
    Array.from({ length: WRITES_IN_FLIGHT_MAX }, (_, number) => lane(client, index * WRITES_IN_FLIGHT_MAX + number)),
  )
  await Promise.all(lanes)
  return puts / ((systemClock() - startMs) / 1000)
}

/** False where the table was at its limits at every try of the SDK. */
async function isPut(client: DynamoDBClient, input: PutItemCommandInput): Promise<boolean> {
  try {
    await client.send(new PutItemCommand(input))
    return true
  } catch (error) {
    if (error instanceof ProvisionedThroughputExceededException) return false
    throw error
  }
}

function condition(version: number) {
  if (version === 1) return { ConditionExpression: 'attribute_not_exists(userId)' }
  return {
    ConditionExpression: 'v = :before',
    ExpressionAttributeValues: { ':before': { N: String(version - 1) } },
  }
}

async function createTable(client: DynamoDBClient): Promise<void> {
  try {
    await client.send(
      new CreateTableCommand({
        TableName: TABLE,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'userId', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'userId', KeyType: 'HASH' }],
      }),
    )
  } catch (error) {
    if ((error as Error).name !== 'ResourceInUseException') throw error
  }
}
