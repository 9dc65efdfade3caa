// A table for a page: what is a number is to the right, and what is not known is a dash and not 0.
import { escapeHtml } from './escape-html.ts'

export type Cell = string | number | null

export interface HtmlTable {
  readonly head: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
}

/** All cells are text, never markup. */
export function htmlTable({ head, rows }: HtmlTable): string {
  const isNumeric = head.map((_, column) => rows.some(row => typeof row[column] === 'number'))
  const classOf = (column: number): string => (isNumeric[column] === true ? ' class="number"' : '')
  const line = (cells: readonly Cell[], tag: 'th' | 'td'): string =>
    `<tr>${head.map((_, column) => `<${tag}${classOf(column)}>${escapeHtml(text(cells[column]))}</${tag}>`).join('')}</tr>`
  return ['<table>', line(head, 'th'), ...rows.map(row => line(row, 'td')), '</table>'].join('\n')
}

function text(cell: Cell | undefined): string {
  return cell === null || cell === undefined ? '–' : shortNumber(cell)
}

/** Four digits are what somebody compares; whole numbers are whole. */
export function shortNumber(cell: string | number): string {
  if (typeof cell === 'string' || Number.isInteger(cell)) return String(cell)
  return String(Number(cell.toPrecision(4)))
}
