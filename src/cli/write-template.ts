// serverless.yml as CloudFormation, by osls, with no network and no credentials. osls works in a folder of links to the
// repo, because it writes to a fixed place (.serverless) and two packages may be made at once.
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { CommandError } from './errors.ts'
import type { Arch } from './onnx-runtime-files.ts'

export interface TemplateOptions {
  readonly arch: Arch
  readonly stage: string
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface PackagedTemplate {
  /** The CloudFormation template, JSON. */
  readonly text: string
  /** `service` of serverless.yml. */
  readonly service: string
}

const SERVICE_FILE = 'serverless.yml'
/** osls takes no link for its own file. */
const NOT_LINKED: ReadonlySet<string> = new Set([SERVICE_FILE, '.serverless', '.git'])
/** Enough of osls's output to see what it did not like. */
const OUTPUT_CHARACTERS_MAX = 2000

/** Throws CommandError. */
export async function packageTemplate(cwd: string, options: TemplateOptions): Promise<PackagedTemplate> {
  if (!existsSync(join(cwd, SERVICE_FILE))) {
    throw new CommandError(`There is no ${SERVICE_FILE} in ${cwd}`, {
      code: 'service-missing',
      next: 'Run this in a repo that uses Millrace, or make one: npx millrace init NAME.',
    })
  }
  const osls = oslsCommand(cwd)
  const folder = mkdtempSync(join(tmpdir(), 'millrace-osls-'))
  try {
    copyFileSync(join(cwd, SERVICE_FILE), join(folder, SERVICE_FILE))
    for (const name of readdirSync(cwd)) {
      if (!NOT_LINKED.has(name)) symlinkSync(join(cwd, name), join(folder, name))
    }
    const words = [osls, 'package', '--stage', options.stage, '--param', `arch=${options.arch}`]
    await run(words, folder, withoutAws(options.env))
    const written = (name: string): string => readFileSync(join(folder, '.serverless', name), 'utf8')
    const state = JSON.parse(written('serverless-state.json')) as { readonly service: { readonly service: string } }
    return { text: written('cloudformation-template-update-stack.json'), service: state.service.service }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function oslsCommand(cwd: string): string {
  try {
    const manifest = createRequire(join(cwd, 'package.json')).resolve('serverless/package.json')
    return join(dirname(manifest), 'bin', 'serverless.js')
  } catch (error) {
    throw new CommandError(`osls is not installed in ${cwd}`, {
      code: 'tool-missing',
      next: 'npm install --save-dev --save-exact serverless@npm:osls@4.3.1',
      cause: error,
    })
  }
}

/** Packaging needs no account, so it gets none. */
function withoutAws(env: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith('AWS_'))
  return { ...Object.fromEntries(kept), CI: '1' }
}

function run(words: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, words, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-OUTPUT_CHARACTERS_MAX)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', reject)
    child.on('close', code => {
      if (code === 0) return resolve()
      reject(
        new CommandError(`serverless.yml cannot be packaged:\n${output.trim()}`, {
          code: 'template-failed',
          next: 'Compare serverless.yml with the one in the package millrace.',
        }),
      )
    })
  })
}
