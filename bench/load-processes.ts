// What other processes use, as Linux tells in /proc: CPU time, and resident memory that is their own. Pages of mapped files are left out:
// they are the cache of what an emulator keeps on disk, and go when memory is short.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface ProcessUsage {
  readonly residentMb: number
  readonly cpuSeconds: number
}

export type Point = readonly [atMs: number, value: number]

/** Of a process after each collection of its garbage. */
export interface NotedMemory {
  /** In V8's heap and in the buffers that are held from it: what the code holds. */
  readonly held: readonly Point[]
  /** What the system has given to it, whoever holds it; what malloc keeps for later as well. */
  readonly resident: readonly Point[]
}

export const MEGABYTE = 1_000_000
const KIBI = 1024
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
    return { residentMb: residentMb(status), cpuSeconds: ticks / TICKS_PER_SECOND }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}

/** Of a process, from its /proc/PID/status. */
export function residentMb(status: string): number {
  return (Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) * KIBI) / MEGABYTE
}

/** What collect-garbage.ts wrote of a process. */
export async function notedMemory(folder: string, pid: number): Promise<NotedMemory> {
  const lines = (await readFile(join(folder, String(pid)), 'utf8')).trimEnd().split('\n')
  const rows = lines.map(line => line.split(' ').map(Number) as [number, number, number])
  return {
    held: rows.map(([atMs, held]) => [atMs, held]),
    resident: rows.map(([atMs, , resident]) => [atMs, resident]),
  }
}

/** The least of each whole span: between batches. A batch under way has tens of megabytes, and what is held has none of it. */
export function floors(points: readonly Point[], spanMs: number): readonly Point[] {
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined) return []
  const spans = Math.floor((last[0] - first[0]) / spanMs)
  return Array.from({ length: spans }, (_, index) => {
    const startMs = first[0] + index * spanMs
    const inside = points.filter(([atMs]) => atMs >= startMs && atMs < startMs + spanMs)
    return [startMs, Math.min(...inside.map(([, value]) => value))] as const
  })
}

/** Units of y for each unit of x, by least squares. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const [x, y] = [mean(points.map(point => point[0])), mean(points.map(point => point[1]))]
  const together = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0)
  return together / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
}
