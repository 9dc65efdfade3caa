// Progress on stderr: a bar that redraws itself on a terminal, sparse lines elsewhere (a log is no place for a thousand
// of them), nothing with --json.
import type { Clock } from '../platform/clock.ts'
import type { TextWriter } from './command.ts'

export interface Progress {
  /** Adds to what is done. */
  advance(count: number, note?: string): void
  /** Finishes the line with the time taken. */
  done(note?: string): void
}

const REDRAW_MS = 100
const BAR_COLUMNS = 30
/** Without a terminal: a line at each tenth, which is 10 lines whatever the total. */
const PLAIN_STEPS = 10

export function progressOn(writer: TextWriter, label: string, total: number, clock: Clock): Progress {
  const startMs = clock()
  const isTerminal = writer.isTTY === true
  let count = 0
  let drawnMs = Number.NEGATIVE_INFINITY
  let stepsShown = 0

  const line = (note: string | undefined): string => {
    const share = total > 0 ? Math.min(1, count / total) : 1
    const seconds = ((clock() - startMs) / 1000).toFixed(1)
    const counts = `${count}/${total} ${seconds} s${note === undefined ? '' : ` ${note}`}`
    if (!isTerminal) return `${label} ${counts}`
    const filled = Math.round(share * BAR_COLUMNS)
    return `${label} [${'#'.repeat(filled)}${'.'.repeat(BAR_COLUMNS - filled)}] ${counts}`.slice(
      0,
      writer.columns ?? 120,
    )
  }

  return {
    advance(added, note) {
      count += added
      if (isTerminal) {
        if (clock() - drawnMs < REDRAW_MS) return
        drawnMs = clock()
        writer.write(`\r\u001b[2K${line(note)}`)
        return
      }
      const steps = total > 0 ? Math.floor((count / total) * PLAIN_STEPS) : 0
      if (steps <= stepsShown || steps >= PLAIN_STEPS) return
      stepsShown = steps
      writer.write(`${line(note)}\n`)
    },
    done(note) {
      writer.write(isTerminal ? `\r\u001b[2K${line(note)}\n` : `${line(note)}\n`)
    },
  }
}

export const SILENT_PROGRESS: Progress = { advance: () => undefined, done: () => undefined }
