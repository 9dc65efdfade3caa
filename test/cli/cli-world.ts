// A process for the frame to run in: what was written, and a clock that stands still.
import type { CliWorld } from '../../src/cli/run-cli.ts'

export interface TestWorld extends CliWorld {
  readonly written: { stdout: string; stderr: string }
}

export function testWorld(changes: Partial<CliWorld> = {}): TestWorld {
  const written = { stdout: '', stderr: '' }
  return {
    written,
    stdout: { write: text => (written.stdout += text) },
    stderr: { write: text => (written.stderr += text) },
    stdin: (async function* nothing() {})(),
    env: {},
    cwd: '/nowhere',
    clock: () => 0,
    onStop: () => new AbortController().signal,
    version: () => '1.2.3',
    ...changes,
  }
}
