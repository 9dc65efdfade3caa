// Rows in columns for people: as wide as the widest, numbers to the right.

/** No trailing spaces; a column all of whose cells (but for its head) are numbers is aligned to the right. */
export function textTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): readonly string[] {
  const lines = [head, ...rows].map(row => head.map((_, column) => String(row[column] ?? '')))
  const widths = head.map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0)))
  const isNumeric = head.map((_, column) => rows.length > 0 && rows.every(row => typeof row[column] === 'number'))
  return lines.map(line =>
    line
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return isNumeric[column] === true ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd(),
  )
}
