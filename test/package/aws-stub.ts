// An AWS that has nothing and takes everything, for one function at a time: enough for a packaged handler to do its whole
// work, and a list of what it was asked for.
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
  const server = createServer((request, response) => {
    readAll(request).then(
      body => {
        const target = request.headers['x-amz-target']
        if (typeof target === 'string') {
          const parsed = JSON.parse(body.toString('utf8')) as Readonly<Record<string, unknown>>
          const name = parsed['TableName'] ?? parsed['StreamName']
          calls.push(typeof name === 'string' ? `${target} ${name}` : target)
          response.setHeader('content-type', 'application/x-amz-json-1.0')
          return response.end(JSON.stringify(answer(target, parsed)))
        }
        const path = (request.url ?? '').split('?', 1)[0] ?? ''
        calls.push(`${request.method ?? ''} ${path}`)
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

function answer(target: string, request: Readonly<Record<string, unknown>>): unknown {
  const operation = target.split('.').at(-1)
  if (operation === 'BatchGetItem') return { Responses: {}, UnprocessedKeys: {} }
  if (operation === 'Query' || operation === 'Scan') return { Items: [], Count: 0, ScannedCount: 0 }
  if (operation === 'PutRecords') {
    const records = Array.isArray(request['Records']) ? request['Records'] : []
    return {
      FailedRecordCount: 0,
      Records: records.map((_, index) => ({ SequenceNumber: String(index), ShardId: 'shardId-000000000000' })),
    }
  }
  return {}
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
