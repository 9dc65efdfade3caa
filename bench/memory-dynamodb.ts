// DynamoDB's wire protocol answered in memory: the SDK marshals, signs and parses as in production, and no socket is opened.
// Items are kept as the JSON text in which they came, so that the store's own share of the CPU is small.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'

export interface MemoryDynamodb {
  readonly client: DynamoDBClient
  readonly calls: { get: number; batchGet: number; put: number }
  /** Item texts by user id; set it back to start again. */
  items: Map<string, string>
}

interface WireRequest {
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

const USER_ID = /"userId":\{"S":"([^"]*)"\}/

export function memoryDynamodb(): MemoryDynamodb {
  const calls = { get: 0, batchGet: 0, put: 0 }
  const handle = async (request: WireRequest): Promise<{ response: object }> => {
    const operation = (request.headers['x-amz-target'] ?? '').split('.')[1]
    const body =
      typeof request.body === 'string' ? request.body : Buffer.from(request.body as Uint8Array).toString('utf8')
    const text = answer(operation, body)
    const headers = { 'content-type': 'application/x-amz-json-1.0' }
    return { response: { statusCode: 200, reason: 'OK', headers, body: Buffer.from(text, 'utf8') } }
  }
  const result: MemoryDynamodb = {
    client: new DynamoDBClient({
      region: 'us-east-1',
      endpoint: 'http://127.0.0.1:1',
      credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
      requestHandler: { handle: handle as never, destroy: () => undefined },
    }),
    calls,
    items: new Map(),
  }
  return result

  function answer(operation: string | undefined, body: string): string {
    if (operation === 'PutItem') {
      calls.put++
      return put(body)
    }
    if (operation === 'GetItem') {
      calls.get++
      const item = result.items.get(USER_ID.exec(body)?.[1] ?? '')
      return item === undefined ? '{}' : `{"Item":${item}}`
    }
    if (operation === 'BatchGetItem') {
      calls.batchGet++
      const [table = ''] = /"RequestItems":\{"([^"]+)"/.exec(body)?.slice(1) ?? []
      const found = [...body.matchAll(new RegExp(USER_ID, 'g'))].flatMap(
        match => result.items.get(match[1] ?? '') ?? [],
      )
      return `{"Responses":{"${table}":[${found.join(',')}]},"UnprocessedKeys":{}}`
    }
    throw new Error(`The bench's store does not know ${operation}`)
  }

  function put(body: string): string {
    const { Item } = JSON.parse(body) as { Item: { userId: { S: string } } }
    result.items.set(Item.userId.S, JSON.stringify(Item))
    return '{}'
  }
}
