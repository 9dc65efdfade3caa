// CSV as RFC 4180 has it: quotes around a field that holds a comma, a quote (doubled) or a line break. The first record names the
// columns. Small on purpose: tables of instants come from spreadsheets and SQL, both of which write it.
import { CommandError } from './errors.ts'

/** Records by column name, all values as text. Throws CommandError. */
export function parseCsv(text: string): {
  readonly header: readonly string[]
  readonly records: readonly (readonly string[])[]
} {
  const [header, ...records] = parseRecords(text.startsWith('\uFEFF') ? text.slice(1) : text)
  if (header === undefined) throw broken('is empty', 'Give a first line with the names of the columns.')
  for (const [index, record] of records.entries()) {
    if (record.length !== header.length) {
      throw broken(
        `has ${record.length} fields in record ${index + 1}`,
        `The first line names ${header.length} columns.`,
      )
    }
  }
  return { header, records }
}

/** A field: in quotes, or up to the next comma or line break; then what ends it. */
const FIELD = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y

function parseRecords(text: string): string[][] {
  const records: string[][] = []
  let record: string[] = []
  let position = 0
  while (position < text.length) {
    FIELD.lastIndex = position
    const match = FIELD.exec(text)
    if (match === null) throw broken(`has a stray quote in record ${records.length}`, 'Double a quote inside quotes.')
    const [whole, quoted, plain, end] = match
    record.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'))
    position += whole.length
    if (end !== ',') {
      if (record.length > 1 || record[0] !== '') records.push(record)
      record = []
    } else if (position === text.length) record.push('')
  }
  if (record.length > 0) records.push(record)
  return records
}

function broken(what: string, next: string): CommandError {
  return new CommandError(`The CSV ${what}`, { code: 'file-unreadable', next })
}
