// What was asked of `npm run drill`, from its words.
import { parseArgs } from 'node:util'
import type { Drill } from './drill.ts'

export type Asked =
  | { readonly problem: string }
  | { readonly kind: 'help' }
  | { readonly kind: 'list'; readonly isJson: boolean }
  | { readonly kind: 'run'; readonly drills: readonly Drill[]; readonly isJson: boolean; readonly isBroken: boolean }

export const HELP_LINES: readonly string[] = [
  'Usage: npm run drill -- NAME... [options]',
  '',
  'Makes a failure for real in a deployment on this machine, shows how it is seen, and mends it as docs/runbook.md says.',
  'Ends with 0 where all that must hold then holds, with 1 where anything does not, with 2 where it was not understood.',
  '',
  'Options:',
  '  --all           Every drill, one after the other.',
  '  --list          Show the drills.',
  '  --json          One line of JSON a drill; the story goes to stderr.',
  '  --leave-it-out  Leave the failure out: the drill must then end with 1, for it looks.',
  '  --help          Show this.',
]

export function askedOf(words: readonly string[], drills: readonly Drill[]): Asked {
  let parsed
  try {
    parsed = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        all: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        'leave-it-out': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
  const { values, positionals } = parsed
  if (values.help) return { kind: 'help' }
  if (values.list) return { kind: 'list', isJson: values.json }
  const unknown = positionals.find(name => !drills.some(drill => drill.name === name))
  const known = drills.map(({ name }) => name).join(', ')
  if (unknown !== undefined) return { problem: `There is no drill "${unknown}"; there are ${known}` }
  if (values.all === positionals.length > 0) return { problem: `Name a drill, or give --all. There are ${known}` }
  const wanted = values.all ? drills : drills.filter(({ name }) => positionals.includes(name))
  return { kind: 'run', drills: wanted, isJson: values.json, isBroken: !values['leave-it-out'] }
}

export function listLines(drills: readonly Drill[]): readonly string[] {
  const width = Math.max(...drills.map(({ name }) => name.length))
  return drills.map(({ name, summary }) => `${name.padEnd(width)}  ${summary}`)
}
