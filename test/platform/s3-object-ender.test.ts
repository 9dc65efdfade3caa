import { S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { s3ObjectEnder } from '../../src/platform/s3-object-ender.ts'
import { s3ObjectStore } from '../../src/platform/s3-object-store.ts'
import { type FauxqsBucket, startFauxqsBucket } from '../fakes/fauxqs-bucket.ts'

interface Call {
  readonly name: string
  readonly input: { readonly Key?: string; readonly VersionId?: string; readonly KeyMarker?: string }
}

const PAGES = [
  {
    IsTruncated: true,
    NextKeyMarker: 'a/b',
    NextVersionIdMarker: 'v2',
    Versions: [
      { Key: 'a/b', VersionId: 'v2', Size: 5, IsLatest: true },
      { Key: 'a/bc', VersionId: 'v1', Size: 7, IsLatest: true },
    ],
  },
  {
    IsTruncated: false,
    Versions: [{ Key: 'a/b', VersionId: 'v1', Size: 3, IsLatest: false }],
    DeleteMarkers: [{ Key: 'a/b', VersionId: 'm1', IsLatest: false }],
  },
]

/** A client whose bucket keeps versions. */
function recording(fail?: Error): { readonly client: S3Client; readonly calls: Call[] } {
  const calls: Call[] = []
  const client = new S3Client({ region: 'us-east-1' })
  const send = async (command: { constructor: { name: string }; input: Call['input'] }): Promise<unknown> => {
    const { name } = command.constructor
    calls.push({ name, input: command.input })
    if (name === 'ListObjectVersionsCommand') return PAGES[command.input.KeyMarker === undefined ? 0 : 1]
    if (fail !== undefined) throw fail
    return {}
  }
  Object.assign(client, { send })
  return { client, calls }
}

describe('a bucket with versions', () => {
  it('loses every version of the key and its marks, the one that readers see last', async () => {
    const { client, calls } = recording()
    const ended = await s3ObjectEnder({ client, bucket: 'bucket' }).end('a/b')
    expect(ended).toEqual({ objects: 1, bytes: 8 })
    const deletes = calls.filter(({ name }) => name === 'DeleteObjectCommand').map(({ input }) => input)
    expect(deletes.map(({ Key }) => Key)).toEqual(['a/b', 'a/b', 'a/b'])
    expect(deletes.map(({ VersionId }) => VersionId)).toEqual(['v1', 'm1', 'v2'])
  })

  it('loses what is meant below a prefix', async () => {
    const { client } = recording()
    expect(await s3ObjectEnder({ client, bucket: 'bucket' }).endBelow('a/', () => true)).toEqual({
      objects: 2,
      bytes: 15,
    })
  })

  it('says which permissions it takes', async () => {
    const { client } = recording(
      Object.assign(new Error('no'), { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } }),
    )
    await expect(s3ObjectEnder({ client, bucket: 'bucket' }).end('a/b')).rejects.toMatchObject({
      code: 'object-store-denied',
      next: expect.stringContaining('s3:DeleteObjectVersion'),
    })
  })
})

describe('an emulator, which has no versions', () => {
  let bucket: FauxqsBucket

  beforeAll(async () => {
    bucket = await startFauxqsBucket('ended')
  })
  afterAll(() => bucket.stop())

  it('loses the object, and what is not there is nothing', async () => {
    const world = { random: () => 0, sleep: async () => undefined, isConditional: false }
    const store = s3ObjectStore({ ...bucket, ...world })
    await store.create('a/b', Buffer.from('12345'))
    await store.create('a/bc', Buffer.from('1'))
    const ender = s3ObjectEnder(bucket)
    expect(await ender.end('a/b')).toEqual({ objects: 1, bytes: 5 })
    expect(await ender.end('a/b')).toEqual({ objects: 0, bytes: 0 })
    expect(await store.get('a/b')).toBeUndefined()
    expect(await store.get('a/bc')).toBeDefined()
  })
})
