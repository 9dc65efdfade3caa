// S3 for the local cloud: creates the template's buckets, and writes what an event source mapping gives up.
import { BucketAlreadyOwnedByYou, CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import type { BucketPlan } from './deployment-plan.ts'
import { localClientConfig } from './local-clients.ts'

export function localS3Client(endpoint: string): S3Client {
  return new S3Client({ ...localClientConfig(endpoint), forcePathStyle: true })
}

/** Leaves a bucket that is there already as it is. */
export async function createBucket(client: S3Client, { bucketName }: BucketPlan): Promise<void> {
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucketName }))
  } catch (error) {
    if (!(error instanceof BucketAlreadyOwnedByYou)) throw error
  }
}

export interface TextObject {
  readonly bucketName: string
  readonly key: string
  readonly body: string
}

export async function putObject(client: S3Client, { bucketName, key, body }: TextObject): Promise<void> {
  const content = { Body: body, ContentType: 'application/json' }
  await client.send(new PutObjectCommand({ Bucket: bucketName, Key: key, ...content }))
}
