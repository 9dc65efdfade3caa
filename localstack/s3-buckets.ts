// S3 for the local cloud: creates the template's buckets.
import { BucketAlreadyOwnedByYou, CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
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
