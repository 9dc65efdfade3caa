// DynamoDB for the local cloud: creates the template's tables.
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  type KeySchemaElement,
  ResourceInUseException,
} from '@aws-sdk/client-dynamodb'
import type { Sleep } from '../src/platform/clock.ts'
import type { IndexPlan, KeyPlan, TablePlan } from './deployment-plan.ts'
import { localClientConfig } from './local-clients.ts'

/** Between looks at a table that is being created. */
const CREATED_POLL_MS = 5

export function localDynamoDbClient(endpoint: string): DynamoDBClient {
  return new DynamoDBClient(localClientConfig(endpoint))
}

/** Leaves a table that is there already as it is. */
export async function createTable(client: DynamoDBClient, table: TablePlan, sleep: Sleep): Promise<void> {
  try {
    await client.send(
      new CreateTableCommand({
        TableName: table.tableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: table.attributes.map(({ name, type }) => ({ AttributeName: name, AttributeType: type })),
        KeySchema: keySchema(table.key),
        ...(table.globalIndexes.length > 0 ? { GlobalSecondaryIndexes: table.globalIndexes.map(index) } : {}),
        ...(table.localIndexes.length > 0 ? { LocalSecondaryIndexes: table.localIndexes.map(index) } : {}),
      }),
    )
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error
  }
  for (;;) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: table.tableName }))
    if (Table?.TableStatus === 'ACTIVE') return
    await sleep(CREATED_POLL_MS)
  }
}

function index({ indexName, key, projection: { type, attributes } }: IndexPlan) {
  return {
    IndexName: indexName,
    KeySchema: keySchema(key),
    Projection: { ProjectionType: type, ...(attributes.length > 0 ? { NonKeyAttributes: [...attributes] } : {}) },
  }
}

function keySchema({ hash, range }: KeyPlan): KeySchemaElement[] {
  const elements: KeySchemaElement[] = [{ AttributeName: hash, KeyType: 'HASH' }]
  if (range !== undefined) elements.push({ AttributeName: range, KeyType: 'RANGE' })
  return elements
}
