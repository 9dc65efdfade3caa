// How an explanation writes values, times and tables, so that every part of it writes them alike.
import type { FeatureValue } from '../features/features-body.ts'
import { toRfc3339 } from '../platform/clock.ts'
import type { Prediction } from '../predictions/evaluated-user.ts'

/** Enough to tell values apart; --json has all digits. */
const DIGITS = 6
const TEXT_CHARACTERS_MAX = 60

export function shown(value: FeatureValue): string {
  const text = typeof value === 'number' ? String(Number(value.toPrecision(DIGITS))) : JSON.stringify(value)
  return text.length > TEXT_CHARACTERS_MAX ? `${text.slice(0, TEXT_CHARACTERS_MAX)}…` : text
}

/** RFC 3339, without the milliseconds where there are none. */
export function instant(ms: number): string {
  return toRfc3339(ms).replace('.000Z', 'Z')
}

export function arrow(from: string, to: string): string {
  return `${from} → ${to}`
}

export function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

/** `probability 0.25`, or why there is none. */
export function predictionText({ status, value, detail }: Prediction): string {
  if (value === undefined) return detail === undefined ? status : `${status} (${detail})`
  return Object.entries(value)
    .map(([output, number]) => `${output} ${shown(number)}`)
    .join(', ')
}

/** Indented columns, as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows.map(row => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
}

/** The same below a head, without the columns that have nothing in them. */
export function titledTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const isUsed = (column: number): boolean => rows.some(row => (row[column] ?? '') !== '')
  return table([head, ...rows].map(row => row.filter((_, column) => isUsed(column))))
}
