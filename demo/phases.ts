// Where the time goes: phases by name, told as they begin and summed up at the end.
import { progressOn, type Progress } from '../src/cli/progress.ts'
import type { TextWriter } from '../src/cli/command.ts'

export interface Phases {
  /** Says what begins, and times it. */
  run<T>(name: string, work: () => Promise<T>): Promise<T>
  progress(label: string, total: number): Progress
  say(line: string): void
  /** A line per phase, and the sum. */
  summary(): readonly string[]
}

export function phases(writer: TextWriter, clock: () => number): Phases {
  const times: { name: string; ms: number }[] = []
  return {
    async run(name, work) {
      writer.write(`\n${name} ...\n`)
      const start = clock()
      try {
        return await work()
      } finally {
        times.push({ name, ms: clock() - start })
      }
    },
    progress: (label, total) => progressOn(writer, label, total, clock),
    say: line => void writer.write(`  ${line}\n`),
    summary: () => {
      const width = Math.max(...times.map(time => time.name.length))
      const total = times.reduce((sum, time) => sum + time.ms, 0)
      return [...times, { name: 'in all', ms: total }].map(
        ({ name, ms }) => `${name.padEnd(width)}  ${(ms / 1000).toFixed(1).padStart(6)} s`,
      )
    },
  }
}
