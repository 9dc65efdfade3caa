// What a TransactWriteItems asks for, as far as the local cloud does it. What it does not do it refuses by name, as a request that
// DynamoDB does not accept.

export interface TransactionAction {
  readonly kind: 'Put' | 'Update' | 'Delete' | 'ConditionCheck'
  readonly tableName: string
  /** The call of one item that does it. */
  readonly call: Readonly<Record<string, unknown>>
  /** Whether a failed condition is answered with the item that failed it. */
  readonly wantsOld: boolean
}

export interface TransactionRequest {
  readonly actions: readonly TransactionAction[]
  readonly token: string | undefined
}

/** Amazon DynamoDB API reference, "TransactWriteItems". */
const ACTIONS_MAX = 100
const TOKEN_CHARACTERS_MAX = 36

const EXPRESSION = ['ConditionExpression', 'ExpressionAttributeNames', 'ExpressionAttributeValues']
const MEMBERS: Readonly<Record<TransactionAction['kind'], ReadonlySet<string>>> = {
  Put: new Set(['TableName', 'Item', ...EXPRESSION]),
  Update: new Set(['TableName', 'Key', 'UpdateExpression', ...EXPRESSION]),
  Delete: new Set(['TableName', 'Key', ...EXPRESSION]),
  ConditionCheck: new Set(['TableName', 'Key', ...EXPRESSION]),
}
const WANTS_OLD = 'ReturnValuesOnConditionCheckFailure'

type Json = Readonly<Record<string, unknown>>

/** The text: why it is refused. */
export function readTransaction(body: string): TransactionRequest | string {
  const parsed = parse(body)
  if (parsed === undefined) return 'The request is no JSON object'
  const { TransactItems: items, ClientRequestToken: token, ...more } = parsed
  const other = Object.entries(more).find(([, value]) => value !== 'NONE')
  if (other !== undefined) return `The local cloud does not take ${other[0]} in a transaction`
  if (token !== undefined && (typeof token !== 'string' || token === '' || token.length > TOKEN_CHARACTERS_MAX)) {
    return `ClientRequestToken has 1 to ${TOKEN_CHARACTERS_MAX} characters`
  }
  if (!Array.isArray(items) || items.length === 0 || items.length > ACTIONS_MAX) {
    return `Member must have length less than or equal to ${ACTIONS_MAX} and greater than or equal to 1: transactItems`
  }
  const actions = items.map(readAction)
  const refused = actions.find(action => typeof action === 'string')
  if (refused !== undefined) return refused
  return { actions: actions.filter(action => typeof action !== 'string'), token }
}

function readAction(item: unknown): TransactionAction | string {
  const [named, ...more] = isObject(item) ? Object.entries(item) : []
  if (named === undefined || more.length > 0)
    return 'TransactItems can only contain one of Check, Put, Update or Delete'
  const [kind, action] = named
  if (!isKind(kind) || !isObject(action)) return `The local cloud has no ${kind} in a transaction`
  const { [WANTS_OLD]: old = 'NONE', ...call } = action
  const unknown = Object.keys(call).find(member => !MEMBERS[kind].has(member))
  if (unknown !== undefined) return `The local cloud does not take ${unknown} in a ${kind} of a transaction`
  if (old !== 'NONE' && old !== 'ALL_OLD') return `${WANTS_OLD} is NONE or ALL_OLD`
  if (typeof call['TableName'] !== 'string') return `A ${kind} names no table`
  const required = kind === 'Put' ? 'Item' : 'Key'
  if (!isObject(call[required])) return `A ${kind} has no ${required}`
  if (kind === 'Update' && call['UpdateExpression'] === undefined) return 'An Update has no UpdateExpression'
  if (kind === 'ConditionCheck' && call['ConditionExpression'] === undefined) {
    return 'A ConditionCheck has no ConditionExpression'
  }
  return { kind, tableName: call['TableName'], call, wantsOld: old === 'ALL_OLD' }
}

function parse(body: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isKind(name: string): name is TransactionAction['kind'] {
  return Object.hasOwn(MEMBERS, name)
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
