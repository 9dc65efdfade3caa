// The DynamoDB adapter: the contract on dynalite, and what no emulator does (keys left unprocessed, throttles, an item sent along
// with a failed condition, lost connections) with scripted answers under the real client.
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/platform/random.ts'
import { BATCH_GET_CALLS_MAX, dynamodbUserStore } from '../../src/store/dynamodb-user-store.ts'
import { itemBytes } from '../../src/store/item-size.ts'
import { toAttributes } from '../../src/store/dynamodb-attributes.ts'
import type { UserStore } from '../../src/store/user-item.ts'
import { userStoreContract } from '../contract/user-store.ts'
import { type LocalDynamodb, startLocalDynamodb } from '../fakes/local-dynamodb.ts'
import { typicalItem } from './item-factory.ts'

const TABLE = 'users'

userStoreContract('the DynamoDB table', async () => {
  const local = await startLocalDynamodb()
  await local.createUsersTable(TABLE)
  const { client } = local
  return {
    store: dynamodbUserStore({
      client,
      table: TABLE,
      random: seededRandom(1),
      sleep: async () => undefined,
      scanPageItemsMax: 7,
    }),
    plant: async attributes => void (await client.send(new PutItemCommand({ TableName: TABLE, Item: attributes }))),
    raw: async userId =>
      (
        await client.send(
          new GetItemCommand({ TableName: TABLE, Key: { userId: { S: userId } }, ConsistentRead: true }),
        )
      ).Item,
    close: () => local.stop(),
  }
})

describe('item sizes', () => {
  let local: LocalDynamodb
  beforeAll(async () => {
    local = await startLocalDynamodb()
    await local.createUsersTable(TABLE)
  })
  afterAll(() => local.stop())

  /** Write units that the emulator charges, whose size rule was written by others. */
  async function unitsCharged(item: ReturnType<typeof typicalItem>): Promise<number | undefined> {
    const command = new PutItemCommand({ TableName: TABLE, Item: toAttributes(item), ReturnConsumedCapacity: 'TOTAL' })
    return (await local.client.send(command)).ConsumedCapacity?.CapacityUnits
  }

  it('are those that the emulator charges for, to the byte', async () => {
    const other = {
      ttl: { N: '-1200.50' },
      tree: { M: { deep: { L: [{ N: '12345' }, { S: 'abc' }, { M: {} }] }, flag: { BOOL: true } } },
      sets: { SS: ['one', 'three'] },
      raw: { B: new Uint8Array(77) },
      none: { NULL: true },
    }
    const variants = [
      typicalItem('size-1'),
      typicalItem('size-2', { fresh: undefined, imports: [], models: {} }),
      typicalItem('size-3', {
        other,
        at: 1_451_606_400_000,
        asOf: 0,
        models: { a: 'b', churn: '20160130000000-abcdefgh' },
      }),
    ]
    for (const item of variants) {
      const pad = 1024 - (itemBytes(item) % 1024)
      const full = { ...item, st: new Uint8Array(item.st.length + pad) }
      const over = { ...item, st: new Uint8Array(item.st.length + pad + 1) }
      expect(itemBytes(full) % 1024).toBe(0)
      expect(await unitsCharged(full)).toBe(itemBytes(full) / 1024)
      expect(await unitsCharged(over)).toBe(itemBytes(full) / 1024 + 1)
    }
  })
})

interface Answer {
  readonly status?: number
  readonly body?: unknown
  readonly error?: Error
}

/** A store whose client gets these answers, one a call, and records what it sent. */
function scripted(answers: readonly Answer[]): { store: UserStore; requests: unknown[]; waits: number[] } {
  const requests: unknown[] = []
  const waits: number[] = []
  const client = new DynamoDBClient({
    endpoint: 'http://127.0.0.1:1',
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
    requestHandler: {
      handle: async (request: { body?: unknown }) => {
        requests.push(JSON.parse(String(request.body)))
        const {
          status = 200,
          body = {},
          error,
        } = answers[requests.length - 1] ?? { error: new Error('no answer left') }
        if (error !== undefined) throw error
        const text = Buffer.from(JSON.stringify(body))
        const headers = { 'content-type': 'application/x-amz-json-1.0' }
        return { response: { statusCode: status, headers, body: new Blob([text]).stream() } }
      },
    } as never,
  })
  const sleep = async (ms: number): Promise<void> => void waits.push(ms)
  return { store: dynamodbUserStore({ client, table: TABLE, random: seededRandom(1), sleep }), requests, waits }
}

function onTheWire(userId: string): unknown {
  return JSON.parse(JSON.stringify(toAttributes(typicalItem(userId)), (_, value: unknown) => wireValue(value)))
}

/** JSON.stringify shows a Buffer as { type, data } and a Uint8Array as an object of indexes; DynamoDB wants base64. */
function wireValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('B' in value)) return value
  const bytes = value.B
  if (bytes instanceof Uint8Array) return { B: Buffer.from(bytes).toString('base64') }
  return value
}

function unprocessed(...userIds: string[]): unknown {
  return { [TABLE]: { Keys: userIds.map(userId => ({ userId: { S: userId } })), ConsistentRead: true } }
}

function failure(name: string, status = 400, more: object = {}): Answer {
  return { status, body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'scripted', ...more } }
}

