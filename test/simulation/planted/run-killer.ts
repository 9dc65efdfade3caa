// One killer on one copy of the code, in a process of its own: a bug may spin or crash, and nothing of it stays behind. Killed is a bug
// only where an oracle or an expectation said so: code that does not even load proves nothing about the tests.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import * as z from 'zod/mini'
import type { Killer } from './bug.ts'

export type Verdict =
  /** `by`: the seed, or the test. */
  | { readonly outcome: 'killed'; readonly by: string }
  | { readonly outcome: 'alive' }
  /** Neither holds nor fails: it did not load, or did not end. */
  | { readonly outcome: 'broken'; readonly detail: string }

export interface KillerRun {
  readonly verdict: Verdict
  readonly tookMs: number
}

/** A bug that makes the simulated cloud run for ever is no proof either: its oracles have to say so. */
const RUN_MS_MAX = 60_000
const DETAIL_CHARACTERS_MAX = 2_000
const FAILED_SEED = /^(seed \d+) fails: (.*)/m

export async function runKiller(folder: string, killer: Killer): Promise<KillerRun> {
  const start = performance.now()
  const verdict = killer.kind === 'simulation' ? await simulate(folder, killer) : await runTests(folder, [killer.file])
  return { verdict, tookMs: performance.now() - start }
}

async function simulate(
  folder: string,
  { fromSeed, seeds }: Extract<Killer, { readonly kind: 'simulation' }>,
): Promise<Verdict> {
  const script = 'test/simulation/planted/find-seed.ts'
  const ended = await runNode(folder, ['--conditions=millrace-source', script, `${fromSeed}`, `${seeds}`])
  if (ended.code === 0) return { outcome: 'alive' }
  const [, seed, why] = FAILED_SEED.exec(ended.out) ?? []
  if (ended.code === 1 && seed !== undefined) return { outcome: 'killed', by: `${seed}: ${why}` }
  return broken(ended)
}

const testReport = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  testResults: z.array(z.object({ assertionResults: z.array(z.object({ status: z.string(), fullName: z.string() })) })),
})

/** All files in one process. */
export async function runTests(folder: string, files: readonly string[]): Promise<Verdict> {
  const reportFile = join(folder, 'report.json')
  const report = ['--reporter=json', `--outputFile=${reportFile}`]
  const ended = await runNode(folder, ['node_modules/vitest/vitest.mjs', 'run', ...report, ...files])
  return verdictOf(ended, testReport.safeParse(readJson(reportFile)))
}

function verdictOf(ended: Ended, report: ReturnType<typeof testReport.safeParse>): Verdict {
  if (!report.success) return broken(ended)
  const { numPassedTests, numFailedTests, testResults } = report.data
  const failed = testResults.flatMap(file => file.assertionResults).find(({ status }) => status === 'failed')
  if (failed !== undefined) return { outcome: 'killed', by: failed.fullName }
  return ended.code === 0 && numFailedTests === 0 && numPassedTests > 0 ? { outcome: 'alive' } : broken(ended)
}

interface Ended {
  /** Undefined: it was stopped. */
  readonly code: number | undefined
  readonly out: string
  readonly errors: string
}

function broken({ code, out, errors }: Ended): Verdict {
  const how = code === undefined ? `did not end within ${RUN_MS_MAX / 1000} s` : `ended with code ${code}`
  return { outcome: 'broken', detail: `${how}\n${(errors || out).slice(-DETAIL_CHARACTERS_MAX)}` }
}

function runNode(folder: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    const [out, errors]: [Buffer[], Buffer[]] = [[], []]
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
    const timer = setTimeout(() => child.kill('SIGKILL'), RUN_MS_MAX)
    child.on('error', reject)
    child.on('close', code => {
      clearTimeout(timer)
      resolve({ code: code ?? undefined, out: text(out), errors: text(errors) })
    })
  })
}

function text(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('utf8')
}

function readJson(path: string): unknown {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
}
