// Bars side by side as one <svg> that needs nothing else: the same things before and now. Each bar has its number beside it, so that
// nobody has to read it off an axis, or to see colours.
import { escapeHtml } from './escape-html.ts'
import { shortNumber } from './table.ts'

export interface BarChart {
  readonly title: string
  /** What each row has a bar of, at most two: before, and now. */
  readonly series: readonly string[]
  readonly rows: readonly BarRow[]
}

export interface BarRow {
  readonly label: string
  /** In the order of `series`; null: not known, and no bar. */
  readonly values: readonly (number | null)[]
}

const WIDTH = 900
const LABELS = 260
const NUMBERS = 70
const BAR = 14
const ROW_GAP = 8
const TOP = 32
const COLOURS = ['var(--before, #b65a00)', 'var(--now, #0072b2)']
/** What fits into the room for labels. */
const LABEL_CHARACTERS_MAX = 38
const LEGEND_CHARACTERS_MAX = 90

export function barChart({ title, series, rows }: BarChart): string {
  const rowHeight = series.length * BAR + ROW_GAP
  const height = TOP + rows.length * rowHeight + ROW_GAP
  const values = rows.flatMap(row => row.values.filter(isDrawable))
  const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)]
  const room = WIDTH - LABELS - NUMBERS
  const x = (value: number): number => LABELS + (most === least ? 0 : ((value - least) / (most - least)) * room)
  const bars = rows.flatMap(({ label, values: own }, index) => {
    const top = TOP + index * rowHeight
    return [
      svgText(LABELS - 8, top + (rowHeight - ROW_GAP) / 2 + 4, shortened(label), ' text-anchor="end"'),
      ...series.map((_, each) =>
        bar({ value: own[each] ?? null, x, y: top + each * BAR, colour: COLOURS[each % 2] ?? '' }),
      ),
    ]
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escapeHtml(title)}</title>`,
    ...legend(series),
    ...bars,
    '</svg>',
  ].join('\n')
}

interface Bar {
  readonly value: number | null
  readonly x: (value: number) => number
  readonly y: number
  readonly colour: string
}

function bar({ value, x, y, colour }: Bar): string {
  if (value === null || !isDrawable(value)) return svgText(x(0) + 4, y + BAR - 3, 'unknown', ' class="quiet"')
  const [from, to] = [Math.min(x(0), x(value)), Math.max(x(0), x(value))]
  const rect = `<rect x="${round(from)}" y="${y + 1}" width="${round(to - from)}" height="${BAR - 2}" style="fill:${colour}"/>`
  return `${rect}${svgText(round(to) + 4, y + BAR - 3, shortNumber(value))}`
}

function legend(series: readonly string[]): readonly string[] {
  // One alone has the whole line.
  const most = series.length === 1 ? LEGEND_CHARACTERS_MAX : LABEL_CHARACTERS_MAX
  return series.map((name, index) => {
    const left = LABELS + index * 300
    return `<rect x="${left}" y="8" width="12" height="12" style="fill:${COLOURS[index % 2]}"/>${svgText(left + 18, 18, shortened(name, most))}`
  })
}

function svgText(x: number, y: number, text: string, attributes = ''): string {
  return `<text x="${round(x)}" y="${round(y)}"${attributes}>${escapeHtml(text)}</text>`
}

function shortened(text: string, most = LABEL_CHARACTERS_MAX): string {
  const characters = Array.from(text)
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`
}

function isDrawable(value: number | null): value is number {
  return value !== null && Number.isFinite(value)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
