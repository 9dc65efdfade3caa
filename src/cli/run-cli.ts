// The frame around every command: finds it, checks its words, runs it, and turns whatever happens into an exit code.
// 0: done (help too). 1: it failed, with a code and a next step. 2: the command line is wrong.
import { MillraceError } from '../platform/errors.ts'
import type { Command, CommandContext, CommandEntry } from './command.ts'
import { UsageError } from './errors.ts'
import { commandHelp, generalHelp } from './help.ts'
import { findCommand, parseCommandLine } from './parse-command-line.ts'
import { progressOn, SILENT_PROGRESS } from './progress.ts'

export const EXIT_DONE = 0
export const EXIT_FAILED = 1
export const EXIT_USAGE = 2

/** What the process gives to the frame; the rest of a command's context is made from it. */
export type CliWorld = Pick<CommandContext, 'stdout' | 'stderr' | 'stdin' | 'env' | 'cwd' | 'clock'> & {
  /** Called only for a command that runs until it is stopped. */
  onStop(): AbortSignal
  version(): string
}

export async function runCli(
  words: readonly string[],
  entries: readonly CommandEntry[],
  world: CliWorld,
): Promise<number> {
  const isJson = words.includes('--json')
  try {
    const first = words[0]
    if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
      world.stdout.write(generalHelp(entries, world.version()))
      return first === undefined ? EXIT_USAGE : EXIT_DONE
    }
    if (first === '--version' || first === '-v') {
      world.stdout.write(`${world.version()}\n`)
      return EXIT_DONE
    }
    const { entry, rest } = findCommand(words, entries)
    const { command } = await entry.load()
    return await runCommand(command, rest, world)
  } catch (error) {
    world.stderr.write(describeError(error, isJson))
    return error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED
  }
}

async function runCommand(command: Command, words: readonly string[], world: CliWorld): Promise<number> {
  const parsed = parseCommandLine(command, words)
  if (parsed.isHelp) {
    world.stdout.write(commandHelp(command))
    return EXIT_DONE
  }
  const context: CommandContext = {
    stdout: world.stdout,
    stderr: world.stderr,
    stdin: world.stdin,
    env: world.env,
    cwd: world.cwd,
    clock: world.clock,
    isJson: parsed.isJson,
    isDryRun: parsed.isDryRun,
    signal: command.runsUntilStopped ? world.onStop() : new AbortController().signal,
    result(value, forPeople) {
      world.stdout.write(parsed.isJson ? `${JSON.stringify(value)}\n` : `${[forPeople()].flat().join('\n')}\n`)
    },
    progress: (label, total) => (parsed.isJson ? SILENT_PROGRESS : progressOn(world.stderr, label, total, world.clock)),
  }
  await command.run(context, parsed.args)
  return EXIT_DONE
}

/** A MillraceError says what to do; anything else is a bug here, and its stack is what helps to find it. */
function describeError(error: unknown, isJson: boolean): string {
  if (error instanceof MillraceError) {
    const { message, code, next } = error
    const cause = causeOf(error)
    if (isJson) return `${JSON.stringify({ error: { code, message, cause, next } })}\n`
    return [
      `${message} (${code})`,
      ...(cause === undefined ? [] : [`Cause: ${cause}`]),
      ...(next === undefined ? [] : [next]),
      '',
    ].join('\n')
  }
  const text = error instanceof Error ? error.message : String(error)
  if (isJson) return `${JSON.stringify({ error: { code: 'unexpected', message: text } })}\n`
  return `Unexpected: ${error instanceof Error ? (error.stack ?? text) : text}\n`
}

/** How deep, and how long each: validators put whole documents into their messages. */
const CAUSES_MAX = 4
const CAUSE_CHARACTERS_MAX = 300

/** `socket hang up`; what caused that follows in one line. */
function causeOf(error: Error): string | undefined {
  const causes: string[] = []
  for (let cause = error.cause; cause !== undefined && causes.length < CAUSES_MAX; ) {
    causes.push(describeCause(cause))
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return causes.length === 0 ? undefined : causes.join(', because of ')
}

/** An error's name where it says more than that it is one. */
function describeCause(cause: unknown): string {
  const isPlain = !(cause instanceof Error) || cause.name === 'Error' || cause.name === cause.message
  const text = cause instanceof Error ? cause.message : String(cause)
  return `${isPlain ? '' : `${cause.name}: `}${text}`.replaceAll(/\s+/g, ' ').trim().slice(0, CAUSE_CHARACTERS_MAX)
}
