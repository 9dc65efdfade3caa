// The HTTP API: takes requests that are no AWS call, finds their route, invokes the function and answers. Errors have API
// Gateway's statuses and bodies.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../src/platform/clock.ts'
import type { RoutePlan } from './deployment-plan.ts'
import { apiEvent, apiResponse } from './http-api-event.ts'
import { matchRoute } from './http-routes.ts'
import { sendJson } from './http-answer.ts'
import type { InvokeOutcome } from './invoke-outcome.ts'
import { PAYLOAD_BYTES_MAX } from './runtime-protocol.ts'

export interface HttpApiOptions {
  readonly routes: readonly RoutePlan[]
  readonly invoke: (functionName: string, event: string) => Promise<InvokeOutcome>
  readonly clock: Clock
  readonly log: (line: string) => void
}

export function httpApi(options: HttpApiOptions) {
  return async (request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> => {
    const { method = 'GET', url = '/', headers } = request
    const match = matchRoute(method, url.split('?')[0] ?? '/', options.routes)
    if (match === undefined) return sendJson(response, 404, { message: 'Not Found' })
    const { route, pathParameters } = match
    const requestId = randomUUID()
    const event = JSON.stringify(
      apiEvent({
        method,
        url,
        headers,
        body,
        sourceIp: request.socket.remoteAddress ?? '',
        requestId,
        timeMs: options.clock(),
        routeKey: route.routeKey,
        apiId: route.apiId,
        pathParameters,
      }),
    )
    if (Buffer.byteLength(event) > PAYLOAD_BYTES_MAX)
      return sendJson(response, 413, { message: 'Request Entity Too Large' })
    const outcome = await within(route.timeoutMs, options.invoke(route.functionName, event))
    answer(outcome, route, requestId, { response, method, log: options.log })
  }
}

interface Answering {
  readonly response: ServerResponse
  readonly method: string
  readonly log: (line: string) => void
}

function answer(
  outcome: InvokeOutcome | undefined,
  route: RoutePlan,
  requestId: string,
  { response, method, log }: Answering,
): void {
  if (outcome === undefined) {
    log(`${route.routeKey}: no answer within ${route.timeoutMs} ms`)
    return sendJson(response, 503, { message: 'Service Unavailable' })
  }
  if (outcome.kind !== 'returned') {
    log(`${route.routeKey}: ${outcome.errorType}: ${outcome.errorMessage}`)
    return sendJson(response, 500, { message: 'Internal Server Error' })
  }
  const answered = apiResponse(JSON.parse(outcome.payload))
  if (answered === undefined) {
    log(`${route.routeKey}: the result is not a response: ${outcome.payload.slice(0, 200)}`)
    return sendJson(response, 500, { message: 'Internal Server Error' })
  }
  const { status, headers, body } = answered
  const hasBody = status !== 204 && status !== 304 && method !== 'HEAD'
  response.writeHead(status, {
    ...headers,
    'apigw-requestid': requestId,
    ...(status === 204 || status === 304 ? {} : { 'content-length': body.length }),
  })
  response.end(hasBody ? body : undefined)
}

/** Undefined when the time is over; the function goes on, as it does behind API Gateway. */
async function within<Result>(timeoutMs: number, work: Promise<Result>): Promise<Result | undefined> {
  let timer: NodeJS.Timeout | undefined
  try {
    return await Promise.race([
      work,
      new Promise<undefined>(resolve => {
        timer = setTimeout(resolve, timeoutMs, undefined)
      }),
    ])
  } finally {
    clearTimeout(timer)
  }
}
