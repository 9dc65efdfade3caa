// A bucket as S3's client sees it, in memory, with the conditional write that S3 enforces and emulators do not: the real adapter
// runs on it. It fails as the service does, and for a while altogether.
import { createHash } from 'node:crypto'
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3'
import { byCodePoint } from '../../src/platform/canonical-json.ts'
import type { Clock } from '../../src/platform/clock.ts'
import type { Faults } from './faults.ts'
import type { ServiceErrors, SimulatedProcess } from './process.ts'
import { serviceError } from './simulated-dynamodb.ts'

interface StoredObject {
  readonly body: Uint8Array
  readonly createdMs: number
  readonly told?: Pick<PutObjectCommandInput, 'ChecksumSHA256' | 'Metadata'>
}

export interface SimulatedBucket {
  readonly objects: ReadonlyMap<string, StoredObject>
  client(process: SimulatedProcess): S3Client
  /** Lambda's own write of a failure object. */
  put(key: string, body: Uint8Array): void
  /** Every call fails until this instant. */
  outageUntilMs: number
}

const PAGE_KEYS_MAX = 1_000

export const S3_ERRORS: ServiceErrors = {
  throttled: () => serviceError('SlowDown', 503),
  serverError: () => serviceError('InternalError', 500),
  timedOut: () => Object.assign(new Error('timed out'), { name: 'TimeoutError' }),
  refused: () => Object.assign(new Error('refused'), { code: 'ECONNREFUSED', address: 'bucket', port: 443 }),
}

export function simulatedBucket({
  faults,
  clock,
}: {
  readonly faults: Faults
  readonly clock: Clock
}): SimulatedBucket {
  const objects = new Map<string, StoredObject>()
  /** Sorted names, made anew when an object has come. */
  let names: string[] | undefined
  const bucket: SimulatedBucket = {
    objects,
    outageUntilMs: 0,
    client: process => ({ send: send(process) }) as unknown as S3Client,
    put: create,
  }
  return bucket

  function send(process: SimulatedProcess) {
    return (command: unknown): Promise<unknown> => {
      const { effect, what } = effectOf(command)
      const unlessOut = (): object => {
        if (clock() < bucket.outageUntilMs) throw S3_ERRORS.throttled()
        return effect()
      }
      return process.call(what, S3_ERRORS, unlessOut)
    }
  }

  function effectOf(command: unknown): { readonly what: string; readonly effect: () => object } {
    if (command instanceof PutObjectCommand) {
      const { Key = '' } = command.input
      return { what: `PutObject ${Key}`, effect: () => putObject(Key, command.input) }
    }
    if (command instanceof HeadObjectCommand) {
      const { Key = '' } = command.input
      return { what: `HeadObject ${Key}`, effect: () => headObject(Key) }
    }
    if (command instanceof GetObjectCommand) {
      const { Key = '' } = command.input
      return { what: `GetObject ${Key}`, effect: () => getObject(Key) }
    }
    if (command instanceof ListObjectsV2Command) {
      const { Prefix = '', StartAfter, ContinuationToken, MaxKeys = PAGE_KEYS_MAX } = command.input
      return { what: `ListObjectsV2 ${Prefix}`, effect: () => list(Prefix, ContinuationToken ?? StartAfter, MaxKeys) }
    }
    throw new Error('The simulated bucket does not know this command')
  }

  function create(key: string, body: Uint8Array, told: StoredObject['told'] = {}): void {
    objects.set(key, { body: body.slice(), createdMs: clock(), told })
    names = undefined
  }

  function putObject(key: string, { Body, IfNoneMatch, ChecksumSHA256, Metadata }: PutObjectCommandInput): object {
    const body = Body as Uint8Array
    if (faults.fires('conflict 409')) throw serviceError('ConditionalRequestConflict', 409)
    if (IfNoneMatch === '*' && objects.has(key)) throw serviceError('PreconditionFailed', 412)
    if (ChecksumSHA256 !== undefined && ChecksumSHA256 !== createHash('sha256').update(body).digest('base64')) {
      throw serviceError('BadDigest', 400)
    }
    create(key, body, { ChecksumSHA256, Metadata })
    return {}
  }

  function headObject(key: string): object {
    const object = objects.get(key)
    if (object === undefined) throw serviceError('NotFound', 404)
    return { ContentLength: object.body.byteLength, ...object.told }
  }

  function getObject(key: string): object {
    const object = objects.get(key)
    if (object === undefined) throw serviceError('NoSuchKey', 404)
    const { body } = object
    return { Body: { transformToByteArray: async () => body.slice() }, ContentLength: body.byteLength }
  }

  function list(prefix: string, after: string | undefined, pageKeysMax: number): object {
    names ??= [...objects.keys()].sort(byCodePoint)
    const from = names.findIndex(name => name >= prefix && (after === undefined || name > after))
    const page: string[] = []
    let isMore = false
    for (let index = from; index >= 0 && index < names.length; index++) {
      const name = names[index] as string
      if (!name.startsWith(prefix)) break
      isMore = page.length === pageKeysMax
      if (isMore) break
      page.push(name)
    }
    return {
      Contents: page.map(Key => {
        const { body, createdMs } = objects.get(Key) as StoredObject
        return { Key, Size: body.byteLength, LastModified: new Date(createdMs) }
      }),
      ...(isMore ? { NextContinuationToken: page.at(-1) } : {}),
    }
  }
}
