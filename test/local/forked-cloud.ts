// Starts a local cloud as a process of its own and talks to it. `kill` is SIGKILL: nothing in it hears of its end; its functions end
// by themselves when it is gone.
import { type ChildProcess, fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { LocalStatus } from '../../localstack/local-api.ts'
import type { TableCapacity } from './table-capacity.ts'
import type { CloudAnswer, CloudOptions, CloudRequest } from './cloud-child.ts'

export interface ForkedCloud {
  readonly endpoint: string
  readonly pid: number
  /** The last of what it said. */
  readonly lastLines: readonly string[]
  drain(timeoutMs: number): Promise<void>
  status(): Promise<LocalStatus>
  reachDynamodb(isReachable: boolean): Promise<void>
  /** From now on each table takes so many puts and no more. */
  limitPuts(capacity: TableCapacity): Promise<void>
  kill(): Promise<void>
  stop(): Promise<void>
}

const CHILD_FILE = fileURLToPath(new URL('./cloud-child.ts', import.meta.url))
const LINES_MAX = 30

export interface ForkOptions {
  /** As V8 finds right for the machine unless given: it collects garbage by how much there is. */
  readonly heapMb?: number
  /** Besides those of this process. */
  readonly variables?: Readonly<Record<string, string>>
}

/** Rejects with what it said where it ends before it is up. */
export async function forkCloud(options: CloudOptions, { heapMb, variables }: ForkOptions = {}): Promise<ForkedCloud> {
  const child = fork(CHILD_FILE, [JSON.stringify(options)], {
    execArgv: ['--conditions=millrace-source', ...(heapMb === undefined ? [] : [`--max-old-space-size=${heapMb}`])],
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const ended = new Promise<void>(resolve => void child.once('exit', () => resolve()))
  const lastLines = linesOf(child)
  const waiting = new Map<number, (answer: CloudAnswer) => void>()
  const answerTo = (number: number): Promise<unknown> =>
    new Promise((resolve, reject) => {
      waiting.set(number, reply => ('error' in reply ? reject(new Error(reply.error)) : resolve(reply.value)))
      void ended.then(() => reject(new Error(`the cloud ended:\n${lastLines.join('\n')}`)))
    })
  child.on('message', message => {
    const reply = message as CloudAnswer
    waiting.get(reply.number)?.(reply)
    waiting.delete(reply.number)
  })
  let number = 0
  const ask = (request: CloudRequest): Promise<unknown> => {
    const answered = answerTo(++number)
    child.send({ number, request }, () => undefined)
    return answered
  }
  const { endpoint } = (await answerTo(0)) as { readonly endpoint: string }
  return {
    endpoint,
    pid: child.pid ?? 0,
    lastLines,
    drain: async timeoutMs => void (await ask({ ask: 'drain', timeoutMs })),
    status: async () => (await ask({ ask: 'status' })) as LocalStatus,
    reachDynamodb: async isReachable => void (await ask({ ask: 'dynamodb', isReachable })),
    limitPuts: async capacity => void (await ask({ ask: 'capacity', capacity })),
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    },
    stop: async () => {
      if (child.connected) await ask({ ask: 'stop' }).catch(() => undefined)
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

function linesOf(child: ChildProcess): readonly string[] {
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue
    createInterface({ input: stream }).on('line', line => void (lines.push(line) > LINES_MAX && lines.shift()))
  }
  return lines
}
