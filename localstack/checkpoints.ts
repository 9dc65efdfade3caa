// Where event source mappings keep how far they are: in a file beside the persisted streams, or nowhere when the streams are
// in memory too. AWS keeps checkpoints as well; without them every restart would deliver the whole stream again.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Checkpoint, Checkpoints } from './mapped-stream.ts'

export const noCheckpoints: Checkpoints = {
  load: async () => undefined,
  save: async () => undefined,
}

/** In memory: they outlast a mapping that is stopped or killed, as Lambda's do. */
export function memoryCheckpoints(saved = new Map<string, Checkpoint>()): Checkpoints {
  return {
    load: async shard => saved.get(shard),
    save: async (shard, checkpoint) => void saved.set(shard, checkpoint),
  }
}

/** One file for each shard, replaced whole, so that a crash leaves the old or the new one. */
export function fileCheckpoints(folder: string, mappingId: string): Checkpoints {
  const directory = join(folder, 'checkpoints', mappingId)
  return {
    load: async shard => {
      try {
        return parse(await readFile(join(directory, shard), 'utf8'))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    save: async (shard, checkpoint) => {
      await mkdir(directory, { recursive: true })
      const fresh = join(directory, `${shard}.new`)
      await writeFile(fresh, JSON.stringify(checkpoint))
      await rename(fresh, join(directory, shard))
    },
  }
}

/** Earlier versions wrote nothing but a sequence. */
function parse(text: string): Checkpoint {
  return /^\d+$/.test(text) ? { type: 'AFTER_SEQUENCE', sequence: text } : (JSON.parse(text) as Checkpoint)
}
