// The one HTTP endpoint: takes every request, finds out whom it is for, and hands it over. Nothing else of the local cloud
// listens for callers.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock } from '../src/platform/clock.ts'
import { conditionalCreate } from './conditional-create.ts'
import { dynamodbTransactions } from './dynamodb-transactions.ts'
import type { Emulators } from './emulators.ts'
import { LocalCloudError } from './errors.ts'
import { sendJson } from './http-answer.ts'
import { readBody, replayOf } from './read-body.ts'
import { type Refuse, sendRefusal } from './refusal.ts'
import { requestKind } from './request-kind.ts'

/** DynamoDB takes 16 MB a request, Kinesis and the HTTP API less; what is over their own limit they say themselves. */
const BODY_BYTES_MAX = 16 * 1024 * 1024
/** Above the 60 s for which SDK clients and load balancers keep idle connections, so that the server never closes first. */
const KEEP_ALIVE_MS = 65_000
/** How long requests in flight may take when the cloud stops, and how often their connections are looked at. */
const CLOSE_WAIT_MS = 2000
const CLOSE_LOOK_MS = 10

export interface EndpointHandlers {
  readonly emulators: Emulators
  /** `/2015-03-31/…`: calls of functions, and of their event source mappings, through Lambda's own API. */
  lambda(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void>
  cloudwatch(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void>
  /** Told of every call of Kinesis before it is made. */
  onKinesis(target: unknown, body: Buffer): void
  /** Calls of DynamoDB that are refused; none where it is undefined. */
  readonly refuse?: Refuse | undefined
  httpApi(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void>
  /** `/_local/…`: what the local cloud tells about itself. */
  local(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void>
  log(line: string): void
}

export interface Endpoint {
  readonly url: string
  readonly port: number
  /** The port that was wanted and that somebody else has, where a free one was taken instead. */
  readonly takenPort?: number
  /** Until then every request is answered with 503: the port is known before what it leads to. */
  serve(handlers: EndpointHandlers): void
  stop(): Promise<void>
}

export interface EndpointOptions {
  /** 0 is any free one. */
  readonly port: number
  /** A free port will do where this one is taken; without it that is an error. */
  readonly isFallbackAllowed: boolean
}

/** Throws LocalCloudError `port-taken`. */
export async function openEndpoint(options: EndpointOptions): Promise<Endpoint> {
  let handle = (_request: IncomingMessage, response: ServerResponse): void => {
    sendJson(response, 503, { message: 'The local cloud is starting' })
  }
  const server = createServer((request, response) => handle(request, response))
  server.keepAliveTimeout = KEEP_ALIVE_MS
  server.headersTimeout = KEEP_ALIVE_MS + 1000
  server.requestTimeout = 0
  const isAsWanted = await listenOn(server, options)
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    ...(isAsWanted ? {} : { takenPort: options.port }),
    serve: handlers => {
      const s3 = conditionalCreate(handlers.emulators)
      const dynamodb = dynamodbTransactions((...call) => handlers.emulators.dynamodb(...call), systemClock)
      handle = (request, response) => {
        route(request, response, handlers, { s3, dynamodb }).catch((error: unknown) => {
          handlers.log(`${request.method} ${request.url}: ${String(error)}`)
          if (response.headersSent) response.destroy()
          else sendJson(response, 500, { message: 'Internal Server Error' })
        })
      }
    },
    stop: () => {
      handle = (_request, response) => sendJson(response, 503, { message: 'The local cloud is stopping' })
      return closeServer(server)
    },
  }
}

/** Whether it listens on the wanted port. */
async function listenOn(server: Server, { port, isFallbackAllowed }: EndpointOptions): Promise<boolean> {
  const tryPort = (candidate: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(candidate, '127.0.0.1', () => {
        server.off('error', reject)
        resolve()
      })
    })
  try {
    await tryPort(port)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    if (!isFallbackAllowed) throw portTaken(port, error)
    await tryPort(0)
    return false
  }
}

function portTaken(port: number, cause: unknown): LocalCloudError {
  return new LocalCloudError(`Port ${port} is taken`, {
    code: 'port-taken',
    next: `Stop what listens there (lsof -i :${port}), or name another --port; without --port a free one is found.`,
    cause,
  })
}

/** Lets requests end that are being answered: an emulator whose database is closed under a request ends the process. */
async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  const idle = setInterval(() => server.closeIdleConnections(), CLOSE_LOOK_MS)
  const last = setTimeout(() => server.closeAllConnections(), CLOSE_WAIT_MS)
  await closed
  clearInterval(idle)
  clearTimeout(last)
}

/** What the emulators alone do not do. */
interface InFront {
  readonly s3: (request: IncomingMessage, response: ServerResponse) => Promise<void>
  readonly dynamodb: (request: IncomingMessage, body: Buffer, response: ServerResponse) => Promise<void>
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  handlers: EndpointHandlers,
  { s3, dynamodb }: InFront,
): Promise<void> {
  const kind = requestKind(request.url ?? '/', request.headers)
  if (kind.service === 's3') return s3(request, response)
  const body = await readBody(request, BODY_BYTES_MAX)
  if (body === undefined) return sendJson(response, 413, { message: 'Request Entity Too Large' })
  switch (kind.service) {
    case 'kinesis':
      handlers.onKinesis(request.headers['x-amz-target'], body)
      return handlers.emulators.kinesis(replayOf(request, body), response)
    case 'dynamodb': {
      const refusal = handlers.refuse?.(String(request.headers['x-amz-target']), body.toString())
      if (refusal !== undefined) return sendRefusal(response, refusal)
      return dynamodb(request, body, response)
    }
    case 'lambda':
      return handlers.lambda(request, body, response)
    case 'cloudwatch':
      return handlers.cloudwatch(request, body, response)
    case 'local':
      return handlers.local(request, body, response)
    case 'http-api':
      return handlers.httpApi(request, body, response)
    case 'unknown':
      return sendJson(response, 501, { message: `The local cloud has no ${kind.name}` })
  }
}
