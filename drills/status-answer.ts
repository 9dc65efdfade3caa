// What `millrace status --json` answers, read as a person reads the screen: which lines need somebody, and what each says to do.
import { screen } from '../src/status/screen.ts'
import type { StatusLine } from '../src/status/status-line.ts'

export interface StatusAnswer {
  readonly pipeline: string
  readonly stage: string
  readonly nowMs: number
  readonly sinceMs: number
  readonly isHealthy: boolean
  readonly lines: readonly StatusLine[]
}

/** Throws where it is no such answer. */
export function readStatus(stdout: string): StatusAnswer {
  const answer = JSON.parse(stdout) as Partial<Omit<StatusAnswer, 'lines'>> & {
    readonly at?: string
    readonly since?: string
    readonly lines?: readonly (Omit<StatusLine, 'next'> & { readonly next: string | null })[]
  }
  const { pipeline, stage, isHealthy, lines, at, since } = answer
  if (pipeline === undefined || stage === undefined || isHealthy === undefined || lines === undefined) {
    throw new Error(`This is no status: ${stdout.slice(0, 200)}`)
  }
  return {
    pipeline,
    stage,
    nowMs: Date.parse(at ?? ''),
    sinceMs: Date.parse(since ?? ''),
    isHealthy,
    lines: lines.map(line => ({ ...line, next: line.next ?? undefined })),
  }
}

export function lineNamed({ lines }: StatusAnswer, name: string): StatusLine | undefined {
  return lines.find(line => line.name === name)
}

/** The screen without the lines that are well. */
export function whatNeedsSomebody(answer: StatusAnswer): readonly string[] {
  return screen(answer.lines, answer).filter(
    (line, index) => index === 0 || !line.startsWith('  ') || line.includes('  -> '),
  )
}
