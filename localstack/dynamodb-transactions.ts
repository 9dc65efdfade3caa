// DynamoDB's TransactWriteItems, which dynalite does not have. A transaction has dynalite for itself: its writes are made one by one
// with their conditions, and where one fails the others are taken back before anybody else may look.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createHash } from 'node:crypto'
import type { Clock } from '../src/platform/clock.ts'
import { callEmulator, type EmulatorAnswer, type HandleRequest, whenAnswered } from './emulator-call.ts'
import { readTransaction, type TransactionAction, type TransactionRequest } from './transaction-request.ts'
import { turns } from './turns.ts'

const TARGET_PREFIX = 'DynamoDB_20120810.'
const TRANSACT_WRITE_ITEMS = `${TARGET_PREFIX}TransactWriteItems`
/** As long as DynamoDB knows a token (Amazon DynamoDB API reference, "TransactWriteItems"). */
const TOKEN_KNOWN_MS = 10 * 60 * 1000

type DynamodbHandler = (request: IncomingMessage, body: Buffer, response: ServerResponse) => Promise<void>
type Call = (operation: string, payload: object) => Promise<EmulatorAnswer>
type Attributes = Readonly<Record<string, unknown>>

/** Takes every request of DynamoDB: nothing may slip in between what a transaction checks and what it writes. */
export function dynamodbTransactions(dynamodb: HandleRequest, clock: Clock): DynamodbHandler {
  const { together, alone } = turns()
  const done = knownTokens(clock)
  return async (request, body, response) => {
    if (request.headers['x-amz-target'] !== TRANSACT_WRITE_ITEMS) {
      return together(() => whenAnswered(dynamodb, request, body, response))
    }
    const asked = readTransaction(body.toString())
    if (typeof asked === 'string') return send(response, refusal('ValidationException', asked))
    const call: Call = (operation, payload) =>
      callEmulator(dynamodb, request, { target: `${TARGET_PREFIX}${operation}`, payload })
    return send(response, await alone(() => once(done, asked, () => transact(call, asked.actions))))
  }
}

async function once(
  done: ReturnType<typeof knownTokens>,
  { token, actions }: TransactionRequest,
  work: () => Promise<EmulatorAnswer>,
): Promise<EmulatorAnswer> {
  if (token === undefined) return work()
  const before = done.find(token)
  const digest = createHash('sha256').update(JSON.stringify(actions)).digest('hex')
  if (before === digest) return { status: 200, body: {} }
  if (before !== undefined) {
    return refusal('IdempotentParameterMismatchException', 'The token was used for another transaction')
  }
  const answer = await work()
  if (answer.status === 200) done.add(token, digest)
  return answer
}

/** What a transaction that was done has asked for, by its token. */
function knownTokens(clock: Clock) {
  const tokens = new Map<string, { readonly digest: string; readonly at: number }>()
  const forgetOld = (): void => {
    for (const [token, { at }] of tokens) {
      if (clock() - at < TOKEN_KNOWN_MS) return
      tokens.delete(token)
    }
  }
  return {
    find: (token: string): string | undefined => {
      forgetOld()
      return tokens.get(token)?.digest
    },
    add: (token: string, digest: string): void => void tokens.set(token, { digest, at: clock() }),
  }
}

/** An action with the item that it is about, as it is before. */
interface Target extends TransactionAction {
  readonly key: Attributes
  readonly old: Attributes | undefined
}

async function transact(call: Call, actions: readonly TransactionAction[]): Promise<EmulatorAnswer> {
  const found = await findTargets(call, actions)
  if (!isTargets(found)) return found
  const answers = await Promise.all(found.map(target => call(OPERATIONS[target.kind], target.call)))
  const isDone = answers.every(({ status }) => status === 200)
  await Promise.all(
    found.map(async (target, index) => {
      const isWritten = answers[index]?.status === 200
      if (isWritten && (!isDone || target.kind === 'ConditionCheck')) await takeBack(call, target)
    }),
  )
  if (isDone) return { status: 200, body: {} }
  return answers.find(answer => answer.status !== 200 && !isConditionFailed(answer)) ?? cancelled(found, answers)
}

/** An update without an expression checks its condition, and makes an empty item where there was none: that is taken back. */
const OPERATIONS: Readonly<Record<TransactionAction['kind'], string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'UpdateItem',
}

function isTargets(found: readonly Target[] | EmulatorAnswer): found is readonly Target[] {
  return Array.isArray(found)
}

/** Or why not: a table that is not there, a key that is none, an item twice. */
async function findTargets(
  call: Call,
  actions: readonly TransactionAction[],
): Promise<readonly Target[] | EmulatorAnswer> {
  const keyNames = new Map<string, readonly string[]>()
  for (const tableName of new Set(actions.map(action => action.tableName))) {
    const { status, body } = await call('DescribeTable', { TableName: tableName })
    if (status !== 200) return { status, body }
    const { Table } = body as { Table: { KeySchema: readonly { AttributeName: string }[] } }
    keyNames.set(
      tableName,
      Table.KeySchema.map(element => element.AttributeName),
    )
  }
  const targets: Target[] = []
  const identities = new Set<string>()
  for (const action of actions) {
    const { tableName, call: payload } = action
    const named = (payload['Key'] ?? payload['Item']) as Attributes
    const names = action.kind === 'Put' ? (keyNames.get(tableName) ?? []) : Object.keys(named).sort()
    const key = Object.fromEntries(names.map(name => [name, named[name]]))
    identities.add(JSON.stringify([tableName, Object.entries(key).sort(([a], [b]) => (a < b ? -1 : 1))]))
    const got = await call('GetItem', { TableName: tableName, Key: key, ConsistentRead: true })
    if (got.status !== 200) return got
    targets.push({ ...action, key, old: (got.body as { Item?: Attributes }).Item })
  }
  if (identities.size === targets.length) return targets
  return refusal('ValidationException', 'Transaction request cannot include multiple operations on one item')
}

async function takeBack(call: Call, { tableName, key, old }: Target): Promise<void> {
  const { status, body } =
    old === undefined
      ? await call('DeleteItem', { TableName: tableName, Key: key })
      : await call('PutItem', { TableName: tableName, Item: old })
  if (status !== 200) throw new Error(`A write of a transaction could not be taken back: ${JSON.stringify(body)}`)
}

function isConditionFailed({ status, body }: EmulatorAnswer): boolean {
  return status === 400 && String(body['__type']).endsWith('#ConditionalCheckFailedException')
}

function cancelled(targets: readonly Target[], answers: readonly EmulatorAnswer[]): EmulatorAnswer {
  const reasons = targets.map(({ wantsOld, old }, index) => {
    if (answers[index]?.status === 200) return { Code: 'None' }
    const reason = { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed' }
    return wantsOld && old !== undefined ? { ...reason, Item: old } : reason
  })
  const codes = reasons.map(reason => reason.Code).join(', ')
  const message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`
  const { status, body } = refusal('TransactionCanceledException', message)
  return { status, body: { ...body, Message: message, CancellationReasons: reasons } }
}

function refusal(code: string, message: string): EmulatorAnswer {
  const prefix = code === 'ValidationException' ? 'com.amazon.coral.validate' : 'com.amazonaws.dynamodb.v20120810'
  return { status: 400, body: { __type: `${prefix}#${code}`, message } }
}

function send(response: ServerResponse, { status, body }: EmulatorAnswer): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.0',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}
