// TransactWriteItems of the local cloud, by the SDK's own client, as AWS documents it.
import {
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  type TransactWriteItemsCommandInput,
} from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type LocalAws, startLocalAws } from '../fakes/local-aws.ts'

let aws: LocalAws
let run = 0
let partition = ''
beforeAll(async () => {
  aws = await startLocalAws()
  await aws.createCatalogTable('catalog')
})
afterAll(() => aws.stop())
beforeEach(() => {
  partition = `shop.run${++run}`
})

const key = (sk: string) => ({ table: { S: partition }, sk: { S: sk } })
const put = (sk: string, n: number, condition?: string): TransactWriteItem => ({
  Put: {
    TableName: 'catalog',
    Item: { ...key(sk), n: { N: String(n) } },
    ...(condition === undefined ? {} : { ConditionExpression: condition }),
  },
})
const transact = (items: TransactWriteItem[], more: Partial<TransactWriteItemsCommandInput> = {}) =>
  aws.clients.dynamodb.send(new TransactWriteItemsCommand({ TransactItems: items, ...more }))

async function stored(): Promise<Record<string, string>> {
  const { Items = [] } = await aws.clients.dynamodb.send(
    new ScanCommand({
      TableName: 'catalog',
      ConsistentRead: true,
      FilterExpression: '#table = :table',
      ExpressionAttributeNames: { '#table': 'table' },
      ExpressionAttributeValues: { ':table': { S: partition } },
    }),
  )
  return Object.fromEntries(Items.map(item => [item['sk']?.S ?? '', item['n']?.N ?? 'none']))
}

it('writes all of several items', async () => {
  await transact([put('a', 1, 'attribute_not_exists(sk)'), put('b', 2)])
  expect(await stored()).toEqual({ a: '1', b: '2' })
})

