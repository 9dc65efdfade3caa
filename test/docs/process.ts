// Commands as a reader types them, and the local cloud that they talk to.
import { type ChildProcess, spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { ROOT } from '../tidy/source-files.ts'

export interface Ended {
  readonly code: number | null
  readonly output: string
}

/** Bash stops at the first command that fails. */
export function bash(script: string, cwd: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
      cwd,
      env: readerEnv(),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => void (output += chunk.toString('utf8')))
    child.stderr.on('data', (chunk: Buffer) => void (output += chunk.toString('utf8')))
    child.on('error', reject)
    child.on('close', code => resolve({ code, output }))
  })
}

export interface RunningCloud {
  readonly endpoint: string
  stop(): Promise<void>
}

/** `millrace local` in the folder, on a port of its own. Rejects with what it said where it ends by itself. */
export function millraceLocal(cwd: string, port: number): Promise<RunningCloud> {
  const child = spawn(process.execPath, [join(ROOT, 'bin', 'millrace.mjs'), 'local', '--port', String(port)], {
    cwd,
    env: readerEnv(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return new Promise((resolve, reject) => {
    let output = ''
    const hear = (chunk: Buffer): void => {
      output += chunk.toString('utf8')
      const endpoint = / runs at (http:\/\/127\.0\.0\.1:\d+)/.exec(output)?.[1]
      if (endpoint !== undefined) resolve({ endpoint, stop: () => stop(child) })
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.on('error', reject)
    child.on('close', code => reject(new Error(`millrace local ended with ${String(code)}:\n${output}`)))
  })
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise(resolve => child.once('close', resolve))
  child.kill('SIGTERM')
  await ended
}

/** A reader has no vitest around, and Node 24 comes with the repo. */
function readerEnv(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|VITEST|NODE_ENV|NODE_OPTIONS|AWS_)/.test(name))
  const bin = join(ROOT, 'node_modules', '.bin')
  return { ...Object.fromEntries(kept), PATH: [bin, process.env['PATH']].join(delimiter) }
}
