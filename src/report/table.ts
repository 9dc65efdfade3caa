// A table for a page: what is a number is to the right, and what is not known is a dash and not 0. A table wider than the screen scrolls by
// itself, and only cells that no screen has room for are broken: half a number is another number.
import { escapeHtml } from './escape-html.ts'

export type Cell = string | number | null

export interface HtmlTable {
  readonly head: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
}

/** What stays on one line. A hash and a sentence are longer. */
const LINE_CHARACTERS_MAX = 40
/** A number with its unit, as others have written it. */
const WRITTEN_NUMBER = /^-?[\d.]+( %)?$/

/** All cells are text, never markup. */
export function htmlTable({ head, rows }: HtmlTable): string {
  const isNumeric = head.map((_, column) => isOfNumbers(rows.map(row => row[column])))
  const classOf = (cell: string, column: number): string => {
    if (isNumeric[column] === true) return ' class="number"'
    return cell.length > LINE_CHARACTERS_MAX ? ' class="long"' : ''
  }
  const line = (cells: readonly Cell[], tag: 'th' | 'td'): string => {
    const texts = head.map((_, column) => text(cells[column]))
    return `<tr>${texts.map((cell, column) => `<${tag}${classOf(cell, column)}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`
  }
  const table = ['<table>', line(head, 'th'), ...rows.map(row => line(row, 'td')), '</table>'].join('\n')
  // Reached by the keyboard, too: what scrolls must.
  return `<div class="wide" tabindex="0">${table}</div>`
}

/** Numbers, or nothing: dashes stand where numbers would. */
function isOfNumbers(cells: readonly (Cell | undefined)[]): boolean {
  return cells.every(
    cell => cell === null || cell === undefined || typeof cell === 'number' || WRITTEN_NUMBER.test(cell),
  )
}

function text(cell: Cell | undefined): string {
  return cell === null || cell === undefined ? '–' : shortNumber(cell)
}

/** Four digits are what somebody compares; whole numbers are whole. */
export function shortNumber(cell: string | number): string {
  if (typeof cell === 'string' || Number.isInteger(cell)) return String(cell)
  return String(Number(cell.toPrecision(4)))
}
