// History for commands that read it: views of it as often as they are wanted, and a folder for what does not fit into memory.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { History } from '../archive/history.ts'
import { openHistory } from '../archive/open-history.ts'
import type { Connection } from '../compose/connect.ts'

export interface HistoryViews {
  /** A view of now; closed before the folder goes. */
  readonly openHistory: () => Promise<History>
  readonly spoolDir: string
}

/** `db`: the pipeline's name. */
export async function withHistoryViews<T>(
  { catalog, archive }: Pick<Connection, 'catalog' | 'archive'>,
  db: string,
  use: (views: HistoryViews) => Promise<T>,
): Promise<T> {
  const spoolDir = await mkdtemp(join(tmpdir(), 'millrace-history-'))
  try {
    return await use({
      spoolDir,
      openHistory: async () => openHistory({ catalog, archive, db, spoolDir: await mkdtemp(join(spoolDir, 'view-')) }),
    })
  } finally {
    await rm(spoolDir, { recursive: true, force: true })
  }
}