it('writes none where one condition fails, puts back what was there, and says which failed', async () => {
  await transact([put('a', 1), put('b', 2)])
  const failing = transact([
    put('new', 3),
    put('a', 4),
    {
      Put: {
        ...put('b', 5, 'attribute_not_exists(sk)').Put,
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      } as TransactWriteItem['Put'],
    },
    { Delete: { TableName: 'catalog', Key: key('never'), ConditionExpression: 'attribute_exists(sk)' } },
  ])
  const reasons = [
    { Code: 'None' },
    { Code: 'None' },
    { Code: 'ConditionalCheckFailed', Item: { ...key('b'), n: { N: '2' } } },
    { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed' },
  ]
  await expect(failing).rejects.toMatchObject({
    name: 'TransactionCanceledException',
    message: expect.stringContaining('[None, None, ConditionalCheckFailed, ConditionalCheckFailed]'),
    CancellationReasons: reasons,
  })
  expect(await stored()).toEqual({ a: '1', b: '2' })
})

it('updates, deletes and checks beside a put, all of them or none', async () => {
  await transact([put('a', 1), put('b', 2), put('c', 3)])
  const mixed = (expected: string): TransactWriteItem[] => [
    {
      Update: {
        TableName: 'catalog',
        Key: key('a'),
        UpdateExpression: 'SET n = n + :one',
        ExpressionAttributeValues: { ':one': { N: '1' } },
      },
    },
    { Delete: { TableName: 'catalog', Key: key('b') } },
    {
      ConditionCheck: {
        TableName: 'catalog',
        Key: key('c'),
        ConditionExpression: '#n = :n',
        ExpressionAttributeNames: { '#n': 'n' },
        ExpressionAttributeValues: { ':n': { N: expected } },
      },
    },
    {
      ConditionCheck: { TableName: 'catalog', Key: key('never'), ConditionExpression: 'attribute_not_exists(sk)' },
    },
    put('d', 4),
  ]
  await expect(transact(mixed('4'))).rejects.toMatchObject({ name: 'TransactionCanceledException' })
  expect(await stored()).toEqual({ a: '1', b: '2', c: '3' })
  await transact(mixed('3'))
  expect(await stored()).toEqual({ a: '2', c: '3', d: '4' })
})

it('does a transaction once whose token comes again, and refuses the token of another', async () => {
  const increment = (by: string): TransactWriteItem[] => [
    {
      Update: {
        TableName: 'catalog',
        Key: key('a'),
        UpdateExpression: 'ADD n :by',
        ExpressionAttributeValues: { ':by': { N: by } },
      },
    },
  ]
  const ClientRequestToken = `token-${partition}`
  await Promise.all([1, 2, 3].map(() => transact(increment('1'), { ClientRequestToken })))
  expect(await stored()).toEqual({ a: '1' })
  await expect(transact(increment('2'), { ClientRequestToken })).rejects.toMatchObject({
    name: 'IdempotentParameterMismatchException',
  })
  await transact(increment('1'))
  expect(await stored()).toEqual({ a: '2' })
})

it('lets a token that failed be used again', async () => {
  const ClientRequestToken = `token-${partition}`
  await transact([put('a', 1)])
  const second = [put('a', 2, 'attribute_not_exists(sk)')]
  await expect(transact(second, { ClientRequestToken })).rejects.toMatchObject({ name: 'TransactionCanceledException' })
  await aws.clients.dynamodb.send(new PutItemCommand({ TableName: 'catalog', Item: { ...key('b'), n: { N: '1' } } }))
  await expect(transact(second, { ClientRequestToken })).rejects.toMatchObject({ name: 'TransactionCanceledException' })
  await transact([put('c', 2)], { ClientRequestToken })
  expect(await stored()).toEqual({ a: '1', b: '1', c: '2' })
})

it.each<[string, () => Promise<unknown>, string]>([
  ['an item twice', () => transact([put('a', 1), put('a', 2)]), 'multiple operations on one item'],
  ['101 actions', () => transact(Array.from({ length: 101 }, (_, n) => put(`sk${n}`, n))), 'less than or equal to 100'],
  ['no action', () => transact([]), 'greater than or equal to 1'],
  ['two actions in one', () => transact([{ ...put('a', 1), Delete: { TableName: 'catalog', Key: key('b') } }]), 'only'],
  ['a wish for capacity', () => transact([put('a', 1)], { ReturnConsumedCapacity: 'TOTAL' }), 'ReturnConsumedCapacity'],
  ['a broken condition', () => transact([put('b', 1), put('a', 1, 'nonsense(')]), 'ConditionExpression'],
])('refuses %s and writes nothing', async (_what, attempt, text) => {
  await expect(attempt()).rejects.toMatchObject({
    name: 'ValidationException',
    message: expect.stringContaining(text),
  })
  expect(await stored()).toEqual({})
})

it('says that a table is not there', async () => {
  const elsewhere = { Put: { TableName: 'elsewhere', Item: key('a') } }
  await expect(transact([put('a', 1), elsewhere])).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  expect(await stored()).toEqual({})
})

it('lets nobody see or write between: racing transactions and single writes leave one order', async () => {
  const client = aws.clients.dynamodb
  const transfers = Array.from({ length: 12 }, (_, n) =>
    transact([
      put('a', n),
      put('b', n),
      put('c', n, n % 3 === 0 ? 'attribute_exists(never)' : 'attribute_not_exists(never)'),
    ]).then(
      () => n,
      () => undefined,
    ),
  )
  let isDone = false
  const seen: (string | undefined)[][] = []
  const read = async (sk: string) =>
    (await client.send(new GetItemCommand({ TableName: 'catalog', Key: key(sk), ConsistentRead: true }))).Item?.['n']?.N
  const reading = (async () => {
    while (!isDone) seen.push([await read('a'), await read('b')])
  })()
  const claims = Array.from({ length: 6 }, (_, n) =>
    client
      .send(
        new PutItemCommand({
          TableName: 'catalog',
          Item: { ...key('c'), n: { N: String(100 + n) } },
          ConditionExpression: 'attribute_not_exists(sk)',
        }),
      )
      .then(
        () => n,
        () => undefined,
      ),
  )
  const outcomes = await Promise.all(transfers)
  const claimed = (await Promise.all(claims)).filter(n => n !== undefined)
  isDone = true
  await reading
  const { a, b, c } = await stored()
  expect(b).toBe(a)
  expect(c).toBe(a)
  expect(outcomes.filter(n => n !== undefined)).toHaveLength(8)
  expect(claimed.length).toBeLessThanOrEqual(1)
  // A failed one put 0, 3, 6 or 9 and took it back: nobody saw that.
  for (const pair of seen) for (const n of pair) expect(Number(n ?? 1) % 3).not.toBe(0)
})
