// A model that nobody has run yet is opened in a process that is thrown away: one that takes the memory, never ends, or brings its
// process down takes nothing of ours with it. For whoever publishes and promotes; a function opens what has passed.
import { type ChildProcess, fork } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MillraceError } from '../platform/errors.ts'
import { ModelError } from './errors.ts'
import type { OpenSession } from './model-session.ts'
import type { Artifact } from './read-artifact.ts'
import { rssBytesOf } from './trial-memory.ts'
import type { TrialAnswer, TrialQuestion } from './trial-message.ts'

export interface TrialLimits {
  /** From the start of the process until the golden rows have run. */
  readonly trialMs: number
  /** Resident memory of the process, with Node and the runtime, some 90 MB. */
  readonly rssBytes: number
  /** Of JavaScript alone: what the runtime takes is not in it. */
  readonly heapBytes: number
}

/** A function is given some seconds at a cold start and 1,769 MB, of which a part is for the users of a batch. */
export const TRIAL_LIMITS: TrialLimits = { trialMs: 20_000, rssBytes: 1_073_741_824, heapBytes: 268_435_456 }

export interface TrialOptions {
  readonly limits?: Partial<TrialLimits>
  /** Another process than the one with the runtime in it, for tests. */
  readonly processFile?: string
}

/** Throws as `trialLoad` does, and then as `openSession`. */
export function tryThenOpen(openSession: OpenSession, options: TrialOptions = {}): OpenSession {
  return async (artifact, batchId) => {
    await trialLoad(artifact, options)
    return openSession(artifact, batchId)
  }
}

export interface Trial {
  /** The most memory that the process had. */
  readonly rssBytesMax: number
}

/**
 * Throws ModelError `model-too-slow`, `model-too-much-memory`, `model-crashed`, and what opening throws: `model-refused`, `golden-differs` …
 * Throws MillraceError `trial-not-started`.
 */
export async function trialLoad(artifact: Artifact, { limits = {}, processFile }: TrialOptions = {}): Promise<Trial> {
  const { trialMs, rssBytes, heapBytes } = { ...TRIAL_LIMITS, ...limits }
  const { name } = artifact.manifest
  const child = startProcess(processFile ?? ownProcessFile(), heapBytes)
  const guard = new AbortController()
  try {
    const answer = await Promise.race([
      answerOf(child, artifact),
      tooSlow(name, trialMs, guard.signal),
      tooMuchMemory(name, child, rssBytes, guard.signal),
    ])
    return judge(name, answer, rssBytes)
  } finally {
    guard.abort()
    child.kill('SIGKILL')
  }
}

function judge(name: string, answer: TrialAnswer, rssBytes: number): Trial {
  if (answer.kind === 'crashed') {
    if (answer.isOfMemory) throw overMemory(name, 'it could not get what it wanted', answer.words)
    throw new ModelError(`${name} brought down the process that tried it, by ${answer.by}`, {
      code: 'model-crashed',
      next: 'Export it anew, with other settings or another release of the exporter; it would bring down every function.',
      ...(answer.words === '' ? {} : { cause: new Error(answer.words) }),
    })
  }
  if (answer.kind === 'refused') {
    const { message, code, next, cause } = answer
    if (answer.isOfMemory) throw overMemory(name, 'it could not get what it wanted', cause ?? message)
    throw new ModelError(message, {
      code,
      ...(next === undefined ? {} : { next }),
      ...(cause === undefined ? {} : { cause: new Error(cause) }),
    })
  }
  // What was taken and given back between two looks.
  if (answer.rssBytesMax > rssBytes) throw overMemory(name, `${answer.rssBytesMax} bytes, over ${rssBytes}`)
  return { rssBytesMax: answer.rssBytesMax }
}

const PROCESS_FILE = './onnx-trial-process.ts'

/** Beside this one, in TypeScript or built. */
function ownProcessFile(): string {
  return fileURLToPath(new URL(PROCESS_FILE.replace('.ts', extname(import.meta.url)), import.meta.url))
}

/** What the system needs to start a program; no credentials. */
const VARIABLES = ['PATH', 'LD_LIBRARY_PATH', 'SystemRoot', 'TMPDIR', 'TEMP']
const BYTES_PER_MB = 1_048_576

function startProcess(file: string, heapBytes: number): ChildProcess {
  return fork(file, [], {
    execArgv: [`--max-old-space-size=${Math.ceil(heapBytes / BYTES_PER_MB)}`],
    env: Object.fromEntries(VARIABLES.map(name => [name, process.env[name]])),
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
}

const WORDS_MAX = 2_000
/** What Node and C++ say as they die for want of memory; there is no code for it. */
const MEMORY_WORDS = /heap out of memory|bad_alloc|Cannot allocate memory/

/** What the process says, or that it ended without a word. */
function answerOf(child: ChildProcess, { manifest, model, golden }: Artifact): Promise<TrialAnswer> {
  return new Promise((resolve, reject) => {
    let words = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-WORDS_MAX)
    })
    child.once('message', (answer: TrialAnswer) => resolve(answer))
    child.once('error', cause => {
      reject(
        new MillraceError('No process could be started to try the model in', {
          code: 'trial-not-started',
          retriable: true,
          next: 'Read the cause; mostly the machine has no memory or no processes left.',
          cause,
        }),
      )
    })
    // `close`, not `exit`: its last words have come by then.
    child.once('close', (code, signal) => {
      const by = signal ?? `exit code ${code}`
      resolve({ kind: 'crashed', by, words: words.trim(), isOfMemory: MEMORY_WORDS.test(words) })
    })
    const question: TrialQuestion = { manifest, model, ...(golden === undefined ? {} : { golden }) }
    // A process that is gone before it has read says so by `close`.
    child.send(question, () => undefined)
  })
}

function tooSlow(name: string, trialMs: number, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(() => {
      reject(
        new ModelError(`${name} was not loaded and tried within ${trialMs} ms`, {
          code: 'model-too-slow',
          next: 'Train a smaller model, or take loops out of its graph.',
        }),
      )
    }, trialMs)
    signal.addEventListener('abort', () => clearTimeout(timer))
  })
}

/** A runtime fills some 2 GB a second: between two looks it gets no further than 50 MB. */
const LOOK_MS = 25

function tooMuchMemory(name: string, child: ChildProcess, rssBytes: number, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    let isLooking = false
    const look = async (): Promise<void> => {
      if (isLooking || child.pid === undefined) return
      isLooking = true
      const bytes = await rssBytesOf(child.pid)
      isLooking = false
      if (bytes !== undefined && bytes > rssBytes) reject(overMemory(name, `${bytes} bytes, over ${rssBytes}`))
    }
    const timer = setInterval(() => void look(), LOOK_MS)
    signal.addEventListener('abort', () => clearInterval(timer))
  })
}

function overMemory(name: string, what: string, words = ''): ModelError {
  return new ModelError(`${name} takes too much memory: ${what}`, {
    code: 'model-too-much-memory',
    next: 'Train a smaller model; what its graph makes on the way counts too.',
    ...(words === '' ? {} : { cause: new Error(words) }),
  })
}
