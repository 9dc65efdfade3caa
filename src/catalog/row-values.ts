// The members of rows as columns: which members are columns at all, and the refusal of the first value that is not of its type. All
// formats refuse alike, so that a table's format says how rows are stored and never which.
import type { Column, Row, RowValue } from './columns.ts'
import { CatalogError } from './errors.ts'

/** Of one column, in the order of the rows. */
export type ColumnValues = readonly RowValue[]

/** Throws CatalogError `row-invalid` where a row has a member that is no column. */
export function refuseOtherMembers(columns: readonly Column[], rows: readonly Row[]): void {
  const names = new Set(columns.map(column => column.name))
  // Rows of one source have their members in one order, so the members of the row before mostly say all.
  let before: string[] = []
  for (const [index, row] of rows.entries()) {
    if (hasMembers(row, before)) continue
    before = Object.keys(row)
    const other = before.find(name => !names.has(name))
    if (other !== undefined) throw new InvalidRow(index, `"${other}" is no column`)
  }
}

function hasMembers(row: Row, names: readonly string[]): boolean {
  let count = 0
  for (const name in row) if (name !== names[count++]) return false
  return count === names.length
}

export class InvalidRow extends CatalogError {
  readonly row: number
  readonly what: string

  /** `row`: from 0, within what is written at a time. */
  constructor(row: number, what: string) {
    super(`Row ${row} cannot be written: ${what}`, {
      code: 'row-invalid',
      next: 'Give each column its type; what is missing is null.',
    })
    this.row = row
    this.what = what
  }
}

export function notOfType(row: number, { name, type }: Column): InvalidRow {
  const why = type.includes('json')
    ? ': JSON has no NaN, no integer that a number does not hold, no dates and no bytes'
    : ''
  return new InvalidRow(row, `"${name}" is not ${type}${why}`)
}

/** Values of columns, each in the order of the rows, as rows: all have the same members in the same order. */
export function toRows(columns: readonly Column[], data: readonly ColumnValues[], count: number): Row[] {
  const names = columns.map(({ name }) => name)
  // A copy of one that has all members is quicker than to add them one by one.
  const empty: Record<string, RowValue> = Object.fromEntries(names.map(name => [name, null]))
  const rows: Row[] = []
  rows.length = count
  for (let index = 0; index < count; index++) {
    const row = { ...empty }
    for (let column = 0; column < names.length; column++) {
      const [name, values] = [names[column], data[column]]
      if (name !== undefined && values !== undefined) row[name] = values[index] ?? null
    }
    rows[index] = row
  }
  return rows
}
