// Executes the part of a plan that lives in the emulators. What exists from an earlier run with the same folder stays.
import { systemSleep } from '../src/platform/clock.ts'
import type { DeploymentPlan } from './deployment-plan.ts'
import { createTable, localDynamoDbClient } from './dynamodb-tables.ts'
import { createStream, localKinesisClient } from './kinesis-streams.ts'
import { createBucket, localS3Client } from './s3-buckets.ts'

export async function createResources(plan: DeploymentPlan, endpoint: string): Promise<void> {
  const kinesis = localKinesisClient(endpoint)
  const dynamodb = localDynamoDbClient(endpoint)
  const s3 = localS3Client(endpoint)
  try {
    await Promise.all([
      ...plan.streams.map(stream => createStream(kinesis, stream, systemSleep)),
      ...plan.tables.map(table => createTable(dynamodb, table, systemSleep)),
      ...plan.buckets.map(bucket => createBucket(s3, bucket)),
    ])
  } finally {
    for (const client of [kinesis, dynamodb, s3]) client.destroy()
  }
}
