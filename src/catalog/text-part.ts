// Counts the rows of a part in text, and reads each as its readers will: a row at a time, so that no more than one is in memory with a
// piece of the text around it.
import type { Column } from './columns.ts'
import { csvRowReader } from './csv-rows.ts'
import { CsvParser, CsvSyntaxError } from './csv-text.ts'
import { gunzipPieces } from './gzip-text.ts'
import { differs, ndjsonRow } from './ndjson-rows.ts'
import { tooBig } from './read-budget.ts'

/** A row is in memory as a whole. */
const ROW_CHARS_MAX = 16 * 1024 ** 2

export interface TextPart {
  readonly format: 'ndjson.gz' | 'csv.gz'
  readonly columns: readonly Column[]
  readonly body: Uint8Array
  /** Called with what was inflated; it may throw to end the reading. */
  readonly whenInflated?: ((bytes: number) => void) | undefined
  /** Called with the count at each row. */
  readonly whenRow?: ((rows: number) => void) | undefined
}

/** Throws CatalogError `part-differs`, `part-too-big`, and what the calls throw. */
export function countTextRows(part: TextPart): Promise<number> {
  const pieces = gunzipPieces(part.body, part.whenInflated)
  return part.format === 'csv.gz' ? countCsv(part, pieces) : countNdjson(part, pieces)
}

async function countNdjson({ columns, whenRow }: TextPart, pieces: AsyncIterable<string>): Promise<number> {
  let rows = 0
  let open = ''
  const take = (line: string): void => {
    ndjsonRow(columns, line, ++rows)
    whenRow?.(rows)
  }
  for await (const piece of pieces) {
    const lines = (open + piece).split('\n')
    open = lines.pop() ?? ''
    for (const line of lines) take(line)
    refuseLong(open.length, rows + 1)
  }
  if (open !== '') take(open)
  return rows
}

async function countCsv({ columns, whenRow }: TextPart, pieces: AsyncIterable<string>): Promise<number> {
  const parser = new CsvParser()
  let read: ReturnType<typeof csvRowReader> | undefined
  let rows = 0
  /** Since the last record that was whole, and the rest of its piece. */
  let openChars = 0
  const take = (piece: string, isLast: boolean): void => {
    const records = parse(parser, piece, isLast)
    openChars = records.length === 0 ? openChars + piece.length : piece.length
    for (const record of records) {
      if (read === undefined) read = csvRowReader(columns, record)
      else {
        // The first line is of names.
        read(record, ++rows + 1)
        whenRow?.(rows)
      }
    }
    refuseLong(openChars, rows + 2)
  }
  for await (const piece of pieces) take(piece, false)
  take('', true)
  if (read === undefined) csvRowReader(columns, [])
  return rows
}

function parse(parser: CsvParser, piece: string, isLast: boolean) {
  try {
    return parser.take(piece, isLast)
  } catch (error) {
    if (error instanceof CsvSyntaxError) throw differs(error.record, error.message)
    throw error
  }
}

function refuseLong(chars: number, line: number): void {
  if (chars > ROW_CHARS_MAX) throw tooBig(`line ${line} has more than ${ROW_CHARS_MAX} characters`)
}
