// Lines of JSON in gzip: small, append-free, and read by zcat, DuckDB and every language without this code.
import { gunzipSync, gzipSync } from 'node:zlib'
import { ArchiveError } from './errors.ts'

export type Line = Readonly<Record<string, string | number>>

/** An invocation carries 6 MB at most (Lambda quotas), so this many plain bytes are damage or an attack. */
const PLAIN_BYTES_MAX = 64 * 1024 * 1024

/** No content encoding: a client that undoes it would hand over plain bytes under a name that ends in .gz. */
export const LINE_FILE_OPTIONS = { contentType: 'application/gzip' } as const

export function plainLines(lines: readonly Line[]): string {
  return lines.map(line => `${JSON.stringify(line)}\n`).join('')
}

export function packLines(plain: string): Uint8Array {
  return gzipSync(plain)
}

/** Throws ArchiveError. */
export function unpackLines(body: Uint8Array, key: string): LineReader[] {
  try {
    const plain = gunzipSync(body, { maxOutputLength: PLAIN_BYTES_MAX }).toString('utf8')
    const lines = plain.split('\n')
    if (lines.pop() !== '') throw new ArchiveError(key, 'does not end with a whole line')
    return lines.map(line => parseLine(line, key))
  } catch (error) {
    throw error instanceof ArchiveError ? error : new ArchiveError(key, 'is not lines of JSON in gzip', error)
  }
}

/** Throws SyntaxError for what is no JSON. `key` is what errors say of a line without a member. */
export function parseLine(line: string, key: string): LineReader {
  return lineReader(JSON.parse(line), key)
}

/** Members of a line by name; each throws ArchiveError where the line does not have it. */
export interface LineReader {
  text(name: string): string
  number(name: string): number
  /** Undefined where the line has no such member. */
  optionalNumber(name: string): number | undefined
}

function lineReader(line: unknown, key: string): LineReader {
  const member = (name: string): unknown =>
    typeof line === 'object' && line !== null ? (line as Readonly<Record<string, unknown>>)[name] : undefined
  return {
    text: name => {
      const value = member(name)
      if (typeof value === 'string') return value
      throw new ArchiveError(key, `has a line without the text ${name}`)
    },
    number: name => {
      const value = member(name)
      if (typeof value === 'number') return value
      throw new ArchiveError(key, `has a line without the number ${name}`)
    },
    optionalNumber: name => {
      const value = member(name)
      if (value === undefined || typeof value === 'number') return value
      throw new ArchiveError(key, `has a line whose ${name} is no number`)
    },
  }
}
