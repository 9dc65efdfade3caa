// A function with its execution environments: one process takes one event at a time, so a second shard or request gets a
// process of its own, up to a small number; beyond it they wait their turn.
import type { FunctionPlan } from './deployment-plan.ts'
import { type FunctionProcess, startFunctionProcess } from './function-process.ts'
import type { InvokeOutcome } from './invoke-outcome.ts'
import { ACCOUNT_ID, REGION } from './resource-identity.ts'
import { PAYLOAD_BYTES_MAX } from './runtime-protocol.ts'

export interface LambdaFunction {
  readonly plan: FunctionPlan
  /** What its processes get as environment variables. */
  readonly environment: Readonly<Record<string, string>>
  /** Never rejects for what the function does; rejects when its code cannot be unpacked. */
  invoke(event: string): Promise<InvokeOutcome>
  /** Starts a process if there is none and waits until the handler is loaded. */
  warm(): Promise<void>
  pids(): readonly number[]
  stop(): Promise<void>
}

export interface LambdaFunctionOptions {
  readonly endpoint: string
  readonly environmentsMax: number
  /** Unpacks the code at the first call. */
  readonly codeFolder: () => Promise<string>
  readonly log: (line: string) => void
}

export function createLambdaFunction(plan: FunctionPlan, options: LambdaFunctionOptions): LambdaFunction {
  const environment = environmentOf(plan, options.endpoint)
  const processes = new Set<FunctionProcess>()
  const idle: FunctionProcess[] = []
  const waiting: (() => void)[] = []
  let starting = 0
  let isStopped = false

  async function acquire(): Promise<FunctionProcess> {
    for (;;) {
      const ready = idle.pop()
      if (ready?.isAlive() === true) return ready
      if (ready !== undefined) processes.delete(ready)
      else if (processes.size + starting < options.environmentsMax) return start()
      else await new Promise<void>(resolve => waiting.push(resolve))
    }
  }

  async function start(): Promise<FunctionProcess> {
    starting++
    try {
      const codeFolder = await options.codeFolder()
      if (isStopped) throw new Error(`${plan.functionName} was stopped`)
      const started = startFunctionProcess({
        codeFolder,
        environment: { ...environment, LAMBDA_TASK_ROOT: codeFolder },
        memoryMb: plan.memoryMb,
        timeoutMs: plan.timeoutMs,
        log: options.log,
      })
      processes.add(started)
      return started
    } catch (error) {
      waiting.shift()?.()
      throw error
    } finally {
      starting--
    }
  }

  function release(used: FunctionProcess): void {
    if (used.isAlive()) idle.push(used)
    else processes.delete(used)
    waiting.shift()?.()
  }

  async function use<Result>(work: (process: FunctionProcess) => Promise<Result>): Promise<Result> {
    const process = await acquire()
    try {
      return await work(process)
    } finally {
      release(process)
    }
  }

  return {
    plan,
    environment,
    invoke: async event => {
      const bytes = Buffer.byteLength(event)
      if (bytes > PAYLOAD_BYTES_MAX) {
        return {
          kind: 'failed',
          errorType: 'RequestTooLarge',
          errorMessage: `The event has ${bytes} bytes, more than ${PAYLOAD_BYTES_MAX}`,
        }
      }
      return use(process => process.invoke(event))
    },
    warm: () =>
      use(async process => {
        await process.started
      }),
    pids: () => [...processes].flatMap(({ pid }) => (pid === undefined ? [] : [pid])),
    stop: async () => {
      isStopped = true
      await Promise.all([...processes].map(process => process.stop()))
    },
  }
}

/** The template's variables and those that Lambda sets; the credentials are ones that no emulator checks. */
function environmentOf(plan: FunctionPlan, endpoint: string): Record<string, string> {
  return {
    ...plan.environment,
    PATH: process.env['PATH'] ?? '',
    TZ: 'UTC',
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCOUNT_ID: ACCOUNT_ID,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL: endpoint,
    AWS_LAMBDA_FUNCTION_NAME: plan.functionName,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(plan.memoryMb),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${plan.functionName}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    MILLRACE_LOCAL_FUNCTION_ARN: plan.functionArn,
    _HANDLER: plan.handler,
  }
}
