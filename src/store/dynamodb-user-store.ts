// The user store on a DynamoDB table with the key `userId` (S). One BatchGetItem reads a batch's users, one conditional
// PutItem writes a user: the item holds what must change together, so no other transaction is needed.
import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
  ScanCommand,
  type ScanCommandInput,
} from '@aws-sdk/client-dynamodb'
import type { Sleep } from '../platform/clock.ts'
import { endInTime, refuseToWait, type TimeLeft } from '../platform/deadline.ts'
import type { Random } from '../platform/random.ts'
import { fullJitterMs } from '../platform/retry.ts'
import { expectedAttributes, fromAttributes, toAttributes } from './dynamodb-attributes.ts'
import { toStoreError } from './dynamodb-errors.ts'
import { StoreError } from './errors.ts'
import {
  checkKeyCount,
  checkNextVersion,
  type CorruptItem,
  type Expected,
  type PutOutcome,
  type StoredItem,
  type UserStore,
} from './user-item.ts'

export interface DynamodbUserStoreOptions {
  readonly client: DynamoDBClient
  readonly table: string
  readonly random: Random
  readonly sleep: Sleep
  /** Items a scan page looks at, at most; DynamoDB ends a page at 1 MB in any case. */
  readonly scanPageItemsMax?: number
  /** For ever unless given. */
  readonly timeLeftMs?: TimeLeft | undefined
  /** Told of every answer that left keys out. */
  readonly onUnprocessed?: ((keys: number) => void) | undefined
}

type Key = Record<string, AttributeValue>

/** Calls for one loadMany. DynamoDB leaves keys out of an answer when throttled, and beyond 16 MB an answer. */
export const BATCH_GET_CALLS_MAX = 8
const UNPROCESSED_BASE_MS = 25
const UNPROCESSED_CAP_MS = 1000

export function dynamodbUserStore(options: DynamodbUserStoreOptions): UserStore {
  return {
    loadMany: userIds => loadMany(options, userIds),
    load: userId => load(options, userId),
    put: (item, expected) => put(options, item, expected),
    scan: (segment, segments, after, { isConsistent = false } = {}) =>
      scan(options, { segment, segments, after, isConsistent }),
  }
}

