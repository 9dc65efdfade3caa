// The three emulators, loaded only when a local cloud starts: a team's repo has them as devDependencies, a deployed function
// never does. All three are handed requests in process; fauxqs would otherwise listen on every network interface.
import { mkdir } from 'node:fs/promises'
import type { Server, ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { letDynaliteCloseIterators } from './dynalite-iterators.ts'
import { LocalCloudError } from './errors.ts'

export interface Emulators {
  kinesis(request: Readable, response: ServerResponse): void
  dynamodb(request: Readable, response: ServerResponse): void
  s3(request: Readable, response: ServerResponse): void
  /** Whether fauxqs has the object; the path is `/bucket/key` as in the request. */
  hasObject(path: string): Promise<boolean>
  stop(): Promise<void>
}

/** AWS's default quota of a large region; kinesalite's own is 10. */
const SHARD_LIMIT = 500
/** How long streams and tables stay in the state CREATING. */
const CREATE_MS = 1

type ServerFactory = { readonly default: (options: object) => Server }

/** In memory, or under the folder. */
export async function startEmulators(folder?: string): Promise<Emulators> {
  const [kinesalite, dynalite, s3] = await Promise.all([
    load<ServerFactory>('kinesalite'),
    load<ServerFactory>('dynalite'),
    startFauxqs(folder === undefined ? undefined : await subfolder(folder, 's3')),
  ])
  letDynaliteCloseIterators()
  const kinesis = kinesalite.default({
    shardLimit: SHARD_LIMIT,
    createStreamMs: CREATE_MS,
    ...(folder === undefined ? {} : { path: await subfolder(folder, 'kinesis') }),
  })
  const dynamodb = dynalite.default({
    createTableMs: CREATE_MS,
    ...(folder === undefined ? {} : { path: await subfolder(folder, 'dynamodb') }),
  })
  await Promise.all([listen(kinesis), listen(dynamodb)])
  return {
    kinesis: (request, response) => void kinesis.emit('request', request, response),
    dynamodb: (request, response) => void dynamodb.emit('request', request, response),
    s3: (request, response) => void s3.server.emit('request', request, response),
    hasObject: async path => (await s3.inject({ method: 'HEAD', url: path })).statusCode === 200,
    stop: async () => {
      await Promise.all([s3.close(), close(kinesis), close(dynamodb)])
    },
  }
}

async function load<Module>(name: string): Promise<Module> {
  try {
    return (await import(name)) as Module
  } catch (cause) {
    throw new LocalCloudError(
      `The local cloud needs the npm packages kinesalite, dynalite and fauxqs; ${name} does not load`,
      {
        code: 'emulator-missing',
        next: 'npm install --save-dev kinesalite@3 dynalite@4 fauxqs@2 and run Node 22.5 or later, which fauxqs needs.',
        cause,
      },
    )
  }
}

async function subfolder(folder: string, name: string): Promise<string> {
  const path = join(folder, name)
  try {
    await mkdir(path, { recursive: true })
  } catch (cause) {
    throw new LocalCloudError(`Nothing can be kept in ${folder}`, {
      code: 'path-unusable',
      next: 'Name a folder, or one to be made, in which you may write.',
      cause,
    })
  }
  return path
}

interface FauxqsApp {
  readonly server: Server
  ready(): PromiseLike<unknown>
  inject(request: { method: 'HEAD'; url: string }): Promise<{ readonly statusCode: number }>
  close(): Promise<unknown>
}

async function startFauxqs(folder: string | undefined): Promise<FauxqsApp> {
  const { buildApp } = await load<{ buildApp: (options: object) => FauxqsApp }>('fauxqs')
  const app = buildApp({ logger: false, ...(folder === undefined ? {} : { stores: await storesIn(folder) }) })
  await app.ready()
  return app
}

/** fauxqs offers its file store only together with a server on every interface, so its parts are put together here. */
async function storesIn(folder: string): Promise<object> {
  const entry = import.meta.resolve('fauxqs')
  const part = <Name extends string, Instance>(path: string) =>
    load<Record<Name, new (...options: readonly string[]) => Instance>>(new URL(path, entry).href)
  const [{ S3Store }, { FileS3Persistence }, { SqsStore }, { SnsStore }] = await Promise.all([
    part<'S3Store', { persistence?: unknown }>('./s3/s3Store.js'),
    part<'FileS3Persistence', { loadS3(store: unknown): void }>('./s3/fileS3Persistence.js'),
    part<'SqsStore', object>('./sqs/sqsStore.js'),
    part<'SnsStore', object>('./sns/snsStore.js'),
  ])
  const s3Store = new S3Store()
  const persistence = new FileS3Persistence(folder)
  persistence.loadS3(s3Store)
  s3Store.persistence = persistence
  return { s3Store, sqsStore: new SqsStore(), snsStore: new SnsStore() }
}

/** kinesalite and dynalite close their databases in order only if they were listening, so they do, on a loopback port. */
function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => server.close(error => (error instanceof Error ? reject(error) : resolve())))
}
