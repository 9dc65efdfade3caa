// One execution environment of a function: a child process that is started, given one event at a time, and killed when it
// takes longer than its timeout. What happens to it while an event is in its hands is a function error, as on Lambda.
import { type ChildProcess, fork } from 'node:child_process'
import { extname } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { randomUUID } from 'node:crypto'
import type { InvokeOutcome } from './invoke-outcome.ts'
import type { InvokeMessage, RuntimeError, RuntimeMessage } from './runtime-protocol.ts'

export interface FunctionProcess {
  readonly pid: number | undefined
  /** False once it ended, for whatever reason; it then takes no more events. */
  isAlive(): boolean
  /** When the handler is loaded, or the reason why it never will be. */
  readonly started: Promise<RuntimeError | undefined>
  invoke(event: string): Promise<InvokeOutcome>
  stop(): Promise<void>
}

export interface FunctionProcessOptions {
  readonly codeFolder: string
  readonly environment: Readonly<Record<string, string>>
  readonly memoryMb: number
  readonly timeoutMs: number
  readonly log: (line: string) => void
}

/** Generous beside Lambda's 10 s: a laptop starts several functions at once on two cores. */
const INIT_TIMEOUT_MS = 60_000

/** `.ts` in this repo, `.js` in the compiled package. */
const RUNTIME_FILE = fileURLToPath(new URL(`./lambda-runtime${extname(import.meta.url)}`, import.meta.url))

export function startFunctionProcess(options: FunctionProcessOptions): FunctionProcess {
  const child = fork(RUNTIME_FILE, [], {
    cwd: options.codeFolder,
    env: { ...options.environment },
    execArgv: [`--max-old-space-size=${options.memoryMb}`],
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', options.log)
  }
  const ended = endOf(child)
  let hasEnded = false
  void ended.then(() => {
    hasEnded = true
  })
  const started = startOf(child, ended)
  return {
    pid: child.pid,
    isAlive: () => !hasEnded && !child.killed && child.connected,
    started,
    invoke: async event => {
      const initError = await started
      if (initError !== undefined) return { kind: 'failed', ...initError }
      return invokeOnce(child, ended, event, options.timeoutMs)
    },
    stop: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** Resolves, with how it ended, when the process is gone; never rejects. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise(resolve => {
    child.once('error', error => resolve(`cannot run: ${error.message}`))
    child.once('exit', (code, signal) => resolve(signal === null ? `exit status ${code}` : `signal ${signal}`))
  })
}

async function startOf(child: ChildProcess, ended: Promise<string>): Promise<RuntimeError | undefined> {
  const outcome = await firstOf(child, ended, INIT_TIMEOUT_MS, message =>
    message.kind === 'ready' ? 'ready' : message.kind === 'init-failed' ? message.error : undefined,
  )
  if (outcome === 'ready') return undefined
  child.kill('SIGKILL')
  if (outcome === 'timeout') return failure('Sandbox.InitTimedout', `not loaded after ${INIT_TIMEOUT_MS / 1000} s`)
  return typeof outcome === 'string' ? failure('Runtime.ExitError', `ended while loading: ${outcome}`) : outcome
}

async function invokeOnce(
  child: ChildProcess,
  ended: Promise<string>,
  event: string,
  timeoutMs: number,
): Promise<InvokeOutcome> {
  const requestId = randomUUID()
  const answered = firstOf(child, ended, timeoutMs, message =>
    (message.kind === 'returned' || message.kind === 'failed') && message.requestId === requestId ? message : undefined,
  )
  const message: InvokeMessage = { requestId, event, deadlineMs: Date.now() + timeoutMs }
  // A process that went away meanwhile cannot be told; that it ended is what `answered` then says.
  child.send(message, () => undefined)
  const outcome = await answered
  if (outcome === 'timeout') {
    child.kill('SIGKILL')
    return {
      kind: 'failed',
      ...failure('Sandbox.Timedout', `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`),
    }
  }
  if (typeof outcome === 'string')
    return { kind: 'failed', ...failure('Runtime.ExitError', `the process ended: ${outcome}`) }
  return outcome.kind === 'returned'
    ? { kind: 'returned', payload: outcome.payload }
    : { kind: 'failed', ...outcome.error }
}

/** The first message that `pick` wants, how the process ended, or 'timeout': whichever comes first. */
async function firstOf<Picked>(
  child: ChildProcess,
  ended: Promise<string>,
  timeoutMs: number,
  pick: (message: RuntimeMessage) => Picked | undefined,
): Promise<Picked | string> {
  let timer: NodeJS.Timeout | undefined
  let listener: ((message: unknown) => void) | undefined
  try {
    return await Promise.race([
      ended,
      new Promise<Picked>(resolve => {
        listener = message => {
          const picked = pick(message as RuntimeMessage)
          if (picked !== undefined) resolve(picked)
        }
        child.on('message', listener)
      }),
      new Promise<string>(resolve => {
        timer = setTimeout(resolve, timeoutMs, 'timeout')
      }),
    ])
  } finally {
    clearTimeout(timer)
    if (listener !== undefined) child.off('message', listener)
  }
}

function failure(errorType: string, errorMessage: string): RuntimeError {
  return { errorType, errorMessage, trace: [] }
}
