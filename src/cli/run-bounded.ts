// A program that somebody else wrote, run for a while and no longer: it and whatever it started end with its time, or with ours.
import { type ChildProcess, spawn } from 'node:child_process'
import { CommandError } from './errors.ts'

export interface BoundedRun {
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly onOutput: (text: string) => void
}

export type Ending =
  | { readonly kind: 'exited'; readonly exitCode: number }
  /** By a signal of somebody else: out of memory, mostly. */
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'stopped' }

/** Throws CommandError `program-not-found` where it cannot be started. */
export async function runBounded({ command, cwd, env, timeoutMs, signal, onOutput }: BoundedRun): Promise<Ending> {
  const [program = '', ...words] = command
  // A process group of its own, so that what it starts can be ended with it.
  const child = spawn(program, words, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', onOutput)
  }
  let ended: 'timed-out' | 'stopped' | undefined
  const end = (why: 'timed-out' | 'stopped'): void => {
    ended ??= why
    killGroup(child)
  }
  const timer = setTimeout(end, timeoutMs, 'timed-out')
  const onStop = (): void => end('stopped')
  signal.addEventListener('abort', onStop)
  try {
    const { code, signalName } = await exitOf(child, program)
    if (ended !== undefined) return { kind: ended }
    return code === null ? { kind: 'killed', signal: signalName ?? '' } : { kind: 'exited', exitCode: code }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onStop)
    killGroup(child)
    child.stdout.destroy()
    child.stderr.destroy()
  }
}

function exitOf(
  child: ChildProcess,
  program: string,
): Promise<{ readonly code: number | null; readonly signalName: string | null }> {
  return new Promise((resolve, reject) => {
    child.on('error', cause => {
      reject(
        new CommandError(`${program} cannot be started`, {
          code: 'program-not-found',
          next: 'Install it, or put it on the PATH.',
          cause,
        }),
      )
    })
    child.on('exit', (code, signalName) => resolve({ code, signalName }))
  })
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // Nothing of it is left.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
