// Lambda's own Invoke API, so that the command which starts a function on AWS starts it here as well.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { sendJson } from './http-answer.ts'
import type { InvokeOutcome } from './invoke-outcome.ts'

const INVOKE_PATH = /^\/2015-03-31\/functions\/([^/?]+)\/invocations/

export interface LambdaApiOptions {
  /** Undefined where there is no such function. */
  readonly invoke: (functionName: string, event: string) => Promise<InvokeOutcome> | undefined
  readonly log: (line: string) => void
}

export function lambdaApi({ invoke, log }: LambdaApiOptions) {
  return async (request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> => {
    const reference = INVOKE_PATH.exec(request.url ?? '')?.[1]
    if (reference === undefined || request.method !== 'POST') {
      return sendJson(response, 501, { message: 'The local cloud knows no call of Lambda but Invoke' })
    }
    const functionName = decodeURIComponent(reference).split(':function:').at(-1) ?? ''
    const running = invoke(functionName, body.length === 0 ? '{}' : body.toString('utf8'))
    if (running === undefined) {
      const headers = { 'x-amzn-errortype': 'ResourceNotFoundException' }
      return sendJson(response, 404, { Type: 'User', Message: `Function not found: ${functionName}` }, headers)
    }
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
}

function answer(outcome: InvokeOutcome, response: ServerResponse): void {
  const headers = { 'content-type': 'application/json', 'x-amz-executed-version': '$LATEST' }
  if (outcome.kind === 'returned') {
    response.writeHead(200, headers).end(outcome.payload)
    return
  }
  const { errorType, errorMessage, trace = [] } = outcome
  response.writeHead(200, { ...headers, 'x-amz-function-error': 'Unhandled' })
  response.end(JSON.stringify({ errorType, errorMessage, trace }))
}
