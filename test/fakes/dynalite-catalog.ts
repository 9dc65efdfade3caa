// DynamoDB's emulator inside the test, with the catalogue's table.
import { CreateTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { startLocalDynamodb } from './local-dynamodb.ts'

export interface DynaliteCatalog {
  readonly client: DynamoDBClient
  readonly tableName: string
  readonly stop: () => Promise<void>
}

export async function startDynaliteCatalog(tableName: string): Promise<DynaliteCatalog> {
  const local = await startLocalDynamodb()
  await createCatalogTable(local.client, tableName)
  return { client: local.client, tableName, stop: () => local.stop() }
}

/** Keys as in cloud/storage.yml. */
export async function createCatalogTable(client: DynamoDBClient, tableName: string): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'table', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'table', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  )
}
