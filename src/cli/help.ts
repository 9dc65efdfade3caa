// Help as text, made from the registry (general) and from a command's own declaration.
import type { Command, CommandEntry, CommandOption } from './command.ts'
import { optionsOf } from './parse-command-line.ts'

export function generalHelp(entries: readonly CommandEntry[], version: string): string {
  return [
    `millrace ${version}: streaming features and predictions on AWS, with no cluster to run`,
    '',
    'Usage: millrace <command> [options]',
    '',
    ...columns(entries.map(entry => [entry.name, entry.summary])),
    '',
    'millrace <command> --help says more. Every command takes --json.',
    '',
  ].join('\n')
}

export function commandHelp(command: Command): string {
  const positionals = command.positionals.map(name => {
    if (name.endsWith('...')) return ` [${name}]`
    return name.endsWith('?') ? ` [${name.slice(0, -1)}]` : ` <${name}>`
  })
  const required = Object.entries(command.options).flatMap(([name, option]) =>
    option.required ? [` --${name} ${valueOf(option)}${option.multiple ? '...' : ''}`] : [],
  )
  const rows = Object.entries(optionsOf(command)).map(([name, option]) => {
    const short = option.short === undefined ? '' : `-${option.short}, `
    const value = option.type === 'string' ? ` ${valueOf(option)}` : ''
    const fallback = option.default === undefined ? '' : ` Default: ${option.default}.`
    return [`${short}--${name}${value}`, `${option.description}${fallback}`] as const
  })
  return [
    `Usage: millrace ${command.name}${positionals.join('')}${required.join('')} [options]`,
    '',
    command.summary,
    '',
    ...columns(rows),
    '',
  ].join('\n')
}

function valueOf({ value }: CommandOption): string {
  return value ?? 'VALUE'
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
}
