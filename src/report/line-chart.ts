// Lines over time as one <svg> that needs nothing else: to be put into a page or opened by itself. Times are UTC; the title and a
// description in words are for those who do not see it, and every series has a dash of its own, for those who do not see colours.
import { escapeHtml } from './escape-html.ts'

export interface LineChart {
  readonly title: string
  /** Of y. */
  readonly unit?: string
  readonly series: readonly LineSeries[]
  readonly marks: readonly LineMark[]
}

export interface LineSeries {
  readonly name: string
  /** x in ms UTC, ascending. */
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface LineMark {
  readonly x: number
  readonly label: string
}

const [WIDTH, HEIGHT] = [900, 400]
/** Marks near each other are not written over each other, nor over lines: they have rows above the plot. */
const MARKS = { top: 48, rows: 4, rowHeight: 13 }
const PLOT = { left: 64, right: WIDTH - 16, top: MARKS.top + MARKS.rows * MARKS.rowHeight, bottom: HEIGHT - 56 }
/** Okabe and Ito's, which most who see few colours can tell apart; a page has others for the dark. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'].map(
  (colour, index) => `var(--series-${index + 1}, ${colour})`,
)
const [GRID, QUIET, PAPER] = ['var(--line, #ddd)', 'var(--quiet, #555)', 'var(--paper, #fff)']
const DASHES = ['none', '6 3', '2 3', '8 3 2 3', '12 4', '1 2']
/** Of a letter at 12 pixels, more than most have. */
const CHARACTER = 7.5
const [LEGEND_LINE, LEGEND_GAP, LEGEND_ROW] = [28, 18, 18]
/** So that a line behind a text does not cross it out. */
const HALO = `stroke:${PAPER};stroke-width:4px;paint-order:stroke`
const TICKS = 6
/** Wide enough for a few pixels of room above and below the lines. */
const ROOM = 0.06
const DAY_MS = 86_400_000

export function lineChart({ title, unit, series, marks }: LineChart): string {
  const drawn = series.map(({ name, points }) => ({ name, points: points.filter(([x, y]) => isFinite2(x, y)) }))
  const points = drawn.flatMap(({ points: own }) => own)
  const x = scale([...points.map(([at]) => at), ...marks.map(mark => mark.x)], {
    from: PLOT.left,
    to: PLOT.right,
    roomShare: 0,
    widthOfOne: DAY_MS,
  })
  const y = scale(
    points.map(([, value]) => value),
    { from: PLOT.bottom, to: PLOT.top, roomShare: ROOM, widthOfOne: 1 },
  )
  const names = legend(drawn)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT + names.extraHeight}" role="img" font-family="sans-serif" font-size="11">`,
    `<title>${escaped(title)}</title>`,
    `<desc>${escaped(description(drawn, marks, unit))}</desc>`,
    `<text x="${PLOT.left}" y="16" font-size="13" font-weight="bold">${escaped(title)}</text>`,
    ...yAxis(y, unit),
    ...xAxis(x),
    ...marks.map((mark, index) => drawMark(mark, index, x.at(mark.x))),
    ...drawn.map((one, index) => drawSeries(one, index, { x, y })),
    ...names.entries,
    '</svg>',
  ].join('\n')
}

interface Scale {
  readonly least: number
  readonly most: number
  at(value: number): number
}

interface ScaleOptions {
  readonly from: number
  readonly to: number
  /** Of the range, left free at both ends. */
  readonly roomShare: number
  /** The range where all values are one. */
  readonly widthOfOne: number
}

function scale(values: readonly number[], { from, to, roomShare, widthOfOne }: ScaleOptions): Scale {
  const [lowest, highest] = extent(values)
  const room = highest > lowest ? (highest - lowest) * roomShare : widthOfOne / 2
  const [least, most] = [lowest - room, highest + room]
  return { least, most, at: value => round(from + ((value - least) / (most - least)) * (to - from)) }
}

/** Not by spread: there may be more points than arguments. */
function extent(values: readonly number[]): [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    least = Math.min(least, value)
    most = Math.max(most, value)
  }
  return least <= most ? [least, most] : [0, 0]
}

function yAxis(y: Scale, unit: string | undefined): string[] {
  const step = niceStep((y.most - y.least) / TICKS)
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9))
  const ticks: string[] = []
  for (let tick = Math.ceil(y.least / step); tick * step <= y.most; tick++) {
    const at = y.at(tick * step)
    ticks.push(
      `<line x1="${PLOT.left}" y1="${at}" x2="${PLOT.right}" y2="${at}" style="stroke:${GRID}"/>`,
      `<text x="${PLOT.left - 6}" y="${at + 4}" text-anchor="end">${(tick * step).toFixed(digits)}</text>`,
    )
  }
  if (unit !== undefined) ticks.push(`<text x="${PLOT.left}" y="32" style="fill:${QUIET}">${escaped(unit)}</text>`)
  return ticks
}