describe('reading many users', () => {
  it('asks again for the keys that were left unprocessed, after a wait, consistently', async () => {
    const { store, requests, waits } = scripted([
      { body: { Responses: { [TABLE]: [onTheWire('a')] }, UnprocessedKeys: unprocessed('b', 'c') } },
      { body: { Responses: { [TABLE]: [] }, UnprocessedKeys: unprocessed('b', 'c') } },
      { body: { Responses: { [TABLE]: [onTheWire('b')] }, UnprocessedKeys: {} } },
    ])
    const found = await store.loadMany(['a', 'b', 'c'])
    expect([...found.keys()].sort()).toEqual(['a', 'b'])
    expect(requests.slice(1)).toEqual([
      { RequestItems: unprocessed('b', 'c') },
      { RequestItems: unprocessed('b', 'c') },
    ])
    expect(waits).toHaveLength(2)
    expect(waits[0]).toBeLessThan(25)
    expect(waits[1]).toBeLessThan(50)
  })

  it('gives up with a retriable error when keys stay unprocessed', async () => {
    const never = { body: { Responses: {}, UnprocessedKeys: unprocessed('a') } }
    const { store, requests } = scripted(Array.from({ length: 50 }, () => never))
    await expect(store.loadMany(['a'])).rejects.toMatchObject({ code: 'store-unavailable', retriable: true })
    expect(requests).toHaveLength(BATCH_GET_CALLS_MAX)
  })

  it('makes no call for no users', async () => {
    const { store, requests } = scripted([])
    expect((await store.loadMany([])).size).toBe(0)
    expect(requests).toEqual([])
  })
})

describe('a failed condition', () => {
  it('uses the item that the error carries, and reads nothing', async () => {
    const { store, requests } = scripted([failure('ConditionalCheckFailedException', 400, { Item: onTheWire('a') })])
    expect(await store.put(typicalItem('a', { v: 3 }), 2)).toMatchObject({
      outcome: 'conflict',
      current: { userId: 'a', v: 1 },
    })
    expect(requests).toMatchObject([
      {
        ConditionExpression: 'v = :v',
        ExpressionAttributeValues: { ':v': { N: '2' } },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    ])
  })

  it('reads the item consistently where the error carries none', async () => {
    const { store, requests } = scripted([
      failure('ConditionalCheckFailedException'),
      { body: { Item: onTheWire('a') } },
    ])
    expect(await store.put(typicalItem('a'), undefined)).toMatchObject({
      outcome: 'conflict',
      current: { userId: 'a', v: 1 },
    })
    expect(requests).toMatchObject([{ ConditionExpression: 'attribute_not_exists(userId)' }, { ConsistentRead: true }])
  })
})

describe('errors', () => {
  const systemError = Object.assign(new Error('socket'), { code: 'ECONNRESET', syscall: 'read' })
  const timeout = Object.assign(new Error('slow'), { name: 'TimeoutError' })
  const cases: readonly (readonly [string, Answer, boolean])[] = [
    ['a throttled table', failure('ProvisionedThroughputExceededException'), true],
    ['a throttled account', failure('ThrottlingException'), true],
    ['a failing service', failure('InternalServerError', 500), true],
    ['an unnamed 503', { status: 503, body: {} }, true],
    ['a lost connection', { error: systemError }, true],
    ['no answer in time', { error: timeout }, true],
    ['a request that is not valid', failure('ValidationException'), false],
    ['a full collection', failure('ItemCollectionSizeLimitExceededException'), false],
    ['a missing permission', failure('AccessDeniedException'), false],
  ]
  it.each(cases)('of %s say whether to try again, for every operation', async (_, answer, retriable) => {
    const expected = { name: 'StoreError', retriable, code: retriable ? 'store-unavailable' : 'store-refused' }
    await expect(scripted([answer]).store.loadMany(['a'])).rejects.toMatchObject(expected)
    await expect(scripted([answer]).store.load('a')).rejects.toMatchObject(expected)
    await expect(scripted([answer]).store.put(typicalItem('a'), undefined)).rejects.toMatchObject(expected)
    await expect(scripted([answer]).store.scan(0, 1)[Symbol.asyncIterator]().next()).rejects.toMatchObject(expected)
  })

  it('ask for a consistent scan where that is wanted, and for no other', async () => {
    const { store, requests } = scripted([{ body: { Items: [] } }, { body: { Items: [] } }])
    for (const isConsistent of [false, true]) {
      await store.scan(0, 1, undefined, { isConsistent })[Symbol.asyncIterator]().next()
    }
    expect(requests).toEqual([
      { TableName: TABLE, Segment: 0, TotalSegments: 1 },
      { TableName: TABLE, Segment: 0, TotalSegments: 1, ConsistentRead: true },
    ])
  })

  it('name a table that is not there, and an address at which nothing answers', async () => {
    await expect(scripted([failure('ResourceNotFoundException')]).store.load('a')).rejects.toMatchObject({
      name: 'StoreError',
      code: 'table-missing',
      retriable: false,
    })
    const refused = Object.assign(new Error('connect ECONNREFUSED'), {
      code: 'ECONNREFUSED',
      syscall: 'connect',
      address: '127.0.0.1',
      port: 4566,
    })
    await expect(scripted([{ error: refused }]).store.load('a')).rejects.toMatchObject({
      message: 'Nothing answers at 127.0.0.1:4566',
      code: 'service-unreachable',
      retriable: true,
      cause: refused,
    })
  })

  it('never name the user', async () => {
    const error = await scripted([failure('ValidationException')])
      .store.load('secret-user')
      .catch((thrown: unknown) => thrown)
    expect(String(error)).not.toContain('secret-user')
  })
})
