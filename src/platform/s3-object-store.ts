// The object store on Amazon S3. Create-if-absent is S3's own conditional write, so two writers of one key cannot both win.
// Emulators ignore the condition: for them it is a look before the write, which closes every case but a race.
import {
  GetObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { Sleep } from './clock.ts'
import { type CallOptions, endInTime, type TimeLeft } from './deadline.ts'
import { ObjectStoreError } from './errors.ts'
import type { CreateOptions, ObjectInfo, ObjectStat, ObjectStore } from './object-store.ts'
import type { Random } from './random.ts'
import { retry } from './retry.ts'
import { diagnoseServiceFailure, readServiceFailure } from './service-failure.ts'

export interface S3ObjectStoreOptions {
  readonly client: S3Client
  readonly bucket: string
  readonly random: Random
  readonly sleep: Sleep
  /** Whether the endpoint enforces `If-None-Match: *`, true unless said. S3 does; fauxqs, s3rver and their like do not. */
  readonly isConditional?: boolean
  readonly pageKeysMax?: number
  /** For ever unless given. */
  readonly timeLeftMs?: TimeLeft | undefined
}

/** The SDK has tried three times by itself before one of these counts; a conflict of conditional writes it does not retry. */
const ATTEMPTS_MAX = 5
const RETRY_BASE_MS = 50
const RETRY_CAP_MS = 2_000
/** ListObjectsV2 returns at most 1,000 keys a page (Amazon S3 API reference). */
const PAGE_KEYS_MAX = 1_000

const SHA256_BYTES = 32

const STATUS_NOT_FOUND = 404
const STATUS_PRECONDITION_FAILED = 412

export function s3ObjectStore(options: S3ObjectStoreOptions): ObjectStore {
  return {
    create: (key, body, createOptions) => withRetry(options, () => create(options, key, body, createOptions ?? {})),
    stat: key => withRetry(options, () => stat(options, key)),
    get: key => withRetry(options, () => get(options, key)),
    list: (prefix, listOptions) => list(options, prefix, listOptions?.startAfter),
  }
}

/** 'exists' may also be this very write, made by an earlier try whose answer was lost: who must know compares the bytes. */
async function create(
  { client, bucket, isConditional = true, timeLeftMs }: S3ObjectStoreOptions,
  key: string,
  body: Uint8Array,
  { contentType, contentEncoding, sha256, metadata }: CreateOptions,
): Promise<'created' | 'exists'> {
  try {
    if (!isConditional && (await head({ client, bucket, timeLeftMs }, key)) !== undefined) return 'exists'
    const command = new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: body,
      ContentLength: body.byteLength,
      ...(isConditional ? { IfNoneMatch: '*' } : {}),
      ...(contentType === undefined ? {} : { ContentType: contentType }),
      ...(contentEncoding === undefined ? {} : { ContentEncoding: contentEncoding }),
      ...(sha256 === undefined ? {} : { ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64') }),
      ...(metadata === undefined ? {} : { Metadata: { ...metadata } }),
    })
    await endInTime(timeLeftMs, call => client.send(command, call))
    return 'created'
  } catch (error) {
    if (readServiceFailure(error).status === STATUS_PRECONDITION_FAILED) return 'exists'
    throw asObjectStoreError(error, 'write', bucket, key)
  }
}

async function stat(options: S3ObjectStoreOptions, key: string): Promise<ObjectStat | undefined> {
  try {
    const found = await head(options, key)
    if (found === undefined) return undefined
    const { ContentLength, ChecksumSHA256, Metadata } = found
    return { bytes: ContentLength ?? 0, sha256: wholeSha256(ChecksumSHA256), metadata: Metadata ?? {} }
  } catch (error) {
    throw asObjectStoreError(error, 'look at', options.bucket, key)
  }
}

/** That of an upload in several parts is a checksum of checksums, with a count behind it: of no use to who has the bytes. */
function wholeSha256(base64: string | undefined): string | undefined {
  const bytes = base64 === undefined || base64.includes('-') ? undefined : Buffer.from(base64, 'base64')
  return bytes?.byteLength === SHA256_BYTES ? bytes.toString('hex') : undefined
}

async function head(
  { client, bucket, timeLeftMs }: Pick<S3ObjectStoreOptions, 'client' | 'bucket' | 'timeLeftMs'>,
  key: string,
): Promise<HeadObjectCommandOutput | undefined> {
  try {
    const command = new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' })
    return await endInTime(timeLeftMs, call => client.send(command, call))
  } catch (error) {
    if (readServiceFailure(error).status === STATUS_NOT_FOUND) return undefined
    throw error
  }
}

async function get(options: S3ObjectStoreOptions, key: string): Promise<Uint8Array | undefined> {
  const { bucket, timeLeftMs } = options
  try {
    // The body too: one that stops half way ends with the time.
    return await endInTime(timeLeftMs, call => getBody(options, key, call))
  } catch (error) {
    if (readServiceFailure(error).name === 'NoSuchKey') return undefined
    throw asObjectStoreError(error, 'read', bucket, key)
  }
}

async function getBody({ client, bucket }: S3ObjectStoreOptions, key: string, call: CallOptions): Promise<Uint8Array> {
  const { Body, ContentLength } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }), call)
  const bytes = Body === undefined ? new Uint8Array(0) : await Body.transformToByteArray()
  if (ContentLength !== undefined && bytes.byteLength !== ContentLength) {
    throw new ObjectStoreError(`${bytes.byteLength} of ${ContentLength} bytes came for s3://${bucket}/${key}`, {
      code: 'object-store-short-read',
      retriable: true,
      key,
    })
  }
  return bytes
}

