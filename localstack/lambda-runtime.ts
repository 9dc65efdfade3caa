// Runs in a function's own process: loads the handler that Lambda's environment variables name, then answers one invocation at
// a time. Started by function-process.ts, never imported.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type InvokeMessage, PAYLOAD_BYTES_MAX, type RuntimeError, type RuntimeMessage } from './runtime-protocol.ts'

type Handler = (event: unknown, context: object) => unknown

/** In the order in which Lambda tries them. */
const MODULE_EXTENSIONS = ['.js', '.mjs', '.cjs']

function say(message: RuntimeMessage): void {
  process.send?.(message)
}

function variable(name: string): string {
  return process.env[name] ?? ''
}

async function loadHandler(): Promise<Handler> {
  const name = variable('_HANDLER')
  const dot = name.lastIndexOf('.')
  const base = join(variable('LAMBDA_TASK_ROOT'), name.slice(0, dot))
  const file = MODULE_EXTENSIONS.map(extension => base + extension).find(existsSync)
  if (file === undefined)
    throw runtimeFailure('Runtime.ImportModuleError', `Cannot find module '${name.slice(0, dot)}' in the zip`)
  const module = (await import(pathToFileURL(file).href)) as Record<string, unknown>
  const handler =
    module[name.slice(dot + 1)] ?? (module['default'] as Record<string, unknown> | undefined)?.[name.slice(dot + 1)]
  if (typeof handler !== 'function')
    throw runtimeFailure('Runtime.HandlerNotFound', `${name} is undefined or not exported`)
  return handler as Handler
}

function runtimeFailure(name: string, message: string): Error {
  return Object.assign(new Error(message), { name })
}

async function answer(handler: Handler, { requestId, event, deadlineMs }: InvokeMessage): Promise<void> {
  try {
    const result = await handler(JSON.parse(event), contextOf(requestId, deadlineMs))
    const payload = JSON.stringify(result) ?? 'null'
    const bytes = Buffer.byteLength(payload)
    if (bytes > PAYLOAD_BYTES_MAX) {
      throw runtimeFailure(
        'Function.ResponseSizeTooLarge',
        `The response has ${bytes} bytes, more than ${PAYLOAD_BYTES_MAX}`,
      )
    }
    say({ kind: 'returned', requestId, payload })
  } catch (error) {
    say({ kind: 'failed', requestId, error: describe(error) })
  }
}

function contextOf(requestId: string, deadlineMs: number): object {
  const functionName = variable('AWS_LAMBDA_FUNCTION_NAME')
  return {
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: variable('MILLRACE_LOCAL_FUNCTION_ARN'),
    memoryLimitInMB: variable('AWS_LAMBDA_FUNCTION_MEMORY_SIZE'),
    awsRequestId: requestId,
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: variable('AWS_LAMBDA_LOG_STREAM_NAME'),
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  }
}

function describe(error: unknown): RuntimeError {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] }
  return { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] }
}

// A function must not outlive its cloud.
process.once('disconnect', () => process.exit(0))

try {
  const handler = await loadHandler()
  process.on('message', (message: InvokeMessage) => void answer(handler, message))
  say({ kind: 'ready' })
} catch (error) {
  say({ kind: 'init-failed', error: describe(error) })
}
