// DynamoDB's wire protocol answered in memory: the SDK marshals, signs and parses as in production, and no socket is opened.
// Items are kept as the JSON text in which they came, so that the store's own share of the CPU is small.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'

export interface MemoryDynamodb extends WireStore {
  readonly client: DynamoDBClient
}

interface WireRequest {
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

const USER_ID = /"userId":\{"S":"([^"]*)"\}/

export function memoryDynamodb(): MemoryDynamodb {
  const store = wireStore()
  const handle = async (request: WireRequest): Promise<{ response: object }> => {
    const body =
      typeof request.body === 'string' ? request.body : Buffer.from(request.body as Uint8Array).toString('utf8')
    const text = store.answer(request.headers['x-amz-target'], body)
    const headers = { 'content-type': 'application/x-amz-json-1.0' }
    return { response: { statusCode: 200, reason: 'OK', headers, body: Buffer.from(text, 'utf8') } }
  }
  const client = new DynamoDBClient({
    region: 'us-east-1',
    endpoint: 'http://127.0.0.1:1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    requestHandler: { handle: handle as never, destroy: () => undefined },
  })
  return Object.assign(store, { client })
}

export interface WireStore {
  readonly calls: { get: number; batchGet: number; put: number }
  /** Item texts by user id; set it back to start again. */
  items: Map<string, string>
  /** The text of the answer to a call, by the header `x-amz-target`. */
  readonly answer: (target: string | undefined, body: string) => string
}

export function wireStore(): WireStore {
  const store: WireStore = { calls: { get: 0, batchGet: 0, put: 0 }, items: new Map(), answer }
  return store

  function answer(target: string | undefined, body: string): string {
    const operation = target?.split('.')[1]
    if (operation === 'PutItem') {
      store.calls.put++
      return put(body)
    }
    if (operation === 'GetItem') {
      store.calls.get++
      const item = store.items.get(USER_ID.exec(body)?.[1] ?? '')
      return item === undefined ? '{}' : `{"Item":${item}}`
    }
    if (operation === 'BatchGetItem') {
      store.calls.batchGet++
      const [table = ''] = /"RequestItems":\{"([^"]+)"/.exec(body)?.slice(1) ?? []
      const found = [...body.matchAll(new RegExp(USER_ID, 'g'))].flatMap(match => store.items.get(match[1] ?? '') ?? [])
      return `{"Responses":{"${table}":[${found.join(',')}]},"UnprocessedKeys":{}}`
    }
    throw new Error(`The bench's store does not know ${operation}`)
  }

  function put(body: string): string {
    const { Item } = JSON.parse(body) as { Item: { userId: { S: string } } }
    store.items.set(Item.userId.S, JSON.stringify(Item))
    return '{}'
  }
}
