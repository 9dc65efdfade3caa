// All (user, time) pairs of a file, in order of time, with whatever else their rows say: for who sorts them in memory.
import type { Column } from '../catalog/columns.ts'
import { CommandError } from './errors.ts'
import { type InstantRow, readInstantRows } from './instant-rows.ts'

/** All are held in memory while they are sorted by time: about 200 bytes each. */
export const INSTANTS_MAX = 5_000_000

export interface InstantsFile {
  /** Ascending by time; those of one time in the order of the file. `values` are those of `carried`, in its order. */
  readonly instants: readonly InstantRow[]
  /** The columns beside `user` and `time`. */
  readonly carried: readonly Column[]
}

/** Throws CommandError, and CatalogError for names that cannot be those of columns. */
export async function readInstantsFile(path: string): Promise<InstantsFile> {
  const instants: InstantRow[] = []
  const file = readInstantRows(path)
  for await (const row of file.rows) {
    if (instants.length === INSTANTS_MAX) throw wrongCount(path, `more than ${INSTANTS_MAX}`)
    instants.push(row)
  }
  if (instants.length === 0) throw wrongCount(path, 'no')
  const carried = file.carried()
  const all = instants.map(row => ({ ...row, values: carried.map((_, column) => row.values[column] ?? null) }))
  return { instants: all.sort((a, b) => a.time - b.time), carried }
}

function wrongCount(path: string, count: string): CommandError {
  return new CommandError(`${path} has ${count} rows`, {
    code: 'instants-invalid',
    next: `Give 1 to ${INSTANTS_MAX.toLocaleString('en')}; split the file by user beyond that.`,
  })
}
