// The users table as DynamoDB's client sees it, in memory: the real adapter runs on it. It holds what was committed, tells of every
// commit, and fails as the service does.
import { isDeepStrictEqual } from 'node:util'
import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
  ScanCommand,
} from '@aws-sdk/client-dynamodb'
import type { Attributes } from '../../src/store/dynamodb-attributes.ts'
import type { Faults } from './faults.ts'
import type { ServiceErrors, SimulatedProcess } from './process.ts'

export interface Commit {
  readonly userId: string
  readonly before: Attributes | undefined
  readonly after: Attributes
  readonly by: Caller
}

/** Who made a call, and whom it might touch when it was sent: it may arrive when its process does something else. */
export interface Caller {
  readonly name: string
  readonly scope: ReadonlySet<string> | undefined
}

export interface SimulatedUsersTable {
  readonly items: ReadonlyMap<string, Attributes>
  /** As a process sees it. */
  client(process: SimulatedProcess): DynamoDBClient
  /** Puts what is damaged, as nobody's client would. */
  damage(userId: string, attributes: Attributes): void
}

export interface UsersTableOptions {
  readonly faults: Faults
  readonly random: () => number
  readonly onCommit: (commit: Commit) => void
  readonly onRead: (userIds: readonly string[], by: Caller) => void
}

const SCAN_PAGE_ITEMS = 7

const ERRORS: ServiceErrors = {
  throttled: () => serviceError('ProvisionedThroughputExceededException', 400),
  serverError: () => serviceError('InternalServerError', 500),
  timedOut: () => Object.assign(new Error('timed out'), { name: 'TimeoutError' }),
  refused: () => Object.assign(new Error('refused'), { code: 'ECONNREFUSED', address: 'table', port: 443 }),
}

export function serviceError(name: string, httpStatusCode: number): Error {
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode } })
}

export function simulatedUsersTable(options: UsersTableOptions): SimulatedUsersTable {
  const items = new Map<string, Attributes>()
  const { faults } = options
  return {
    items,
    damage: (userId, attributes) => void items.set(userId, attributes),
    client: process => ({ send: send(process) }) as unknown as DynamoDBClient,
  }

  function send(process: SimulatedProcess) {
    return (command: unknown): Promise<unknown> => {
      const by: Caller = { name: process.name, scope: process.scope }
      if (command instanceof BatchGetItemCommand) {
        const [[table, { Keys = [] }] = ['', {}]] = Object.entries(command.input.RequestItems ?? {})
        return process.call('BatchGetItem', ERRORS, () => batchGet(table, Keys, by))
      }
      if (command instanceof GetItemCommand) {
        const userId = command.input.Key?.['userId']?.S ?? ''
        const get = () => ({ Item: found([userId], by)[0] })
        return process.call('GetItem', ERRORS, get)
      }
      if (command instanceof PutItemCommand) {
        return process.call('PutItem', ERRORS, () => put(command.input, by))
      }
      if (command instanceof ScanCommand) {
        const { Segment = 0, TotalSegments = 1, ExclusiveStartKey } = command.input
        const from = ExclusiveStartKey?.['userId']?.S
        return process.call('Scan', ERRORS, () => scan(Segment, TotalSegments, from))
      }
      throw new Error('The simulated table does not know this command')
    }
  }

  function found(userIds: readonly string[], by: Caller): readonly (Attributes | undefined)[] {
    options.onRead(userIds, by)
    return userIds.map(userId => items.get(userId))
  }

  function batchGet(table: string, keys: readonly Attributes[], by: Caller) {
    const left = faults.fires('unprocessed keys', 4) ? keys.filter(() => options.random() < 0.5) : []
    const asked = keys.filter(key => !left.includes(key)).map(key => key['userId']?.S ?? '')
    const unprocessed = left.length === 0 ? {} : { [table]: { Keys: left } }
    return { Responses: { [table]: found(asked, by).filter(isThere) }, UnprocessedKeys: unprocessed }
  }

  /** The condition is read and not parsed: these two are all that the adapter knows, and another one must fail here. */
  function put(input: PutItemCommandInput, by: Caller): object {
    const item = input.Item ?? {}
    const userId = item['userId']?.S ?? ''
    const before = items.get(userId)
    if (!holds(input, before)) {
      const isTold =
        input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' && !faults.fires('condition without item', 8)
      throw new ConditionalCheckFailedException({
        message: 'The conditional request failed',
        $metadata: { httpStatusCode: 400 },
        ...(isTold && before !== undefined ? { Item: before } : {}),
      })
    }
    items.set(userId, item)
    options.onCommit({ userId, before, after: item, by })
    return {}
  }

  function scan(segment: number, segments: number, from: string | undefined): object {
    const mine = [...items.keys()].sort().filter(userId => userId.charCodeAt(userId.length - 1) % segments === segment)
    const rest = mine.filter(userId => from === undefined || userId > from)
    const page = rest.slice(0, SCAN_PAGE_ITEMS)
    const last = page.at(-1)
    const isMore = rest.length > page.length && last !== undefined
    return {
      Items: page.map(userId => items.get(userId)),
      ...(isMore ? { LastEvaluatedKey: { userId: { S: last } } } : {}),
    }
  }
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined
}

/** Conjunctions of `v = :v`, `attribute_exists(x)`, `attribute_not_exists(x)` and `attribute_type(x, :t)`; without a condition all holds. */
function holds(input: PutItemCommandInput, item: Attributes | undefined): boolean {
  const { ConditionExpression, ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} } = input
  if (ConditionExpression === undefined) return true
  return ConditionExpression.split(' AND ').every(term => {
    const [, call, name = '', value = ''] = /^(attribute_\w+)\(([\w#]+)(?:, (:\w+))?\)$/.exec(term) ?? []
    const attribute = item?.[names[name] ?? name]
    if (call === 'attribute_not_exists') return attribute === undefined
    if (call === 'attribute_exists') return attribute !== undefined
    if (call === 'attribute_type') return attribute !== undefined && (values[value]?.S ?? '') in attribute
    const [, left, right] = /^([\w#]+) = (:\w+)$/.exec(term) ?? []
    if (left === undefined || right === undefined) throw new Error(`The simulated table cannot read ${term}`)
    const found = item?.[names[left] ?? left]
    return found !== undefined && isDeepStrictEqual(plain(found), plain(values[right]))
  })
}

/** Bytes as such, whatever kind of array they are in. */
function plain(value: AttributeValue | undefined): unknown {
  return value?.B === undefined ? value : Buffer.from(value.B).toString('base64')
}
