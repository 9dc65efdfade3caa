// CSV as RFC 4180 has it: quotes around a field that holds a comma, a quote (doubled) or a line break. The first record names the
// columns. Small on purpose: tables of instants come from spreadsheets and SQL, both of which write it.
import { CommandError } from './errors.ts'

/** A field of more than this is a quote that nobody closed. */
const FIELD_CHARACTERS_MAX = 1024 * 1024

/** The first record, the names of the columns, and then every other one, all of its length. Throws CommandError. */
export async function* csvRecords(chunks: AsyncIterable<string>): AsyncGenerator<readonly string[]> {
  let columns: number | undefined
  let number = 0
  for await (const record of records(chunks)) {
    columns ??= record.length
    if (record.length !== columns) {
      throw broken(`has ${record.length} fields in record ${number}`, `The first line names ${columns} columns.`)
    }
    number++
    yield record
  }
  if (columns === undefined) throw broken('is empty', 'Give a first line with the names of the columns.')
}

/** Spreadsheets write other encodings too, and a letter that is replaced would make another user of a user. Throws CommandError. */
export async function* csvText(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const decode = (chunk?: Uint8Array): string => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined })
    } catch {
      throw broken('is not UTF-8', 'Save it as UTF-8; spreadsheets call that "CSV UTF-8".')
    }
  }
  for await (const chunk of chunks) yield decode(chunk)
  yield decode()
}

async function* records(chunks: AsyncIterable<string>): AsyncGenerator<string[]> {
  const parser = new RecordParser()
  for await (const chunk of chunks) yield* parser.take(chunk, false)
  yield* parser.take('', true)
}

/** A field: in quotes, or up to the next comma or line break; then what ends it. */
const FIELD = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y

class RecordParser {
  #text = ''
  #record: string[] = []
  #isBegun = false
  #count = 0

  /** Records that are whole. A field that reaches the end of what is known may go on in the next chunk. */
  take(chunk: string, isLast: boolean): string[][] {
    const whole: string[][] = []
    this.#text += this.#isBegun || !chunk.startsWith('\uFEFF') ? chunk : chunk.slice(1)
    this.#isBegun ||= chunk.length > 0
    const { length } = this.#text
    let position = 0
    while (position < length) {
      FIELD.lastIndex = position
      const match = FIELD.exec(this.#text)
      const isOpen = match === null || position + match[0].length === length
      if (isOpen && !isLast && length - position <= FIELD_CHARACTERS_MAX) break
      if (match === null) throw broken(`has a stray quote in record ${this.#count}`, 'Double a quote inside quotes.')
      const [field, quoted, plain, end] = match
      position += field.length
      this.#record.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'))
      if (end !== ',') this.#close(whole)
      else if (position === length && isLast) this.#record.push('')
    }
    this.#text = this.#text.slice(position)
    if (isLast) this.#close(whole)
    return whole
  }

  /** A blank line is no record. */
  #close(whole: string[][]): void {
    const record = this.#record
    this.#record = []
    if (record.length === 0 || (record.length === 1 && record[0] === '')) return
    this.#count++
    whole.push(record)
  }
}

function broken(what: string, next: string): CommandError {
  return new CommandError(`The CSV ${what}`, { code: 'file-unreadable', next })
}
