// Records that Lambda gave up with their batch and that recompute would have refused: no rebuild can ever count them, so they become
// the dead letters that they would have been. Each is then listed with its own reason, and its batch is over.
import { affectedUsers } from '../affected/affected-users.ts'
import { readForgotten } from '../archive/forgotten.ts'
import { writeDeadLetters } from '../archive/dead-letters.ts'
import { GIVEN_UP } from '../archive/given-up.ts'
import { hasUnknownEpoch } from '../archive/given-up-epoch.ts'
import { LineSpool } from '../platform/line-spool.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { type ChosenLetter, chosenLetters, letterBatches, spoolChosen } from './replay-letters-choice.ts'

interface RefuseDependencies {
  readonly archive: ObjectStore
  readonly compiled: CompiledPipeline
}

/** All that are open, or those keyed by `only`; how many were refused. Throws ObjectStoreError, ArchiveError. */
export async function refuseGivenUp(
  only: ReadonlySet<string> | undefined,
  { spoolDir, ...deps }: RefuseDependencies & { readonly spoolDir: string },
): Promise<number> {
  // What is written must not be read on the way.
  const spool = new LineSpool(spoolDir, 'given-up')
  try {
    await spoolChosen(spool, { reason: GIVEN_UP }, deps)
    let refused = 0
    for await (const batch of letterBatches(chosenLetters(spool))) {
      const own = batch.filter(({ record }) => only?.has(record.partitionKey) !== false)
      refused += await writeRefused(own, deps)
    }
    return refused
  } finally {
    spool.remove()
  }
}

/** Of letters of given-up batches. Writing one twice changes nothing. Throws ObjectStoreError. */
export async function writeRefused(
  letters: readonly ChosenLetter[],
  { archive, compiled }: RefuseDependencies,
): Promise<number> {
  // A letter under a name that the archive does not know would be a second one once it does.
  const records = letters.map(({ record }) => record).filter(record => !hasUnknownEpoch(record))
  const { refused } = affectedUsers(records, compiled.contracts)
  if (refused.length === 0) return 0
  // Somebody may have been forgotten since letters were listed: nothing of theirs is written again.
  const forgotten = await readForgotten(archive)
  const own = refused.filter(({ record }) => !forgotten.has(record.partitionKey, record.arrivalMs))
  await writeDeadLetters(archive, own)
  return own.length
}
