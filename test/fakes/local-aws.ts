// DynamoDB, S3 and Kinesis of the local cloud behind one endpoint, with nothing deployed: create-if-absent is enforced there,
// which the emulators alone do not.
import { CreateBucketCommand } from '@aws-sdk/client-s3'
import { CreateTableCommand } from '@aws-sdk/client-dynamodb'
import { CreateStreamCommand, waitUntilStreamExists } from '@aws-sdk/client-kinesis'
import { startEmulators } from '../../localstack/emulators.ts'
import { openEndpoint } from '../../localstack/endpoint.ts'
import { type AwsClients, awsClients } from '../../src/compose/clients.ts'
import type { ResourceNames } from '../../src/compose/resource-names.ts'
import { createCatalogTable } from './dynalite-catalog.ts'

export interface LocalAws {
  /** What a command needs in its environment. */
  readonly env: Readonly<Record<string, string>>
  readonly clients: AwsClients
  readonly createCatalogTable: (name: string) => Promise<void>
  /** Its table and its bucket. */
  readonly createCatalog: (names: Pick<ResourceNames, 'catalogTable' | 'catalogBucket'>) => Promise<void>
  readonly createUsersTable: (name: string) => Promise<void>
  readonly createStream: (name: string) => Promise<void>
  readonly createBucket: (name: string) => Promise<void>
  readonly stop: () => Promise<void>
}

export async function startLocalAws(): Promise<LocalAws> {
  const [endpoint, emulators] = await Promise.all([
    openEndpoint({ port: 0, isFallbackAllowed: false }),
    startEmulators(),
  ])
  const nothing = () => Promise.reject(new Error('Nothing is deployed here'))
  endpoint.serve({
    emulators,
    lambda: nothing,
    httpApi: nothing,
    local: nothing,
    onKinesis: () => undefined,
    cloudwatch: nothing,
    log: line => process.stderr.write(`${line}\n`),
  })
  const env = { AWS_ENDPOINT_URL: endpoint.url }
  const clients = awsClients(env)
  return {
    env,
    clients,
    createCatalogTable: name => createCatalogTable(clients.dynamodb, name),
    async createCatalog({ catalogTable, catalogBucket }) {
      await createCatalogTable(clients.dynamodb, catalogTable)
      await clients.s3.send(new CreateBucketCommand({ Bucket: catalogBucket }))
    },
    async createUsersTable(name) {
      await clients.dynamodb.send(
        new CreateTableCommand({
          TableName: name,
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: [{ AttributeName: 'userId', AttributeType: 'S' }],
          KeySchema: [{ AttributeName: 'userId', KeyType: 'HASH' }],
        }),
      )
    },
    async createStream(name) {
      await clients.kinesis.send(new CreateStreamCommand({ StreamName: name, ShardCount: 1 }))
      await waitUntilStreamExists(
        { client: clients.kinesis, maxWaitTime: 20, minDelay: 0.1, maxDelay: 0.5 },
        { StreamName: name },
      )
    },
    async createBucket(name) {
      await clients.s3.send(new CreateBucketCommand({ Bucket: name }))
    },
    async stop() {
      clients.destroy()
      await endpoint.stop()
      await emulators.stop()
    },
  }
}
