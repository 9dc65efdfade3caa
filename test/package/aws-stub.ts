// An AWS that has nothing, takes everything and gives single items and objects back: enough for a packaged handler to do its
// whole work, and a list of what it was asked for.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface AwsStub {
  readonly url: string
  /** `DynamoDB_20120810.PutItem flights-dev-users`, `PUT /bucket/key` … */
  readonly calls: string[]
  close(): Promise<void>
}

export async function startAwsStub(): Promise<AwsStub> {
  const calls: string[] = []
  const objects = new Map<string, Buffer>()
  const items = new Map<string, Attributes>()
  const server = createServer((request, response) => {
    readAll(request).then(
      body => {
        const target = request.headers['x-amz-target']
        if (typeof target === 'string') {
          const parsed = JSON.parse(body.toString('utf8')) as Readonly<Record<string, unknown>>
          const name = parsed['TableName'] ?? parsed['StreamName']
          calls.push(typeof name === 'string' ? `${target} ${name}` : target)
          response.setHeader('content-type', 'application/x-amz-json-1.0')
          return response.end(JSON.stringify(answer(target, parsed, items)))
        }
        const { pathname: path, searchParams } = new URL(request.url ?? '', 'http://aws')
        calls.push(`${request.method ?? ''} ${path}`)
        if (path.endsWith('/invocations')) return response.writeHead(202).end()
        if (searchParams.has('list-type')) return response.end(listing(path, searchParams, objects))
        if (request.method === 'PUT') {
          objects.set(path, body)
          return response.setHeader('etag', '"0"').end()
        }
        const found = objects.get(path)
        if (found !== undefined) return response.setHeader('content-length', found.length).end(found)
        response.statusCode = 404
        return response.end('<Error><Code>NoSuchKey</Code></Error>')
      },
      (error: unknown) => response.destroy(error instanceof Error ? error : undefined),
    )
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    close: () => {
      server.closeAllConnections()
      return new Promise(resolve => server.close(() => resolve()))
    },
  }
}

/** DynamoDB's own form of an item's key and of a query's values: `{ S: 'text' }`. */
type Attributes = Readonly<Record<string, { readonly S?: string } | undefined>>
type Request = Readonly<Record<string, unknown>>

function answer(target: string, request: Request, items: Map<string, Attributes>): unknown {
  const operation = target.split('.').at(-1)
  if (operation === 'GetItem') return { Item: items.get(itemKey(request, request['Key'] as Attributes)) }
  if (operation === 'PutItem') {
    const item = request['Item'] as Attributes
    items.set(itemKey(request, item), item)
    return {}
  }
  if (operation === 'BatchGetItem') return { Responses: {}, UnprocessedKeys: {} }
  if (operation === 'Query') return { Items: queried(request['ExpressionAttributeValues'] as Attributes, items) }
  if (operation === 'Scan') return { Items: [] }
  if (operation === 'PutRecords') {
    const records = Array.isArray(request['Records']) ? request['Records'] : []
    return {
      FailedRecordCount: 0,
      Records: records.map((_, index) => ({ SequenceNumber: String(index), ShardId: 'shardId-000000000000' })),
    }
  }
  return {}
}

/** All in one page, each of them old. */
function listing(bucket: string, query: URLSearchParams, objects: ReadonlyMap<string, Buffer>): string {
  const keys = [...objects.keys()].map(path => decodeURIComponent(path.slice(`${bucket.replace(/\/$/, '')}/`.length)))
  const contents = keys
    .filter(key => key.startsWith(query.get('prefix') ?? '') && key > (query.get('start-after') ?? ''))
    .map(
      key =>
        `<Contents><Key>${key}</Key><LastModified>2017-01-02T04:00:00.000Z</LastModified><Size>1</Size></Contents>`,
    )
  return `<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`
}

/** The key attributes of both tables; what an item has not stays out of the JSON. */
function itemKey({ TableName }: Request, { userId, table, sk }: Attributes): string {
  return JSON.stringify([TableName, userId?.S, table?.S, sk?.S])
}

/** Of the catalogue, whose only query is by table and the beginning of the sort key, newest first. */
function queried(values: Attributes, items: ReadonlyMap<string, Attributes>): readonly Attributes[] {
  const found = [...items.values()].filter(
    ({ table, sk }) =>
      table?.S !== undefined && table.S === values[':table']?.S && sk?.S?.startsWith(values[':prefix']?.S ?? ''),
  )
  return found.toSorted((a, b) => ((a['sk']?.S ?? '') < (b['sk']?.S ?? '') ? 1 : -1))
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
