// From words to a command and its arguments. What is wrong is a UsageError that says what was probably meant.
import { parseArgs } from 'node:util'
import { type CommandArguments, commandArguments } from './command-arguments.ts'
import type { Command, CommandEntry, CommandOption } from './command.ts'
import { UsageError } from './errors.ts'
import { nearest } from './nearest.ts'

const HELP: CommandOption = { type: 'boolean', short: 'h', description: 'Show this help.' }
const JSON_OUTPUT: CommandOption = { type: 'boolean', description: 'Print the result as JSON.' }
const DRY_RUN: CommandOption = { type: 'boolean', description: 'Say what would be done, and do nothing.' }

/** A command's own options and the frame's. */
export function optionsOf(command: Command): Readonly<Record<string, CommandOption>> {
  const frame = command.changesThings ? { 'dry-run': DRY_RUN } : {}
  return { ...command.options, ...frame, json: JSON_OUTPUT, help: HELP }
}

export interface FoundCommand {
  readonly entry: CommandEntry
  /** The words after the command's name. */
  readonly rest: readonly string[]
}

/** The registry entry that the first one or two words name. Throws UsageError. */
export function findCommand(words: readonly string[], entries: readonly CommandEntry[]): FoundCommand {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ')
    const entry = words.length >= length ? entries.find(one => one.name === name) : undefined
    if (entry !== undefined) return { entry, rest: words.slice(length) }
  }
  const first = words[0] ?? ''
  const group = entries.map(entry => entry.name).filter(name => name.startsWith(`${first} `))
  if (group.length > 0 && words[1] === undefined) {
    throw new UsageError(`"${first}" is not a command by itself`, `Commands: ${group.join(', ')}.`)
  }
  const typed = group.length > 0 ? words.slice(0, 2).join(' ') : first
  const names = entries.map(entry => entry.name)
  const guess = nearest(typed, names) ?? nearestByFirstWord(first, names)
  throw new UsageError(
    `There is no command "${typed}"`,
    guess === undefined ? 'See millrace --help.' : `Did you mean "${guess}"?`,
  )
}

function nearestByFirstWord(first: string, names: readonly string[]): string | undefined {
  const firstWords = names.map(name => name.split(' ', 1)[0] ?? '')
  const word = nearest(first, firstWords)
  return word === undefined ? undefined : names[firstWords.indexOf(word)]
}

export interface ParsedCommandLine {
  readonly args: CommandArguments
  readonly isHelp: boolean
  readonly isJson: boolean
  readonly isDryRun: boolean
}

/** Checks the words after the command's name against its declaration. Throws UsageError. */
export function parseCommandLine(command: Command, words: readonly string[]): ParsedCommandLine {
  const declared = optionsOf(command)
  const options = Object.fromEntries(Object.entries(declared).map(([name, option]) => [name, toParseArgs(option)]))
  refuseUnknownOption(command, words, declared)
  const { values, positionals } = parseOrThrow(words, options)
  const isHelp = values.help === true
  const { named, rest } = isHelp ? NO_WORDS : namePositionals(command, positionals)
  if (!isHelp) refuseMissingOption(command, values)
  return {
    args: commandArguments(named, values, rest),
    isHelp,
    isJson: values.json === true,
    isDryRun: values['dry-run'] === true,
  }
}

type ParseArgsOption = {
  type: 'string' | 'boolean'
  short?: string
  multiple?: boolean
  default?: string | boolean
}

function toParseArgs(option: CommandOption): ParseArgsOption {
  return {
    type: option.type,
    ...(option.short === undefined ? {} : { short: option.short }),
    ...(option.multiple === undefined ? {} : { multiple: true }),
    ...(option.default === undefined ? {} : { default: option.default }),
  }
}

function parseOrThrow(words: readonly string[], options: Record<string, ParseArgsOption>) {
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true, strict: true })
  } catch (error) {
    // The only thing left to be wrong is an option without its value, or a flag with one.
    throw new UsageError(
      error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error),
      'See --help of this command.',
    )
  }
}

function refuseUnknownOption(
  command: Command,
  words: readonly string[],
  declared: Readonly<Record<string, CommandOption>>,
): void {
  const options = Object.fromEntries(Object.entries(declared).map(([name, option]) => [name, toParseArgs(option)]))
  const { tokens } = parseArgs({ args: [...words], options, allowPositionals: true, strict: false, tokens: true })
  for (const token of tokens) {
    if (token.kind !== 'option' || Object.hasOwn(declared, token.name)) continue
    const guess = nearest(token.name, Object.keys(declared))
    const next = guess === undefined ? `See millrace ${command.name} --help.` : `Did you mean --${guess}?`
    throw new UsageError(`millrace ${command.name} has no option ${token.rawName}`, next)
  }
}

function refuseMissingOption(command: Command, values: Readonly<Record<string, unknown>>): void {
  for (const [name, option] of Object.entries(command.options)) {
    if (!option.required || values[name] !== undefined) continue
    throw new UsageError(`--${name} is missing`, `See millrace ${command.name} --help.`)
  }
}

interface NamedWords {
  readonly named: ReadonlyMap<string, string>
  readonly rest: readonly string[]
}

const NO_WORDS: NamedWords = { named: new Map(), rest: [] }

function namePositionals(command: Command, given: readonly string[]): NamedWords {
  const named = new Map<string, string>()
  const hasRest = command.positionals.at(-1)?.endsWith('...') === true
  const single = hasRest ? command.positionals.slice(0, -1) : command.positionals
  single.forEach((declaration, index) => {
    const isOptional = declaration.endsWith('?')
    const name = isOptional ? declaration.slice(0, -1) : declaration
    const value = given[index]
    if (value !== undefined) named.set(name, value)
    else if (!isOptional) throw new UsageError(`${name} is missing`, `See millrace ${command.name} --help.`)
  })
  const rest = given.slice(single.length)
  if (rest[0] !== undefined && !hasRest)
    throw new UsageError(`"${rest[0]}" is one word too many`, `See millrace ${command.name} --help.`)
  return { named, rest }
}
