// The lines as one screen: what is well in one line each, and under what is not, what to do about it.
import { toRfc3339 } from '../platform/clock.ts'
import { isHealthy } from './judge.ts'
import type { StatusLine } from './status-line.ts'
import { ageText } from './texts.ts'

export interface ScreenOf {
  readonly pipeline: string
  readonly stage: string
  readonly nowMs: number
  readonly sinceMs: number
}

const SIGNS = { well: ' ', unwell: '!', unknown: '?' } as const

export function screen(lines: readonly StatusLine[], { pipeline, stage, nowMs, sinceMs }: ScreenOf): string[] {
  const width = Math.max(...lines.map(({ name }) => name.length))
  const wrong = lines.filter(({ verdict }) => verdict !== 'well')
  const verdict = isHealthy(lines) ? 'all is well' : `${wrong.length} of ${lines.length} lines need somebody`
  return [
    `${pipeline}, stage ${stage}, at ${toRfc3339(nowMs)}, counts of the last ${ageText(nowMs - sinceMs)}: ${verdict}`,
    ...lines.flatMap((line, index) => [
      `${SIGNS[line.verdict]} ${line.name.padEnd(width)}  ${line.text}`,
      ...(isToldBy(lines[index + 1], line) ? [] : [`  ${' '.repeat(width)}  -> ${line.next}`]),
    ]),
  ]
}

/** What to do is nothing, or the same as under the line below. */
function isToldBy(below: StatusLine | undefined, { verdict, next }: StatusLine): boolean {
  return verdict === 'well' || next === undefined || (below?.verdict !== 'well' && below?.next === next)
}
