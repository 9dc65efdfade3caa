// What goes into a model: a column for each input of its manifest, a value for each row. A session makes of it whatever tensors its file
// wants, so that who fills it knows nothing of 32 bits or 64.

/** Numbers and flags, a missing one NaN where the model takes it as such; or texts. */
export type InputColumn = Float64Array | readonly string[]

export interface InputTable {
  readonly rowCount: number
  /** In the order of the manifest's inputs. */
  readonly columns: readonly InputColumn[]
}

/** Rows from, and up to but not including; numbers are not copied. */
export function sliceTable({ columns }: InputTable, from: number, to: number): InputTable {
  return {
    rowCount: to - from,
    columns: columns.map(column =>
      column instanceof Float64Array ? column.subarray(from, to) : column.slice(from, to),
    ),
  }
}

/** One row for each list of values, in the order of the inputs; a text makes its column one of texts. */
export function tableOfRows(rows: readonly (readonly (number | string)[])[], width: number): InputTable {
  const columns = Array.from({ length: width }, (_, index): InputColumn => {
    const values = rows.map(row => row[index] ?? Number.NaN)
    return values.some(value => typeof value === 'string') ? values.map(String) : Float64Array.from(values, Number)
  })
  return { rowCount: rows.length, columns }
}
