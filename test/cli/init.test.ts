import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { COMMANDS } from '../../src/cli/commands.ts'
import { packageFacts } from '../../src/cli/package-root.ts'
import { runCli } from '../../src/cli/run-cli.ts'
import { testWorld } from './cli-world.ts'

const { root, version, devDependencies } = packageFacts()
let cwd: string

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'millrace-init-'))
})
afterEach(() => rmSync(cwd, { recursive: true }))

async function init(...words: readonly string[]) {
  const world = testWorld({ cwd })
  const code = await runCli(['init', ...words, '--json'], COMMANDS, world)
  return { code, ...world.written }
}

const read = (...path: readonly string[]): string => readFileSync(join(cwd, ...path), 'utf8')

describe('millrace init', () => {
  it('writes what it lists, with the dot files that npm would not have carried', async () => {
    const { code, stdout } = await init('orders')
    expect(code).toBe(0)
    const written = readdirSync(join(cwd, 'orders'), { recursive: true, withFileTypes: true }).filter(one =>
      one.isFile(),
    )
    const { files } = JSON.parse(stdout) as { readonly files: readonly string[] }
    expect(files.length).toBe(written.length)
    expect(files.filter(path => !existsSync(join(cwd, 'orders', path)))).toEqual([])
    expect(files).toEqual(expect.arrayContaining(['.gitignore', '.npmrc', join('models', '.gitkeep')]))
  })

  it("has the package's own functions byte for byte, and its serverless.yml but for the name", async () => {
    await init('orders')
    for (const file of readdirSync(join(root, 'functions'))) {
      expect(read('orders', 'functions', file)).toBe(readFileSync(join(root, 'functions', file), 'utf8'))
    }
    const own = readFileSync(join(root, 'serverless.yml'), 'utf8').split('\n')
    const changed = read('orders', 'serverless.yml')
      .split('\n')
      .filter((line, index) => line !== own[index])
    expect(changed).toEqual(['service: orders'])
  })

  it('calls pipeline, service and package by the name', async () => {
    await init('orders')
    expect(read('orders', 'src', 'pipeline', 'index.ts')).toContain("name: 'orders'")
    expect(JSON.parse(read('orders', 'package.json'))).toMatchObject({
      name: 'orders',
      dependencies: { millrace: version },
    })
    expect(read('orders', 'README.md')).toMatch(/^# orders\n/)
  })

  it('takes the tools at the very versions that Millrace was tested with', async () => {
    await init('orders')
    const manifest = JSON.parse(read('orders', 'package.json')) as { readonly devDependencies: Record<string, string> }
    expect(Object.keys(manifest.devDependencies)).toContain('esbuild')
    for (const [name, spec] of Object.entries(manifest.devDependencies)) expect(spec).toBe(devDependencies[name])
  })

  it('depends on a tarball by its whole path, and on a range as it is written', async () => {
    writeFileSync(join(cwd, 'm.tgz'), '')
    await init('orders', '--millrace', './m.tgz')
    await init('returns', '--millrace', '^9.0.0')
    const dependency = (name: string): unknown => JSON.parse(read(name, 'package.json')).dependencies.millrace
    expect(dependency('orders')).toBe(`file:${join(cwd, 'm.tgz')}`)
    expect(dependency('returns')).toBe('^9.0.0')
  })

  it('writes nothing on a dry run', async () => {
    const { code, stdout } = await init('orders', '--dry-run')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ written: false })
    expect(readdirSync(cwd)).toEqual([])
  })

  it('takes an empty folder and refuses one that is not, leaving it as it is', async () => {
    mkdirSync(join(cwd, 'orders'))
    expect((await init('orders')).code).toBe(0)
    writeFileSync(join(cwd, 'orders', 'serverless.yml'), 'mine')
    const { code, stderr } = await init('orders')
    expect(code).toBe(1)
    expect(JSON.parse(stderr).error.code).toBe('folder-not-empty')
    expect(read('orders', 'serverless.yml')).toBe('mine')
  })

  it.each(['Orders', 'or', '../orders', 'a'.repeat(33)])('refuses the name "%s"', async name => {
    expect((await init(name)).code).toBe(2)
    expect(readdirSync(cwd)).toEqual([])
  })
})
