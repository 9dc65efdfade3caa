// What other processes use, as Linux tells in /proc: CPU time, and resident memory that is their own. Pages of mapped files are left out:
// they are the cache of what an emulator keeps on disk, and go when memory is short.
import { readFile } from 'node:fs/promises'

export interface ProcessUsage {
  readonly memoryMb: number
  readonly cpuSeconds: number
}

const KIBI = 1024
const MEGABYTE = 1_000_000
/** USER_HZ of every Linux that Node runs on. */
const TICKS_PER_SECOND = 100
/** In /proc/PID/stat, counted from the state, which follows the name in parentheses. */
const USER_TICKS = 11
const SYSTEM_TICKS = 12

/** Undefined where the process is gone. */
export async function usageOf(pid: number): Promise<ProcessUsage | undefined> {
  try {
    const [status, stat] = await Promise.all([
      readFile(`/proc/${pid}/status`, 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ])
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])
    const kibi = Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1])
    return { memoryMb: (kibi * KIBI) / MEGABYTE, cpuSeconds: ticks / TICKS_PER_SECOND }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}

/** Units of y for each unit of x, by least squares. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const [x, y] = [mean(points.map(point => point[0])), mean(points.map(point => point[1]))]
  const together = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0)
  return together / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
}
