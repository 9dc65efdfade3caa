import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { expect, test } from 'vitest'
import { dynamodbCatalogStore } from '../../src/catalog/dynamodb-catalog-store.ts'
import { catalogStoreContract } from '../contract/catalog-store.ts'
import { startDynaliteCatalog } from '../fakes/dynalite-catalog.ts'

catalogStoreContract('the DynamoDB adapter on dynalite', async () => {
  const { client, tableName, stop } = await startDynaliteCatalog('catalog')
  return { store: dynamodbCatalogStore({ client, tableName }), stop, hasTransactions: false }
})

/** DynamoDB as far as the wire goes: every request gets this error. */
function storeAnswering(status: number, type: string) {
  const client = new DynamoDBClient({
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    requestHandler: {
      handle: async () => ({
        response: {
          statusCode: status,
          headers: { 'content-type': 'application/x-amz-json-1.0' },
          body: new Blob([JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}` })]).stream(),
        },
      }),
    },
  })
  return dynamodbCatalogStore({ client, tableName: 'catalog' })
}

test.each([
  [400, 'ThrottlingException', 'catalog-unavailable', true],
  [500, 'InternalServerError', 'catalog-unavailable', true],
  [400, 'AccessDeniedException', 'catalog-refused', false],
  [400, 'ResourceNotFoundException', 'table-missing', false],
])('names %i %s: %s', async (status, type, code, retriable) => {
  const store = storeAnswering(status, type)
  await expect(store.get('shop.users', 'schema')).rejects.toMatchObject({ code, retriable })
  await expect(store.create({ table: 'a.b', sk: 'schema', attributes: {} })).rejects.toMatchObject({ code, retriable })
  const listing = store.list('shop.users', 'log#')[Symbol.asyncIterator]()
  await expect(listing.next()).rejects.toMatchObject({ code, retriable })
})
