// Everybody scored by a batch before it serves, for who compares users with each other. Items are written with the new batch while the
// pointer still names the old one: as a stored prediction is served only while the pointer names its batch, readers get the old one,
// evaluated in their request, until the pointer moves, and from then on what is stored.
//
// Two other ways were weighed. A second prediction kept in the item until it is due makes every item larger, for each event too, and
// needs a second write a user to take the first one out; objects with all predictions, prepared beside the items, add a fetch to each
// read. And both have to do what is done here: an event in between makes what was prepared wrong. So one write a user, no new
// attribute and no other way to read is the simplest; its price is that reads of prepared users are evaluated until the swap.
import type { LogEntry } from '../catalog/items.ts'
import { rescore, type RescoreDependencies, type RescoreRequest, type RescoreResult } from './rescore.ts'
import type { RescoreTarget } from './rescore-users.ts'

export interface BeforePointerRequest extends Omit<RescoreRequest, 'sweep' | 'notBeforeMs'>, RescoreTarget {
  /** For how long after the swap functions may still predict with the version before. */
  readonly settleMs: number
  /** Of the newest entry of the production pointer's log, which names another batch. */
  readonly entry: number
}

export interface BeforePointerDependencies extends Omit<RescoreDependencies, 'isCurrent'> {
  /** Number of the newest entry of the production pointer's log. */
  readonly newestEntry: () => Promise<number | undefined>
  /** Makes the batch the one in production. */
  readonly swap: () => Promise<Pick<LogEntry, 'number'>>
}

export interface BeforePointerResult {
  readonly prepared: RescoreResult
  /** Of whom an event came in between; undefined: nothing was swapped, as somebody else moved the pointer. */
  readonly finished: RescoreResult | undefined
}

/** As `rescore`, and throws what `swap` throws: users that are prepared then are evaluated at each read until the next event or run. */
export async function rescoreBeforePointer(
  { entry, model, batchId, settleMs, ...request }: BeforePointerRequest,
  { newestEntry, swap, ...deps }: BeforePointerDependencies,
): Promise<BeforePointerResult> {
  const isStill = (number: number) => async (): Promise<boolean> => (await newestEntry()) === number
  const target = { model, batchId }
  const before = { ...request, sweep: { ...target, when: 'before' as const, entry } }
  const prepared = await rescore(before, { ...deps, isCurrent: isStill(entry) })
  if (prepared.isMoved || request.isDryRun === true) return { prepared, finished: undefined }
  const { number } = await swap()
  const notBeforeMs = deps.clock() + settleMs
  // Events wrote some since with the batch before: as many as were active, found by one more scan.
  const after = { ...request, notBeforeMs, sweep: { ...target, when: 'after' as const, entry: number } }
  return { prepared, finished: await rescore(after, { ...deps, isCurrent: isStill(number) }) }
}
