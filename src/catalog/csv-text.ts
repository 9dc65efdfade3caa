// CSV as RFC 4180 has it, and one thing beside: a field that is empty is null, and one that is empty in quotes is empty text.

export type CsvField = string | null

/** A text field, in quotes where it would not be read back as it is without. */
export function csvField(text: string): string {
  return /^$|[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** What is wrong with the text, and in which record, from 1. */
export class CsvSyntaxError extends Error {
  readonly record: number
  constructor(what: string, record: number) {
    super(what)
    this.record = record
  }
}

/** Up to the next comma or line break. */
const PLAIN = /[",\r\n]/g

/** Text in pieces to records: nothing but the record that is open is held. */
export class CsvParser {
  #text = ''
  #record: CsvField[] = []
  #count = 0

  /** The records that are whole. A blank line is a record of one null. Throws CsvSyntaxError. */
  take(piece: string, isLast: boolean): CsvField[][] {
    const records: CsvField[][] = []
    const text = this.#text + piece
    let start = 0
    while (start < text.length) {
      const field = readField(text, start, this.#count + 1)
      // What reaches the end of what is known may go on in the next piece.
      if (field === undefined || (field.next >= text.length && !isLast)) {
        if (isLast) throw new CsvSyntaxError('a quote is never closed', this.#count + 1)
        break
      }
      this.#record.push(field.value)
      start = field.next
      if (field.isLast) this.#close(records)
      else if (start >= text.length && isLast) this.#record.push(null)
    }
    this.#text = text.slice(start)
    if (isLast && this.#record.length > 0) this.#close(records)
    return records
  }

  #close(records: CsvField[][]): void {
    records.push(this.#record)
    this.#record = []
    this.#count++
  }
}

interface Field {
  readonly value: CsvField
  /** Behind the comma or the line break. */
  readonly next: number
  /** Of its record. */
  readonly isLast: boolean
}

/** Undefined: its quote is not closed yet. */
function readField(text: string, start: number, record: number): Field | undefined {
  if (text[start] !== '"') {
    PLAIN.lastIndex = start
    const end = PLAIN.exec(text)?.index ?? text.length
    if (text[end] === '"') throw new CsvSyntaxError('a quote is inside of a field that has none around', record)
    return endField(text, end, end === start ? null : text.slice(start, end))
  }
  let close = text.indexOf('"', start + 1)
  while (close >= 0 && text[close + 1] === '"') close = text.indexOf('"', close + 2)
  if (close < 0) return undefined
  const after = text[close + 1]
  if (after !== undefined && after !== ',' && after !== '\n' && after !== '\r') {
    throw new CsvSyntaxError('text follows the closing quote of a field', record)
  }
  return endField(text, close + 1, text.slice(start + 1, close).replaceAll('""', '"'))
}

function endField(text: string, end: number, value: CsvField): Field {
  if (text[end] === ',') return { value, next: end + 1, isLast: false }
  return { value, next: end + (text[end] === '\r' && text[end + 1] === '\n' ? 2 : 1), isLast: true }
}
