// Objects taken away on Amazon S3, for the few verbs that may. It is not part of the object store, and only the command line has it.
import { DeleteObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import type { ObjectRemover } from './object-store.ts'
import { asObjectStoreError } from './s3-object-store.ts'

export interface S3ObjectRemoverOptions {
  readonly client: S3Client
  readonly bucket: string
}

export function s3ObjectRemover({ client, bucket }: S3ObjectRemoverOptions): ObjectRemover {
  return {
    remove: async key => {
      try {
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))
      } catch (error) {
        throw asObjectStoreError(error, 'remove', bucket, key)
      }
    },
  }
}
