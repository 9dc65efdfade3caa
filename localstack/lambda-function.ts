// A function with its execution environments: one process takes one event at a time, so a second shard or request gets a
// process of its own, up to a small number; beyond it they wait their turn.
import type { FunctionPlan } from './deployment-plan.ts'
import { LocalCloudError } from './errors.ts'
import { type FunctionProcess, startFunctionProcess } from './function-process.ts'
import type { InvokeOutcome } from './invoke-outcome.ts'
import { processPool } from './process-pool.ts'
import { ACCOUNT_ID, REGION } from './resource-identity.ts'
import { PAYLOAD_BYTES_MAX } from './runtime-protocol.ts'

export interface LambdaFunction {
  readonly plan: FunctionPlan
  /** What its processes get as environment variables. */
  readonly environment: Readonly<Record<string, string>>
  /** Never rejects for what the function does; rejects when its code cannot be unpacked. */
  readonly invoke: (event: string) => Promise<InvokeOutcome>
  /** Starts a process if there is none and waits until the handler is loaded. */
  readonly warm: () => Promise<void>
  readonly pids: () => readonly number[]
  readonly stop: () => Promise<void>
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
  let isStopped = false
  const pool = processPool<FunctionProcess>({
    processesMax: options.environmentsMax,
    start: async () => {
      const codeFolder = await options.codeFolder()
      if (isStopped) throw new LocalCloudError(`${plan.functionName} was stopped`, { code: 'function-stopped' })
      return startFunctionProcess({
        codeFolder,
        environment: { ...environment, LAMBDA_TASK_ROOT: codeFolder },
        memoryMb: plan.memoryMb,
        timeoutMs: plan.timeoutMs,
        log: options.log,
      })
    },
  })
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
      return pool.use(process => process.invoke(event))
    },
    warm: () =>
      pool.use(async process => {
        await process.started
      }),
    pids: () => pool.members().flatMap(({ pid }) => (pid === undefined ? [] : [pid])),
    stop: async () => {
      isStopped = true
      await Promise.all(pool.members().map(process => process.stop()))
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
