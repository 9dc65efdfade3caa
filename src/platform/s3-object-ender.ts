// Objects that go with all that a bucket with versions keeps of them, for what must not be found any more. The version that readers see goes
// last, so that who is stopped half way finds the object in the listing again.
import {
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3'
import { ObjectStoreError } from './errors.ts'
import type { EndedObjects, ObjectEnder } from './object-store.ts'
import { asObjectStoreError } from './s3-object-store.ts'
import { readServiceFailure } from './service-failure.ts'

export interface S3ObjectEnderOptions {
  readonly client: S3Client
  readonly bucket: string
}

interface Version {
  readonly key: string
  readonly versionId: string
  readonly bytes: number
  readonly isLatest: boolean
}

const STATUS_NOT_FOUND = 404

export function s3ObjectEnder(options: S3ObjectEnderOptions): ObjectEnder {
  return {
    end: key => denied(options, key, () => end(options, key)),
    endBelow: (prefix, isOwn) => denied(options, prefix, () => endBelow(options, prefix, isOwn)),
  }
}

async function end(options: S3ObjectEnderOptions, key: string): Promise<EndedObjects> {
  const ended = await endBelow(options, key, found => found === key)
  // Emulators list no versions, so what is still there is removed as it is.
  const bytes = ended.objects > 0 ? undefined : await bytesOf(options, key)
  if (bytes === undefined) return ended
  await options.client.send(new DeleteObjectCommand({ Bucket: options.bucket, Key: key }))
  return { objects: 1, bytes }
}

async function endBelow(
  { client, bucket }: S3ObjectEnderOptions,
  prefix: string,
  isOwn: (key: string) => boolean,
): Promise<EndedObjects> {
  const versions: Version[] = []
  for await (const page of pages(client, bucket, prefix))
    versions.push(...versionsOf(page).filter(({ key }) => isOwn(key)))
  versions.sort((a, b) => Number(a.isLatest) - Number(b.isLatest))
  for (const { key, versionId } of versions) {
    await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }))
  }
  const bytes = versions.reduce((sum, version) => sum + version.bytes, 0)
  return { objects: new Set(versions.map(({ key }) => key)).size, bytes }
}

async function* pages(
  client: S3Client,
  bucket: string,
  prefix: string,
): AsyncGenerator<ListObjectVersionsCommandOutput> {
  let next: { KeyMarker?: string; VersionIdMarker?: string } | undefined = {}
  while (next !== undefined) {
    const page: ListObjectVersionsCommandOutput = await client.send(
      new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix, ...next }),
    )
    yield page
    const { IsTruncated, NextKeyMarker, NextVersionIdMarker } = page
    next =
      IsTruncated === true && NextKeyMarker !== undefined
        ? {
            KeyMarker: NextKeyMarker,
            ...(NextVersionIdMarker === undefined ? {} : { VersionIdMarker: NextVersionIdMarker }),
          }
        : undefined
  }
}

/** The marks that hide a version go as well. */
function versionsOf({ Versions = [], DeleteMarkers = [] }: ListObjectVersionsCommandOutput): Version[] {
  return [
    ...Versions.map(version => ({ Size: 0, ...version })),
    ...DeleteMarkers.map(mark => ({ ...mark, Size: 0 })),
  ].flatMap(({ Key, VersionId, Size = 0, IsLatest = false }) =>
    Key === undefined || VersionId === undefined
      ? []
      : [{ key: Key, versionId: VersionId, bytes: Size, isLatest: IsLatest }],
  )
}

async function bytesOf({ client, bucket }: S3ObjectEnderOptions, key: string): Promise<number | undefined> {
  try {
    return (await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))).ContentLength ?? 0
  } catch (error) {
    if (readServiceFailure(error).status === STATUS_NOT_FOUND) return undefined
    throw error
  }
}

const STATUS_DENIED = new Set([401, 403])

async function denied<T>({ bucket }: S3ObjectEnderOptions, key: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!STATUS_DENIED.has(readServiceFailure(error).status ?? 0)) throw asObjectStoreError(error, 'end', bucket, key)
    throw new ObjectStoreError(`Could not end s3://${bucket}/${key}: it was denied`, {
      code: 'object-store-denied',
      next: 'Give whoever forgets s3:ListBucketVersions, s3:DeleteObject and s3:DeleteObjectVersion on both buckets.',
      key,
      cause: error,
    })
  }
}
