import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { packageFacts } from '../../src/cli/package-root.ts'

const bin = join(packageFacts().root, 'bin', 'millrace.mjs')

function start(...words: readonly string[]) {
  const child = spawn(process.execPath, [bin, ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')))
  const ended = new Promise<{ code: number | null; signal: string | null }>(resolve =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  )
  return { child, ended, stdout: () => stdout }
}

describe('bin/millrace.mjs', () => {
  it.each([
    [['--help'], 0],
    [['package', '--help'], 0],
    [['nope'], 2],
    [['package', '--arch', 'mips'], 2],
    [['init'], 2],
  ])('%j ends with exit code %i', async (words, code) => {
    expect(await start(...words).ended).toEqual({ code, signal: null })
  })

  it('prints the version of package.json', async () => {
    const { ended, stdout } = start('--version')
    await ended
    expect(stdout()).toBe(`${packageFacts().version}\n`)
  })
})
