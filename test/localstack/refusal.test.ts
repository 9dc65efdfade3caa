import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { expect, it } from 'vitest'
import { openEndpoint } from '../../localstack/endpoint.ts'
import type { Refusal } from '../../localstack/refusal.ts'
import { clientOptions } from '../../src/compose/clients.ts'

it('is the error that the SDK knows, of the calls that are refused and of no other', async () => {
  const endpoint = await openEndpoint({ port: 0, isFallbackAllowed: true })
  let refusal: Refusal | undefined = { code: 'AccessDeniedException', message: 'not you' }
  const asked: string[] = []
  const never = async (): Promise<never> => Promise.reject(new Error('Nobody asks for it'))
  endpoint.serve({
    emulators: {
      kinesis: () => undefined,
      s3: () => undefined,
      dynamodb: (_request, response) => void response.end('{"Item":{"userId":{"S":"ana"}}}'),
      hasObject: async () => false,
      stop: async () => undefined,
    },
    lambda: never,
    cloudwatch: never,
    httpApi: never,
    local: never,
    onKinesis: () => undefined,
    refuse: (target, body) => {
      asked.push(target)
      return body.includes('"users"') ? refusal : undefined
    },
    log: () => undefined,
  })
  const client = new DynamoDBClient({ ...clientOptions({ AWS_ENDPOINT_URL: endpoint.url }), maxAttempts: 1 })
  const get = (TableName: string) => client.send(new GetItemCommand({ TableName, Key: { userId: { S: 'ana' } } }))
  try {
    await expect(get('users')).rejects.toMatchObject({ name: 'AccessDeniedException', message: 'not you' })
    expect((await get('catalog')).Item).toEqual({ userId: { S: 'ana' } })
    refusal = { code: 'ProvisionedThroughputExceededException', message: 'slower' }
    await expect(get('users')).rejects.toMatchObject({ name: 'ProvisionedThroughputExceededException' })
    refusal = undefined
    expect((await get('users')).Item).toEqual({ userId: { S: 'ana' } })
    expect(new Set(asked)).toEqual(new Set(['DynamoDB_20120810.GetItem']))
  } finally {
    client.destroy()
    await endpoint.stop()
  }
})