async function loadMany(
  options: DynamodbUserStoreOptions,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, StoredItem | CorruptItem>> {
  checkKeyCount(userIds)
  const found = new Map<string, StoredItem | CorruptItem>()
  // A key named twice would make DynamoDB refuse the whole call.
  let keys: Key[] = [...new Set(userIds)].map(userId => ({ userId: { S: userId } }))
  for (let call = 1; keys.length > 0; call++) {
    const { items, unprocessed } = await batchGet(options, keys)
    for (const item of items) found.set(item.userId, item)
    keys = unprocessed
    if (keys.length > 0) options.onUnprocessed?.(keys.length)
    if (keys.length > 0) await waitForUnprocessed(options, call, keys.length)
  }
  return found
}

async function batchGet(
  { client, table, timeLeftMs }: DynamodbUserStoreOptions,
  keys: Key[],
): Promise<{ items: (StoredItem | CorruptItem)[]; unprocessed: Key[] }> {
  try {
    const command = new BatchGetItemCommand({ RequestItems: { [table]: { Keys: keys, ConsistentRead: true } } })
    const answer = await endInTime(timeLeftMs, call => client.send(command, call))
    const items = (answer.Responses?.[table] ?? []).map(fromAttributes)
    return { items, unprocessed: answer.UnprocessedKeys?.[table]?.Keys ?? [] }
  } catch (error) {
    throw toStoreError(error, 'BatchGetItem', table)
  }
}

async function waitForUnprocessed(
  { random, sleep, table, timeLeftMs }: DynamodbUserStoreOptions,
  call: number,
  left: number,
): Promise<void> {
  if (call >= BATCH_GET_CALLS_MAX) {
    throw new StoreError(`BatchGetItem left ${left} keys unread after ${call} calls`, {
      code: 'store-unavailable',
      retriable: true,
      next: 'Try again later; if it stays, look at the read throttles of the table.',
    })
  }
  const waitMs = fullJitterMs(call, { baseMs: UNPROCESSED_BASE_MS, capMs: UNPROCESSED_CAP_MS, random })
  try {
    refuseToWait(waitMs, timeLeftMs)
  } catch (error) {
    throw toStoreError(error, 'BatchGetItem', table)
  }
  await sleep(waitMs)
}

async function load(
  { client, table, timeLeftMs }: DynamodbUserStoreOptions,
  userId: string,
): Promise<StoredItem | CorruptItem | undefined> {
  try {
    const command = new GetItemCommand({ TableName: table, Key: { userId: { S: userId } }, ConsistentRead: true })
    const answer = await endInTime(timeLeftMs, call => client.send(command, call))
    return answer.Item === undefined ? undefined : fromAttributes(answer.Item)
  } catch (error) {
    throw toStoreError(error, 'GetItem', table)
  }
}

async function put(options: DynamodbUserStoreOptions, item: StoredItem, expected: Expected): Promise<PutOutcome> {
  checkNextVersion(item, expected)
  try {
    const command = new PutItemCommand({
      TableName: options.table,
      Item: toAttributes(item),
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      ...conditionOf(expected),
    })
    await endInTime(options.timeLeftMs, call => options.client.send(command, call))
    return { outcome: 'written' }
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw toStoreError(error, 'PutItem', options.table)
    // No item in the error: it is gone, or the service does not send it along. Reading again is right in both cases.
    const current = error.Item === undefined ? await load(options, item.userId) : fromAttributes(error.Item)
    return { outcome: 'conflict', current }
  }
}

type Condition = Pick<
  PutItemCommandInput,
  'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
>

function conditionOf(expected: Expected): Condition {
  if (expected === undefined) return { ConditionExpression: 'attribute_not_exists(userId)' }
  if (typeof expected === 'number') {
    return { ConditionExpression: 'v = :v', ExpressionAttributeValues: { ':v': { N: String(expected) } } }
  }
  const [terms, names, values] = [[] as string[], {} as Record<string, string>, {} as Record<string, AttributeValue>]
  for (const [index, { name, value }] of expectedAttributes(expected).entries()) {
    names[`#${index}`] = name
    if (value === undefined) terms.push(`attribute_not_exists(#${index})`)
    else {
      // Emulators find no two maps or lists alike; that it is one is all that is asked of those.
      const type = value.M === undefined ? (value.L === undefined ? undefined : 'L') : 'M'
      values[`:${index}`] = type === undefined ? value : { S: type }
      terms.push(type === undefined ? `#${index} = :${index}` : `attribute_type(#${index}, :${index})`)
    }
  }
  return {
    // Where everything but the key is gone, that it is there is asserted all the same: an absent item is not repaired.
    ConditionExpression: ['attribute_exists(userId)', ...terms].join(' AND '),
    ExpressionAttributeNames: names,
    ...(Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: values }),
  }
}

interface ScanRequest {
  readonly segment: number
  readonly segments: number
  readonly after: string | undefined
  readonly isConsistent: boolean
}

async function* scan(
  options: DynamodbUserStoreOptions,
  { segment, segments, after, isConsistent }: ScanRequest,
): AsyncGenerator<readonly (StoredItem | CorruptItem)[]> {
  let from: Key | undefined = after === undefined ? undefined : { userId: { S: after } }
  do {
    const page = await scanPage(options, {
      Segment: segment,
      TotalSegments: segments,
      ...(isConsistent ? { ConsistentRead: true } : {}),
      ...(from === undefined ? {} : { ExclusiveStartKey: from }),
    })
    if (page.items.length > 0) yield page.items
    from = page.next
  } while (from !== undefined)
}

async function scanPage(
  { client, table, scanPageItemsMax, timeLeftMs }: DynamodbUserStoreOptions,
  part: Pick<ScanCommandInput, 'Segment' | 'TotalSegments' | 'ExclusiveStartKey' | 'ConsistentRead'>,
): Promise<{ items: (StoredItem | CorruptItem)[]; next: Key | undefined }> {
  const limit = scanPageItemsMax === undefined ? {} : { Limit: scanPageItemsMax }
  try {
    const command = new ScanCommand({ TableName: table, ...part, ...limit })
    const page = await endInTime(timeLeftMs, call => client.send(command, call))
    return { items: (page.Items ?? []).map(fromAttributes), next: page.LastEvaluatedKey }
  } catch (error) {
    throw toStoreError(error, 'Scan', table)
  }
}
