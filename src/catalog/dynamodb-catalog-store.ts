// The catalogue's items in DynamoDB: partition key `table`, sort key `sk`, the rest plain attributes that the console shows.
import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb'
import { byCodePoint, type Json } from '../platform/canonical-json.ts'
import { endInTime, type TimeLeft } from '../platform/deadline.ts'
import { diagnoseServiceFailure, readServiceFailure } from '../platform/service-failure.ts'
import { type CatalogItem, type CatalogStore, type ListOptions, TRANSACTION_ITEMS_MAX } from './catalog-store.ts'
import { CatalogError } from './errors.ts'
import { SCHEMA_PREFIX } from './layout.ts'

export interface DynamodbCatalogStoreOptions {
  readonly client: DynamoDBClient
  readonly tableName: string
  /** For ever unless given. */
  readonly timeLeftMs?: TimeLeft | undefined
}

type Attributes = Record<string, AttributeValue>

const IF_ABSENT = { ConditionExpression: 'attribute_not_exists(sk)' }
const NEVER = { ConditionExpression: 'attribute_exists(sk) AND attribute_not_exists(sk)' }
const CONDITION_FAILED = 'ConditionalCheckFailedException'
/** Of a single write whose item is part of a transaction that is under way. */
const CONFLICT = 'TransactionConflictException'

export function dynamodbCatalogStore(options: DynamodbCatalogStoreOptions): CatalogStore {
  return {
    create: item => create(options, item),
    createAll: items => createAll(options, items),
    checkTransactions: table => checkTransactions(options, table),
    replace: item => replace(options, item),
    get: (table, sk) => get(options, table, sk),
    list: (table, prefix, listOptions) => list(options, table, prefix, listOptions ?? {}),
    tables: () => tables(options),
  }
}

async function create(
  { client, tableName, timeLeftMs }: DynamodbCatalogStoreOptions,
  item: CatalogItem,
): Promise<'created' | 'exists'> {
  try {
    const command = new PutItemCommand({ TableName: tableName, Item: toItemAttributes(item), ...IF_ABSENT })
    await endInTime(timeLeftMs, call => client.send(command, call))
    return 'created'
  } catch (error) {
    const { name } = readServiceFailure(error)
    if (name === CONDITION_FAILED) return 'exists'
    if (name === CONFLICT) throw contended(tableName, error)
    throw asCatalogError(error, tableName)
  }
}

async function createAll(
  options: DynamodbCatalogStoreOptions,
  items: readonly CatalogItem[],
): Promise<'created' | 'exists'> {
  if (items.length > TRANSACTION_ITEMS_MAX) throw tooManyItems(items.length)
  return transact(
    options,
    items.map(item => ({ Put: { TableName: options.tableName, Item: toItemAttributes(item), ...IF_ABSENT } })),
  )
}

/** By a transaction that cannot come true: DynamoDB cancels it, and who has no transactions does not know what is asked. */
async function checkTransactions(options: DynamodbCatalogStoreOptions, table: string): Promise<void> {
  const Item = toItemAttributes({ table, sk: 'never', attributes: {} })
  await transact(options, [{ Put: { TableName: options.tableName, Item, ...NEVER } }])
}

async function transact(
  { client, tableName, timeLeftMs }: DynamodbCatalogStoreOptions,
  actions: TransactWriteItem[],
): Promise<'created' | 'exists'> {
  try {
    const command = new TransactWriteItemsCommand({ TransactItems: actions })
    await endInTime(timeLeftMs, call => client.send(command, call))
    return 'created'
  } catch (error) {
    const codes = cancellationCodes(error)
    if (codes.includes('ConditionalCheckFailed')) return 'exists'
    if (codes.includes('TransactionConflict')) throw contended(tableName, error)
    if (readServiceFailure(error).name === 'UnknownOperationException') throw noTransactions(tableName, error)
    throw asCatalogError(error, tableName)
  }
}

function cancellationCodes(error: unknown): readonly (string | undefined)[] {
  if (!(error instanceof TransactionCanceledException)) return []
  return error.CancellationReasons?.map(({ Code }) => Code) ?? []
}

async function replace(
  { client, tableName, timeLeftMs }: DynamodbCatalogStoreOptions,
  item: Parameters<CatalogStore['replace']>[0],
): Promise<'replaced' | 'changed'> {
  const before = item.attributes.revision - 1
  try {
    const command = new PutItemCommand({
      TableName: tableName,
      Item: toItemAttributes(item),
      ConditionExpression:
        before === 0 ? 'attribute_exists(sk) AND attribute_not_exists(revision)' : 'revision = :before',
      ...(before === 0 ? {} : { ExpressionAttributeValues: { ':before': { N: String(before) } } }),
    })
    await endInTime(timeLeftMs, call => client.send(command, call))
    return 'replaced'
  } catch (error) {
    if (readServiceFailure(error).name === CONDITION_FAILED) return 'changed'
    throw asCatalogError(error, tableName)
  }
}

async function get(
  { client, tableName, timeLeftMs }: DynamodbCatalogStoreOptions,
  table: string,
  sk: string,
): Promise<CatalogItem | undefined> {
  const key = { table: { S: table }, sk: { S: sk } }
  const command = new GetItemCommand({ TableName: tableName, Key: key, ConsistentRead: true })
  const { Item } = await endInTime(timeLeftMs, call => client.send(command, call)).catch((error: unknown) =>
    Promise.reject(asCatalogError(error, tableName)),
  )
  return Item === undefined ? undefined : toItem(Item)
}

