// A team's repo, made as a team makes it: the packed tarball, `millrace init`, `npm install`. Only the tools are linked from
// here, because they are devDependencies of both and installing them twice shows nothing.
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadPipeline } from '../../src/cli/load-pipeline.ts'
import { packageFacts } from '../../src/cli/package-root.ts'
import { sampleEvent } from '../../src/cli/sample-event.ts'

const PREPARE_MS_MAX = 150_000
/** Bundling takes 10 s, on a busy machine 30. */
const PACKAGE_MS_MAX = 90_000
const TOOLS = ['@esbuild', '@types', '@typescript', 'esbuild', 'serverless', 'typescript', 'undici-types', 'vitest']

const { root } = packageFacts()
let folder: string
/** Has an unchanged copy of this repo's src/pipeline. */
let copy: string
/** Is what init writes. */
let starter: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-consumer-'))
  await succeed(root, process.execPath, join('scripts', 'build.mjs'))
  await npm(root, 'pack', '--ignore-scripts', '--pack-destination', folder)
  const tarball = readdirSync(folder).find(name => name.endsWith('.tgz')) ?? ''
  const { name } = await loadPipeline(root)
  for (const each of [name, 'shop']) {
    await succeed(folder, process.execPath, join(root, 'bin', 'millrace.mjs'), 'init', each, '--millrace', tarball)
  }
  copy = join(folder, name)
  starter = join(folder, 'shop')
  rmSync(join(copy, 'src', 'pipeline'), { recursive: true })
  cpSync(join(root, 'src', 'pipeline'), join(copy, 'src', 'pipeline'), { recursive: true })
  rmSync(join(copy, 'test'), { recursive: true })
  withoutTools(join(copy, 'package.json'))
  await npm(copy, 'install', '--omit=dev', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error')
  for (const tool of TOOLS) symlinkSync(join(root, 'node_modules', tool), join(copy, 'node_modules', tool))
  symlinkSync(join(copy, 'node_modules'), join(starter, 'node_modules'))
}, PREPARE_MS_MAX)
afterAll(() => rmSync(folder, { recursive: true }))

/** npm installs even with --omit=dev what is a devDependency here and an optional peer of the package. */
function withoutTools(file: string): void {
  const { devDependencies: _, ...manifest } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  writeFileSync(file, JSON.stringify(manifest))
}

describe('a repo that has only the packed package', () => {
  it('type-checks: an unchanged copy of the pipeline, the functions, and what init wrote', async () => {
    for (const repo of [copy, starter])
      expect(await run(repo, ...tool('typescript', 'bin', 'tsc'))).toMatchObject({ code: 0 })
  })

  it('gets a compile error for an input that is no feature', async () => {
    const file = join(starter, 'src', 'pipeline', 'models.ts')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace("'spend90d'", "'spent90d'"))
    const { code, output } = await run(starter, ...tool('typescript', 'bin', 'tsc'))
    writeFileSync(file, text)
    expect(code).not.toBe(0)
    expect(output).toContain('"spent90d"')
  })

  it('sends one event through the unchanged copy of the pipeline', async () => {
    const pipeline = await loadPipeline(root)
    const [contract] = pipeline.events
    if (contract === undefined) throw new Error('The pipeline has no events')
    const event = sampleEvent(contract, {
      typePath: pipeline.typePath,
      id: '1',
      userId: 'u1',
      nowMs: Date.UTC(2026, 0, 2),
    })
    writeFileSync(join(copy, 'event.ndjson'), JSON.stringify(event))
    const { code, output } = await millrace(
      copy,
      'features',
      'preview',
      '--user',
      'u1',
      '--events',
      'event.ndjson',
      '--json',
    )
    expect(output).toContain('"folded":1')
    expect(code).toBe(0)
  })

  it('passes the test that init wrote', async () => {
    expect(await run(starter, ...tool('vitest', 'vitest.mjs'), 'run')).toMatchObject({ code: 0 })
  })

  it(
    'packages its functions for Lambda',
    async () => {
      const { code, output } = await millrace(copy, 'package', '--arch', 'x64', '--json')
      expect({ code, output }).toMatchObject({ code: 0 })
      const { functions } = JSON.parse(output) as { readonly functions: readonly { readonly name: string }[] }
      const names = functions.map(({ name }) => name)
      expect(names).toEqual(['archive', 'catalog', 'compact', 'ingest', 'recompute', 'serve', 'snapshot'])
      expect(readdirSync(join(copy, 'build', 'x64'))).toEqual(
        expect.arrayContaining(['template.json', 'recompute.zip']),
      )
    },
    PACKAGE_MS_MAX,
  )
})

function tool(name: string, ...path: readonly string[]): readonly [string, string] {
  return [process.execPath, join(root, 'node_modules', name, ...path)]
}

function millrace(cwd: string, ...words: readonly string[]) {
  return run(cwd, join('node_modules', '.bin', 'millrace'), ...words)
}

/** npm as it runs this test, if it does. */
function npm(cwd: string, ...words: readonly string[]): Promise<void> {
  const script = process.env['npm_execpath']
  return script === undefined ? succeed(cwd, 'npm', ...words) : succeed(cwd, process.execPath, script, ...words)
}

async function succeed(cwd: string, ...words: readonly [string, ...string[]]): Promise<void> {
  const { code, output } = await run(cwd, ...words)
  if (code !== 0) throw new Error(`${words.join(' ')} ended with ${String(code)}:\n${output}`)
}

function run(
  cwd: string,
  command: string,
  ...words: readonly string[]
): Promise<{ code: number | null; output: string }> {
  // What npm told this run about itself is not meant for the npm of another folder.
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(package|lifecycle|config_local)|VITEST|NODE_ENV)/.test(name),
  )
  const path = [join(cwd, 'node_modules', '.bin'), join(root, 'node_modules', 'node', 'bin'), process.env['PATH']]
  const env = { ...Object.fromEntries(kept), PATH: path.join(delimiter) }
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
    child.on('error', reject)
    child.on('close', code => resolve({ code, output }))
  })
}
