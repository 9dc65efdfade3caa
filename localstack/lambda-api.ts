// Lambda's own API, as much of it as starts functions and switches event source mappings, so that the command which does it on AWS
// does it here as well.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FunctionPlan } from './deployment-plan.ts'
import { sendJson } from './http-answer.ts'
import type { InvokeOutcome } from './invoke-outcome.ts'
import type { MappingControl } from './mapping-control.ts'

const FUNCTION_PATH = /^\/2015-03-31\/functions\/([^/?]+)(?:\/(invocations|configuration))?\/?$/
const MAPPINGS_PATH = /^\/2015-03-31\/event-source-mappings(?:\/([^/?]+))?\/?$/

export interface LambdaApiOptions {
  /** Undefined where there is no such function. */
  readonly invoke: (functionName: string, event: string) => Promise<InvokeOutcome> | undefined
  readonly functionPlan: (functionName: string) => FunctionPlan | undefined
  readonly mappings: () => readonly MappingControl[]
  readonly log: (line: string) => void
}

export function lambdaApi(options: LambdaApiOptions) {
  return async (request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://local')
    const mappings = MAPPINGS_PATH.exec(pathname)
    if (mappings !== null) return answerMappings({ request, body, response, searchParams }, mappings[1], options)
    const [, reference, part] = FUNCTION_PATH.exec(pathname) ?? []
    if (reference === undefined) return sendUnknown(response)
    const functionName = nameOf(decodeURIComponent(reference))
    if (part === 'invocations' && request.method === 'POST') {
      return answerInvocation({ request, body, response }, functionName, options)
    }
    if (part === 'invocations' || request.method !== 'GET') return sendUnknown(response)
    const plan = options.functionPlan(functionName)
    if (plan === undefined) return sendNotFound(response, `Function not found: ${functionName}`)
    const configuration = configurationOf(plan)
    sendJson(response, 200, part === 'configuration' ? configuration : { Configuration: configuration })
  }
}

interface Call {
  readonly request: IncomingMessage
  readonly body: Buffer
  readonly response: ServerResponse
}

/** By name, or by an ARN with or without a version. */
function nameOf(reference: string): string {
  return reference.split(':function:').at(-1)?.split(':')[0] ?? ''
}

function configurationOf({
  functionName,
  functionArn,
  roleArn,
  handler,
  timeoutMs,
  memoryMb,
  architecture,
}: FunctionPlan) {
  return {
    FunctionName: functionName,
    FunctionArn: functionArn,
    Role: roleArn,
    Handler: handler,
    Timeout: timeoutMs / 1000,
    MemorySize: memoryMb,
    Architectures: [architecture],
    Version: '$LATEST',
    State: 'Active',
    LastUpdateStatus: 'Successful',
    PackageType: 'Zip',
  }
}

function answerMappings(
  { request, body, response, searchParams }: Call & { readonly searchParams: URLSearchParams },
  id: string | undefined,
  { mappings, functionPlan }: LambdaApiOptions,
): void {
  if (id === undefined) {
    if (request.method !== 'GET') return sendUnknown(response)
    const functionName = searchParams.get('FunctionName')
    if (functionName !== null && functionPlan(nameOf(functionName)) === undefined) {
      return sendNotFound(response, `Function not found: ${functionName}`)
    }
    const streamArn = searchParams.get('EventSourceArn')
    const wanted = mappings().filter(
      each =>
        (functionName === null || each.functionName === nameOf(functionName)) &&
        (streamArn === null || each.streamArn === streamArn),
    )
    return sendJson(response, 200, { EventSourceMappings: wanted.map(each => each.describe()) })
  }
  const mapping = mappings().find(each => each.id === id)
  if (mapping === undefined) return sendNotFound(response, 'The resource you requested does not exist.')
  if (request.method === 'GET') return sendJson(response, 200, mapping.describe())
  if (request.method !== 'PUT') return sendUnknown(response)
  updateMapping(mapping, body, response)
}

/** Only `Enabled`: whatever else were taken in silence would not be so. */
function updateMapping(mapping: MappingControl, body: Buffer, response: ServerResponse): void {
  const { Enabled: isEnabled, ...others } = jsonOf(body)
  if (typeof isEnabled !== 'boolean' || Object.keys(others).length > 0) {
    return sendError(response, 400, {
      type: 'InvalidParameterValueException',
      message: 'The local cloud changes nothing of an event source mapping but Enabled',
    })
  }
  if (mapping.enable(isEnabled)) return sendJson(response, 202, mapping.describe())
  sendError(response, 409, {
    type: 'ResourceInUseException',
    message: 'Cannot update the event source mapping because it is in use.',
  })
}

async function answerInvocation(
  { request, body, response }: Call,
  functionName: string,
  { invoke, log }: LambdaApiOptions,
): Promise<void> {
  const running = invoke(functionName, body.length === 0 ? '{}' : body.toString('utf8'))
  if (running === undefined) return sendNotFound(response, `Function not found: ${functionName}`)
  if (request.headers['x-amz-invocation-type'] === 'Event') {
    running.then(
      outcome => {
        if (outcome.kind === 'failed') log(`${functionName}: ${outcome.errorType}: ${outcome.errorMessage}`)
      },
      (error: unknown) => log(`${functionName}: ${String(error)}`),
    )
    response.writeHead(202).end()
    return
  }
  answer(await running, response)
}

function answer(outcome: InvokeOutcome, response: ServerResponse): void {
  const headers = { 'content-type': 'application/json', 'x-amz-executed-version': '$LATEST' }
  if (outcome.kind === 'returned') {
    response.writeHead(200, headers).end(outcome.payload)
    return
  }
  const { errorType, errorMessage, trace = [] } = outcome
  if (outcome.kind === 'not-invoked') {
    const status = errorType === 'TooManyRequestsException' ? 429 : 500
    return sendError(response, status, { type: errorType, message: errorMessage })
  }
  response.writeHead(200, { ...headers, 'x-amz-function-error': 'Unhandled' })
  response.end(JSON.stringify({ errorType, errorMessage, trace }))
}

function sendUnknown(response: ServerResponse): void {
  sendJson(response, 501, {
    message: 'The local cloud knows no call of Lambda but Invoke, GetFunction and those that list and switch mappings',
  })
}

function sendNotFound(response: ServerResponse, message: string): void {
  sendError(response, 404, { type: 'ResourceNotFoundException', message })
}

function sendError(
  response: ServerResponse,
  status: number,
  { type, message }: { readonly type: string; readonly message: string },
): void {
  sendJson(response, status, { Type: 'User', Message: message }, { 'x-amzn-errortype': type })
}

function jsonOf(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