async function* list(
  { client, tableName, timeLeftMs }: DynamodbCatalogStoreOptions,
  table: string,
  prefix: string,
  { isNewestFirst = false, limit }: ListOptions,
): AsyncGenerator<CatalogItem> {
  let startKey: Attributes | undefined
  let left = limit ?? Number.POSITIVE_INFINITY
  do {
    const command: QueryCommand = new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: '#table = :table AND begins_with(sk, :prefix)',
      ExpressionAttributeNames: { '#table': 'table' },
      ExpressionAttributeValues: { ':table': { S: table }, ':prefix': { S: prefix } },
      ScanIndexForward: !isNewestFirst,
      ConsistentRead: true,
      ...(Number.isFinite(left) ? { Limit: left } : {}),
      ...(startKey === undefined ? {} : { ExclusiveStartKey: startKey }),
    })
    const page = await endInTime(timeLeftMs, call => client.send(command, call)).catch((error: unknown) =>
      Promise.reject(asCatalogError(error, tableName)),
    )
    const items = page.Items ?? []
    for (const item of items) yield toItem(item)
    left -= items.length
    startKey = page.LastEvaluatedKey
  } while (startKey !== undefined && left > 0)
}

async function tables({ client, tableName, timeLeftMs }: DynamodbCatalogStoreOptions): Promise<readonly string[]> {
  const found: string[] = []
  let startKey: Attributes | undefined
  do {
    const command: ScanCommand = new ScanCommand({
      TableName: tableName,
      ProjectionExpression: '#table',
      FilterExpression: 'sk = :schema',
      ExpressionAttributeNames: { '#table': 'table' },
      ExpressionAttributeValues: { ':schema': { S: SCHEMA_PREFIX } },
      ConsistentRead: true,
      ...(startKey === undefined ? {} : { ExclusiveStartKey: startKey }),
    })
    const page = await endInTime(timeLeftMs, call => client.send(command, call)).catch((error: unknown) =>
      Promise.reject(asCatalogError(error, tableName)),
    )
    for (const { table } of page.Items ?? []) if (table?.S !== undefined) found.push(table.S)
    startKey = page.LastEvaluatedKey
  } while (startKey !== undefined)
  return found.sort(byCodePoint)
}

function toItemAttributes({ table, sk, attributes }: CatalogItem): Attributes {
  return { ...toMap(attributes), table: { S: table }, sk: { S: sk } }
}

function toItem({ table, sk, ...attributes }: Attributes): CatalogItem {
  return { table: table?.S ?? '', sk: sk?.S ?? '', attributes: fromMap(attributes) }
}

function toMap(members: { readonly [name: string]: Json | undefined }): Attributes {
  const attributes: Attributes = {}
  for (const [name, value] of Object.entries(members)) if (value !== undefined) attributes[name] = toAttribute(value)
  return attributes
}

function toAttribute(value: Json): AttributeValue {
  if (value === null) return { NULL: true }
  if (typeof value === 'string') return { S: value }
  if (typeof value === 'number') return { N: String(value) }
  if (typeof value === 'boolean') return { BOOL: value }
  return isList(value) ? { L: value.map(toAttribute) } : { M: toMap(value) }
}

function isList(value: readonly Json[] | { readonly [key: string]: Json | undefined }): value is readonly Json[] {
  return Array.isArray(value)
}

function fromMap(attributes: Attributes): Record<string, Json> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, fromAttribute(value)]))
}

/** Binary and sets are nothing that Millrace writes here; they read as null, and the check of the item names them. */
function fromAttribute(value: AttributeValue): Json {
  if (value.S !== undefined) return value.S
  if (value.N !== undefined) return Number(value.N)
  if (value.BOOL !== undefined) return value.BOOL
  if (value.L !== undefined) return value.L.map(fromAttribute)
  if (value.M !== undefined) return fromMap(value.M)
  return null
}

function tooManyItems(count: number): CatalogError {
  return new CatalogError(`${count} items cannot be created as one: DynamoDB takes ${TRANSACTION_ITEMS_MAX}`, {
    code: 'transaction-too-big',
    next: 'Create fewer at once.',
  })
}

function contended(tableName: string, cause: unknown): CatalogError {
  return new CatalogError(`Others are writing the same items of the catalogue ${tableName}`, {
    code: 'catalog-contended',
    retriable: true,
    next: 'Try again.',
    cause,
  })
}

function noTransactions(tableName: string, cause: unknown): CatalogError {
  return new CatalogError(`The store of ${tableName} has no transactions`, {
    code: 'transactions-unavailable',
    next: 'Use DynamoDB or the local cloud, or commit the partitions one by one.',
    cause,
  })
}

function asCatalogError(error: unknown, tableName: string): CatalogError {
  const diagnosis = diagnoseServiceFailure(error, { kind: 'table', name: tableName })
  if (diagnosis !== undefined) return new CatalogError(diagnosis.message, { ...diagnosis, cause: error })
  const { name, status, isRetriable } = readServiceFailure(error)
  const answer = status === undefined ? name : `${status} ${name}`
  return new CatalogError(`The catalogue ${tableName} answered ${answer}`, {
    code: isRetriable ? 'catalog-unavailable' : 'catalog-refused',
    retriable: isRetriable,
    next: isRetriable
      ? 'Try again later.'
      : 'Read the cause: a missing permission, or a request that DynamoDB does not accept.',
    cause: error,
  })
}
