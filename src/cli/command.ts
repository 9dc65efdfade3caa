// What a command is: data about itself (so that help, checks and dry runs are the frame's work) and one function. It sees
// the world only through its context, so a test runs it without a process.
import type { Json } from '../platform/canonical-json.ts'
import type { Clock } from '../platform/clock.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { Progress } from './progress.ts'

export interface CommandOption {
  readonly type: 'string' | 'boolean'
  /** One line for people. */
  readonly description: string
  /** What a string option's value is called in help: `FILE`, `ID`. */
  readonly value?: string
  readonly short?: string
  /** Shown in the usage line, and refused by the frame where it is missing; of string options only. */
  readonly required?: true
  /** May be given more than once. */
  readonly multiple?: true
  readonly default?: string | boolean
}

export interface Command {
  /** One word, or two: `users get`. */
  readonly name: string
  readonly summary: string
  /** Names in order; a trailing `?` marks one that may be left out, a trailing `...` the last one, of any number of words. */
  readonly positionals: readonly string[]
  /** `help`, `json` and (where the command changes things) `dry-run` are the frame's and never listed here. */
  readonly options: Readonly<Record<string, CommandOption>>
  /** It writes somewhere: it gets `--dry-run` and must honour `context.isDryRun`. */
  readonly changesThings?: true
  /** It runs until SIGINT or SIGTERM: `context.signal` is aborted then, and it stops what it started. */
  readonly runsUntilStopped?: true
  run(context: CommandContext, args: CommandArguments): Promise<void>
}

export interface CommandContext {
  readonly stdout: TextWriter
  /** Progress and errors; results go to stdout only. */
  readonly stderr: TextWriter
  readonly stdin: AsyncIterable<string | Uint8Array>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly clock: Clock
  readonly isJson: boolean
  readonly isDryRun: boolean
  readonly signal: AbortSignal
  /** Prints the result once: the value as JSON with --json, else the lines that `forPeople` makes. */
  result(value: Json | object, forPeople: () => string | readonly string[]): void
  /** A bar on a terminal, a line now and then otherwise; silent with --json. */
  progress(label: string, total: number): Progress
}

export interface TextWriter {
  write(text: string): unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/** One line of the registry: enough for help, so that nothing is loaded for it. */
export interface CommandEntry {
  readonly name: string
  readonly summary: string
  readonly load: () => Promise<{ readonly command: Command }>
}
