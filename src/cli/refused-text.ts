// What contracts refuse, in words, and the share of it that a command lets pass.
import type { RefusedReason } from '../event/check-events.ts'
import { UsageError } from './errors.ts'

/** Of `--allow-refused`. */
export function parseShare(text: string): number {
  if (/^(0|1|[01]?\.\d{1,9})$/.test(text) && Number(text) <= 1) return Number(text)
  throw new UsageError(`--allow-refused is "${text}"`, 'Give a share from 0 to 1, such as 0.01.')
}

/** `unit`: what positions count. */
export function reasonLines(
  { reason, count, first, detail, places }: RefusedReason,
  unit: 'line' | 'event' = 'line',
): string[] {
  const head = `${reason}: ${count}, first at ${unit} ${first}`
  if (places.length === 0) return ['', head, `  ${detail}`]
  const lines = places.map(place => {
    const name = place.field === null ? place.type : `${place.type} ${place.field}`
    return [`  ${name}: ${place.count}, first at ${unit} ${place.first}`, `    ${place.detail}`]
  })
  return ['', head, ...lines.flat()]
}

/** A single event of many millions still shows. */
export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))}%`
}
