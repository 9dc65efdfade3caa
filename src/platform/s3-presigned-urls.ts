// URLs that let whoever has one get or put one object for a while, signed with this process's own rights: nothing is asked for them.
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { ObjectUrls } from './object-urls.ts'

export interface S3PresignedUrlsOptions {
  readonly client: S3Client
  readonly bucket: string
}

export function s3PresignedUrls({ client, bucket }: S3PresignedUrlsOptions): ObjectUrls {
  return {
    get: (key, expiresInSeconds) =>
      getSignedUrl(client, new GetObjectCommand({ Bucket: bucket, Key: key }), { expiresIn: expiresInSeconds }),
    create: async (key, { contentType, bytes, sha256 }, expiresInSeconds) => {
      const checksum = Buffer.from(sha256, 'hex').toString('base64')
      const headers = {
        'content-length': String(bytes),
        'content-type': contentType,
        'if-none-match': '*',
        'x-amz-checksum-sha256': checksum,
      }
      const command = new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        ContentLength: bytes,
        ContentType: contentType,
        IfNoneMatch: '*',
        ChecksumSHA256: checksum,
      })
      // As headers, so that nobody can leave one of them out: S3 refuses a request without what was signed.
      const names = new Set(Object.keys(headers))
      const url = await getSignedUrl(client, command, {
        expiresIn: expiresInSeconds,
        signableHeaders: names,
        unhoistableHeaders: names,
      })
      return { url, headers }
    },
  }
}
