// The catalogue's table in memory, in DynamoDB's own form, under the real adapter: what is stored of a catalogue item is what the adapter
// puts, and a golden of it is read by the adapter too.
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb'
import type { CatalogStore } from '../../src/catalog/catalog-store.ts'
import { dynamodbCatalogStore } from '../../src/catalog/dynamodb-catalog-store.ts'
import { byCodePoint } from '../../src/platform/canonical-json.ts'

export type CatalogAttributes = Record<string, AttributeValue>

/** By `table` and `sk`, with a line break between them. */
export type CatalogTable = Map<string, CatalogAttributes>

export function catalogKey(item: CatalogAttributes): string {
  return `${item['table']?.S}\n${item['sk']?.S}`
}

export function memoryCatalogTable(table: CatalogTable): CatalogStore {
  const client = { send: async (command: unknown) => answer(table, command) } as unknown as DynamoDBClient
  return dynamodbCatalogStore({ client, tableName: 'catalog' })
}

function answer(table: CatalogTable, command: unknown): object {
  if (command instanceof PutItemCommand) return put(table, command.input.Item ?? {})
  if (command instanceof GetItemCommand) {
    const found = table.get(catalogKey(command.input.Key ?? {}))
    return found === undefined ? {} : { Item: found }
  }
  if (!(command instanceof QueryCommand)) throw new Error('The table in memory does not know this command')
  const { ExpressionAttributeValues: values = {}, ScanIndexForward, Limit } = command.input
  const prefix = `${values[':table']?.S}\n${values[':prefix']?.S}`
  const keys = [...table.keys()].filter(key => key.startsWith(prefix)).sort(byCodePoint)
  if (ScanIndexForward === false) keys.reverse()
  return { Items: keys.slice(0, Limit).map(key => table.get(key)) }
}

function put(table: CatalogTable, item: CatalogAttributes): object {
  const key = catalogKey(item)
  if (table.has(key)) throw new ConditionalCheckFailedException({ message: 'it is there', $metadata: {} })
  table.set(key, item)
  return {}
}
