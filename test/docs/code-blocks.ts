// The fenced blocks of README and docs, so that what a reader is told to type is what a test has typed.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface CodeBlock {
  readonly file: string
  /** Line of the opening fence, from 1. */
  readonly line: number
  readonly language: string
  /** The word after the language: where and how the block is run. */
  readonly tag: string
  readonly text: string
}

const FENCE = /^```(\S*)[ ]?(\S*)$/

export function codeBlocks(file: string, text: string): readonly CodeBlock[] {
  const blocks: CodeBlock[] = []
  const lines = text.split('\n')
  for (let index = 0; index < lines.length; index++) {
    const open = FENCE.exec(lines[index] ?? '')
    if (open === null) continue
    const end = lines.indexOf('```', index + 1)
    if (end === -1) throw new Error(`${file}:${index + 1} opens a block that is never closed`)
    const [, language = '', tag = ''] = open
    blocks.push({ file, line: index + 1, language, tag, text: lines.slice(index + 1, end).join('\n') })
    index = end
  }
  return blocks
}

/** README.md and everything in docs/, in order. */
export function documentedBlocks(root: string): readonly CodeBlock[] {
  const docs = readdirSync(join(root, 'docs')).filter(name => name.endsWith('.md'))
  return ['README.md', ...docs.sort().map(name => join('docs', name))].flatMap(file =>
    codeBlocks(file, readFileSync(join(root, file), 'utf8')),
  )
}