async function* list(
  options: S3ObjectStoreOptions,
  prefix: string,
  startAfter: string | undefined,
): AsyncGenerator<ObjectInfo> {
  let token: string | undefined
  do {
    const page = await withRetry(options, () => listPage(options, prefix, { startAfter, token }))
    for (const { Key, Size, LastModified } of page.Contents ?? []) {
      if (Key !== undefined) yield { key: Key, bytes: Size ?? 0, createdMs: LastModified?.getTime() ?? 0 }
    }
    token = page.NextContinuationToken
  } while (token !== undefined)
}

async function listPage(
  { client, bucket, pageKeysMax, timeLeftMs }: S3ObjectStoreOptions,
  prefix: string,
  from: { readonly startAfter: string | undefined; readonly token: string | undefined },
) {
  try {
    const command = new ListObjectsV2Command({
      Bucket: bucket,
      Prefix: prefix,
      MaxKeys: pageKeysMax ?? PAGE_KEYS_MAX,
      ...(from.startAfter === undefined ? {} : { StartAfter: from.startAfter }),
      ...(from.token === undefined ? {} : { ContinuationToken: from.token }),
    })
    return await endInTime(timeLeftMs, call => client.send(command, call))
  } catch (error) {
    throw asObjectStoreError(error, 'list', bucket, prefix)
  }
}

function withRetry<T>({ random, sleep, timeLeftMs }: S3ObjectStoreOptions, operation: () => Promise<T>): Promise<T> {
  return retry(operation, {
    attemptsMax: ATTEMPTS_MAX,
    baseMs: RETRY_BASE_MS,
    capMs: RETRY_CAP_MS,
    random,
    sleep,
    timeLeftMs,
    isRetriable: error => error instanceof ObjectStoreError && error.retriable,
  })
}

export function asObjectStoreError(error: unknown, verb: string, bucket: string, key: string): ObjectStoreError {
  if (error instanceof ObjectStoreError) return error
  const diagnosis = diagnoseServiceFailure(error, { kind: 'bucket', name: bucket })
  if (diagnosis !== undefined) return new ObjectStoreError(diagnosis.message, { ...diagnosis, key, cause: error })
  const failure = readServiceFailure(error)
  const answer = failure.status === undefined ? failure.name : `${failure.status} ${failure.name}`
  const { code, next } = nextStep(failure.status)
  return new ObjectStoreError(`Could not ${verb} s3://${bucket}/${key}: ${answer}`, {
    code,
    next,
    retriable: failure.isRetriable,
    key,
    cause: error,
  })
}

function nextStep(status: number | undefined): { readonly code: string; readonly next: string } {
  if (status === 401 || status === 403) {
    return {
      code: 'object-store-denied',
      next: 'Give the role s3:GetObject, s3:PutObject and s3:ListBucket; without the last one a missing object is denied too.',
    }
  }
  if (status === undefined) {
    return { code: 'object-store-unreachable', next: 'Check the endpoint, the region and the credentials.' }
  }
  return { code: 'object-store-failed', next: 'See the cause; S3 itself refused or failed.' }
}