/** 1, 2 or 5 of a power of ten. */
function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough))
  return ([1, 2, 5].find(each => each * power >= rough) ?? 10) * power
}

function xAxis(x: Scale): string[] {
  const days = Math.max(1, Math.ceil((x.most - x.least) / DAY_MS / TICKS))
  const ticks: string[] = []
  for (let at = Math.ceil(x.least / DAY_MS) * DAY_MS; at <= x.most; at += days * DAY_MS) {
    const label = new Date(at).toISOString().slice(0, 10)
    ticks.push(
      `<line x1="${x.at(at)}" y1="${PLOT.bottom}" x2="${x.at(at)}" y2="${PLOT.bottom + 4}" style="stroke:${QUIET}"/>`,
      `<text x="${x.at(at)}" y="${PLOT.bottom + 16}" text-anchor="middle">${label}</text>`,
    )
  }
  return [
    `<line x1="${PLOT.left}" y1="${PLOT.bottom}" x2="${PLOT.right}" y2="${PLOT.bottom}" style="stroke:${QUIET}"/>`,
    ...ticks,
    `<text x="${PLOT.right}" y="${PLOT.bottom + 30}" text-anchor="end" style="fill:${QUIET}">UTC</text>`,
  ]
}

function drawMark({ label }: LineMark, index: number, at: number): string {
  const isRight = at > (PLOT.left + PLOT.right) / 2
  const place = isRight ? `x="${at - 4}" text-anchor="end"` : `x="${at + 4}"`
  const height = MARKS.top + (index % MARKS.rows) * MARKS.rowHeight
  return [
    '<g>',
    `<title>${escaped(label)}</title>`,
    `<line x1="${at}" y1="${height - 9}" x2="${at}" y2="${PLOT.bottom}" style="stroke:${QUIET}" stroke-dasharray="3 3"/>`,
    `<text ${place} y="${height}" style="fill:${QUIET};${HALO}">${escaped(label)}</text>`,
    '</g>',
  ].join('')
}

function drawSeries(
  { name, points }: LineSeries,
  index: number,
  { x, y }: { readonly x: Scale; readonly y: Scale },
): string {
  const stroke = `stroke:${COLOURS[index % COLOURS.length]}`
  const line = points.map(([at, value]) => `${x.at(at)},${y.at(value)}`).join(' ')
  const dots = points.map(([at, value]) => {
    const words = `${name}, ${new Date(at).toISOString().slice(0, 10)}: ${value}`
    return `<circle cx="${x.at(at)}" cy="${y.at(value)}" r="2.5" style="${stroke};fill:${PAPER}"><title>${escaped(words)}</title></circle>`
  })
  const dash = `stroke-dasharray="${DASHES[index % DASHES.length]}"`
  return `<g><polyline points="${line}" fill="none" style="${stroke}" stroke-width="1.8" ${dash}/>${dots.join('')}</g>`
}

interface Legend {
  readonly entries: readonly string[]
  /** Below the chart, where one line is not enough. */
  readonly extraHeight: number
}

/** Names side by side as far as they have room, each with its line. */
function legend(series: readonly LineSeries[]): Legend {
  let [left, top] = [PLOT.left, HEIGHT - 12]
  const entries = series.map(({ name }, index) => {
    const width = LEGEND_LINE + name.length * CHARACTER + LEGEND_GAP
    if (left > PLOT.left && left + width > PLOT.right) [left, top] = [PLOT.left, top + LEGEND_ROW]
    const at = round(left)
    left += width
    const stroke = `style="stroke:${COLOURS[index % COLOURS.length]}" stroke-dasharray="${DASHES[index % DASHES.length]}"`
    return `<line x1="${at}" y1="${top}" x2="${at + 22}" y2="${top}" ${stroke} stroke-width="2"/><text x="${at + LEGEND_LINE}" y="${top + 4}">${escaped(name)}</text>`
  })
  return { entries, extraHeight: top - (HEIGHT - 12) }
}

function description(series: readonly LineSeries[], marks: readonly LineMark[], unit: string | undefined): string {
  const lines = series.map(({ name, points }) => {
    const [first, last] = [points[0], points.at(-1)]
    if (first === undefined || last === undefined) return `${name}: nothing.`
    const [least, most] = extent(points.map(([, value]) => value))
    return `${name}: ${points.length} points from ${day(first[0])} to ${day(last[0])}, between ${least} and ${most}, ${last[1]} at the end.`
  })
  const marked = marks.map(({ x, label }) => `${day(x)}: ${label}.`)
  return [...(unit === undefined ? [] : [`In ${unit}.`]), ...lines, ...marked].join(' ')
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

function isFinite2(x: number, y: number): boolean {
  return Number.isFinite(x) && Number.isFinite(y)
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10
}

/** Text of others in XML; control characters, which XML cannot have at all, are left out. */
function escaped(text: string): string {
  const isPossible = (character: string): boolean => character >= ' ' || character === '\n' || character === '\t'
  return escapeHtml(Array.from(text).filter(isPossible).join(''))
}
