// A drill told as it goes: what broke, what you see, what you do, what proves it. What is told is kept, for --json and for the exit code.
import { MillraceError } from '../src/platform/errors.ts'
import type { TextWriter } from '../src/cli/command.ts'

export interface Checked {
  readonly claim: string
  readonly isHeld: boolean
  /** What was found instead. */
  readonly found?: string
}

export interface Story {
  readonly checks: readonly Checked[]
  /** Every command that was typed, with its exit code. */
  readonly commands: readonly { readonly command: string; readonly exitCode: number }[]
  chapter(title: string): void
  say(text: string): void
  /** A command as it was typed, and of its output what is to be looked at. */
  typed(command: string, exitCode: number, lines: readonly string[]): void
  /** Throws DrillFailed where it does not hold. */
  check(claim: string, isHeld: boolean, found?: string): void
}

export class DrillFailed extends MillraceError {}

export function tellStory(writer: TextWriter): Story {
  const checks: Checked[] = []
  const commands: { command: string; exitCode: number }[] = []
  return {
    checks,
    commands,
    chapter: title => void writer.write(`\n${title}\n`),
    say: text => void writer.write(`  ${text}\n`),
    typed(command, exitCode, lines) {
      commands.push({ command, exitCode })
      const shown = lines.flatMap(text => text.split('\n')).filter(line => line.trim() !== '')
      writer.write(`  $ ${command}\n${shown.map(line => `  | ${line}\n`).join('')}`)
      if (exitCode !== 0) writer.write(`  (exit code ${exitCode})\n`)
    },
    check(claim, isHeld, found) {
      checks.push({ claim, isHeld, ...(isHeld || found === undefined ? {} : { found }) })
      writer.write(`  ${isHeld ? 'ok ' : 'NOT'} ${claim}${isHeld || found === undefined ? '' : `: ${found}`}\n`)
      if (isHeld) return
      throw new DrillFailed(`It does not hold that ${claim}${found === undefined ? '' : `: ${found}`}`, {
        code: 'drill-failed',
        next: 'Either Millrace or the runbook is wrong here; what the functions logged is in build/drill.log.',
      })
    },
  }
}
