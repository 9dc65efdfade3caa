// One table of DynamoDB behind a real socket, for what happens on the wire: an answer that never comes, one that is lost after the
// effect, keys left out of an answer, a failed condition that carries no item. It knows three calls of the user store, keeps items
// as they came, and is to other services than DynamoDB one that hangs.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface WireCall {
  readonly operation: 'BatchGetItem' | 'GetItem' | 'PutItem'
  readonly userIds: readonly string[]
  /** 1 for the first of any kind; tries of the SDK count. */
  readonly number: number
}

export type WireFault =
  /** The connection stays open and silent; with the effect, or without. */
  | 'hang'
  | 'apply-and-hang'
  /** The connection breaks after the effect. */
  | 'apply-and-drop'
  | 'throttle'
  /** All keys but the first are left out of the answer; `leave-all`: every one. */
  | 'leave-some'
  | 'leave-all'

export interface HttpDynamodb {
  readonly endpoint: string
  readonly calls: WireCall[]
  /** Asked at each call. */
  fault: ((call: WireCall) => WireFault | undefined) | undefined
  /** Whether a failed condition carries the item, as DynamoDB's does and emulators' do not. */
  sendsItem: boolean
  stop(): Promise<void>
}

type WireItem = Readonly<Record<string, { readonly S?: string; readonly N?: string } | undefined>>

interface Request {
  readonly operation: WireCall['operation']
  readonly body: {
    readonly RequestItems?: Readonly<Record<string, { readonly Keys: readonly WireItem[] }>>
    readonly Key?: WireItem
    readonly Item?: WireItem
    readonly ExpressionAttributeValues?: WireItem
  }
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

export async function startHttpDynamodb(): Promise<HttpDynamodb> {
  const items = new Map<string, WireItem>()
  const fake: Omit<HttpDynamodb, 'endpoint' | 'stop'> = { calls: [], fault: undefined, sendsItem: true }
  const server = createServer((message, response) => {
    void readRequest(message).then(request => request && respond(request, response))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  function respond(request: Request, response: ServerResponse): void {
    const call = { operation: request.operation, userIds: userIdsOf(request), number: fake.calls.length + 1 }
    fake.calls.push(call)
    const fault = fake.fault?.(call)
    if (fault === 'hang') return
    if (fault === 'throttle') {
      send(response, failure('ProvisionedThroughputExceededException'))
      return
    }
    const answer = apply(request, fault)
    if (fault === 'apply-and-hang') return
    if (fault === 'apply-and-drop') response.socket?.destroy()
    else send(response, answer)
  }

  function apply({ operation, body }: Request, fault: WireFault | undefined): Answer {
    if (operation === 'GetItem') return { status: 200, body: { Item: items.get(keyOf(body.Key)) } }
    if (operation === 'PutItem') return put(body)
    const [asked] = Object.entries(body.RequestItems ?? {})
    if (asked === undefined) return failure('ValidationException')
    const [table, { Keys }] = asked
    const answered = fault === 'leave-all' ? 0 : fault === 'leave-some' ? 1 : Keys.length
    const found = Keys.slice(0, answered).flatMap(key => items.get(keyOf(key)) ?? [])
    const left = Keys.slice(answered)
    const UnprocessedKeys = left.length === 0 ? {} : { [table]: { Keys: left, ConsistentRead: true } }
    return { status: 200, body: { Responses: { [table]: found }, UnprocessedKeys } }
  }

  function put({ Item, ExpressionAttributeValues }: Request['body']): Answer {
    const current = items.get(keyOf(Item))
    if (Item === undefined || current?.['v']?.N !== ExpressionAttributeValues?.[':v']?.N) {
      return failure('ConditionalCheckFailedException', fake.sendsItem ? { Item: current } : {})
    }
    items.set(keyOf(Item), Item)
    return { status: 200, body: {} }
  }

  return Object.assign(fake, {
    endpoint: `http://127.0.0.1:${port}`,
    stop: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  })
}

async function readRequest(message: IncomingMessage): Promise<Request | undefined> {
  const target = message.headers['x-amz-target']
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  if (typeof target !== 'string') return undefined
  const operation = target.split('.')[1] as WireCall['operation']
  return { operation, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) as Request['body'] }
}

function userIdsOf({ body }: Request): string[] {
  const keys = Object.values(body.RequestItems ?? {}).flatMap(({ Keys }) => Keys)
  return [...keys, body.Key, body.Item].flatMap(item => item?.['userId']?.S ?? [])
}

function keyOf(item: WireItem | undefined): string {
  return item?.['userId']?.S ?? ''
}

function failure(name: string, more: object = {}): Answer {
  return { status: 400, body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'as asked', ...more } }
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' })
  response.end(JSON.stringify(body))
}
