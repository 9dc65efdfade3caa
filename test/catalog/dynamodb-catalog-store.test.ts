import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { expect, test } from 'vitest'
import { dynamodbCatalogStore } from '../../src/catalog/dynamodb-catalog-store.ts'
import type { CatalogError } from '../../src/catalog/errors.ts'
import { catalogStoreContract } from '../contract/catalog-store.ts'
import { startDynaliteCatalog } from '../fakes/dynalite-catalog.ts'
import { startLocalAws } from '../fakes/local-aws.ts'

catalogStoreContract('the DynamoDB adapter on dynalite', async () => {
  const { client, tableName, stop } = await startDynaliteCatalog('catalog')
  return { store: dynamodbCatalogStore({ client, tableName }), stop, hasTransactions: false }
})

catalogStoreContract('the DynamoDB adapter on the local cloud', async () => {
  const aws = await startLocalAws()
  await aws.createCatalogTable('catalog')
  return { store: dynamodbCatalogStore({ client: aws.clients.dynamodb, tableName: 'catalog' }), stop: aws.stop }
})

/** DynamoDB as far as the wire goes: every request gets this error. */
function storeAnswering(status: number, type: string, more: object = {}) {
  const client = new DynamoDBClient({
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    requestHandler: {
      handle: async () => ({
        response: {
          statusCode: status,
          headers: { 'content-type': 'application/x-amz-json-1.0' },
          body: new Blob([JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, ...more })]).stream(),
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

const ITEMS = [{ table: 'a.b', sk: 'log#p#000000001', attributes: {} }]

test.each([
  ['a condition failed', ['None', 'ConditionalCheckFailed', 'TransactionConflict'], 'exists'],
  ['another transaction is at the item', ['None', 'TransactionConflict'], 'catalog-contended'],
  ['it is refused for something else', ['ValidationError'], 'catalog-refused'],
])('a transaction that was cancelled because %s', async (_why, codes, expected) => {
  const reasons = { CancellationReasons: codes.map(Code => ({ Code })) }
  const store = storeAnswering(400, 'TransactionCanceledException', reasons)
  const outcome = await store.createAll(ITEMS).catch((error: CatalogError) => error.code)
  expect(outcome).toBe(expected)
})

test('a write of an item that a transaction is at may be tried again', async () => {
  const store = storeAnswering(400, 'TransactionConflictException')
  const [item] = ITEMS
  if (item === undefined) throw new Error('no item')
  await expect(store.create(item)).rejects.toMatchObject({ code: 'catalog-contended', retriable: true })
})

test('more items than a transaction takes are refused without a call', async () => {
  const store = storeAnswering(500, 'InternalServerError')
  const items = Array.from({ length: 101 }, (_, n) => ({ table: 'a.b', sk: `log#p${n}#000000001`, attributes: {} }))
  await expect(store.createAll(items)).rejects.toMatchObject({ code: 'transaction-too-big', retriable: false })
})
