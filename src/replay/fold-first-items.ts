// First items from an import: bucket by bucket its lines are sorted by user and time, so that a user's events come together and
// in their order, and a few hundred users are in memory at a time, whatever the number of events.
import type { Contracts } from '../event/compile-contracts.ts'
import { decodePayload, isRefusal } from '../event/decode.ts'
import type { DecodedEvent } from '../event/decoded-event.ts'
import { mapWithLimit } from '../platform/concurrency.ts'
import { sortLines } from '../platform/sort-lines.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { predictionRuns } from '../predictions/prediction-runs.ts'
import { type PinnedPredictor, predictOne, type Predictor } from '../predictions/predictor.ts'
import { WRITES_IN_FLIGHT_MAX } from '../recompute/limits.ts'
import { packItem } from '../recompute/pack-item.ts'
import type { SpillStore } from '../store/spill-store.ts'
import { isCorrupt, type StoredItem, type UserStore } from '../store/user-item.ts'
import { HistoryFold } from './history-fold.ts'

/** Users whose predictions are made in one run. */
const USERS_PER_RUN = 500

export interface FoldOptions {
  readonly compiled: CompiledPipeline
  readonly users: UserStore
  readonly predictor: Predictor
  readonly spills?: SpillStore | undefined
  readonly batchId: string
  /** For the files of the sort. */
  readonly spoolDir: string
  readonly onUsers?: (counts: FoldCounts) => void
}

export interface FoldCounts {
  readonly users: number
  readonly usersWritten: number
  readonly usersExisting: number
  readonly usersTooBig: number
  readonly folded: number
  readonly duplicates: number
}

/** `buckets`: lines that were decoded before, those of one user in one bucket. Throws StoreError. */
export async function foldFirstItems(
  buckets: Iterable<AsyncIterable<Uint8Array>>,
  options: FoldOptions,
): Promise<FoldCounts> {
  const counts = { users: 0, usersWritten: 0, usersExisting: 0, usersTooBig: 0, folded: 0, duplicates: 0 }
  // One import is made with one version of each model.
  const run = { options, counts, predictor: await options.predictor.pinned() }
  for (const lines of buckets) {
    let fold = new HistoryFold(options.compiled)
    let userId: string | undefined
    for await (const { item: event } of byUserAndTime(lines, options)) {
      if (event.userId !== userId && fold.size >= USERS_PER_RUN) {
        await writeUsers(fold, run)
        fold = new HistoryFold(options.compiled)
      }
      userId = event.userId
      fold.add(event)
    }
    await writeUsers(fold, run)
  }
  return counts
}

function byUserAndTime(lines: AsyncIterable<Uint8Array>, { compiled, spoolDir }: FoldOptions) {
  const read = (line: Uint8Array): DecodedEvent => readAgain(line, compiled.contracts)
  return sortLines(lines, { read, compare: compareUserAndTime, folder: spoolDir, name: 'sort' })
}

function readAgain(line: Uint8Array, contracts: Contracts): DecodedEvent {
  const event = decodePayload(line, contracts)
  if (isRefusal(event)) throw new Error(`a line that was decoded before is refused: ${event.reason}`)
  return event
}

function compareUserAndTime(a: DecodedEvent, b: DecodedEvent): number {
  if (a.userId !== b.userId) return a.userId < b.userId ? -1 : 1
  return a.ts - b.ts
}

interface Run {
  readonly options: FoldOptions
  readonly counts: { -readonly [Name in keyof FoldCounts]: number }
  readonly predictor: PinnedPredictor
}

async function writeUsers(fold: HistoryFold, { options, counts, predictor }: Run): Promise<void> {
  const { batchId, users } = options
  const { definitions, pipeline } = options.compiled
  const made = { before: undefined, definitions, itemBytesMax: pipeline.itemBytesMax, imports: [batchId] }
  const finished = fold.finish()
  for (const group of predictionRuns(finished, predictor)) {
    const predicted = await predictor.predict(group.map(([, next]) => next.features))
    await mapWithLimit(group, WRITES_IN_FLIGHT_MAX, async ([userId, next], index) => {
      const prediction = predicted[index] ?? (await predictOne(predictor, next.features))
      const packed = await packItem({ ...made, userId, next }, prediction, options.spills)
      if ('reason' in packed) {
        counts.usersTooBig++
        return
      }
      await packed.writeSpills()
      const isOurs = await putFirst(users, packed.item, batchId)
      await packed.keepSpills()
      if (isOurs) counts.usersWritten++
      else counts.usersExisting++
    })
  }
  counts.users += finished.length
  counts.folded += fold.counts.folded
  counts.duplicates += fold.counts.duplicates
  options.onUsers?.(counts)
}

/** A put whose answer was lost is found again: the item that is there names this very batch. */
async function putFirst(users: UserStore, item: StoredItem, batchId: string): Promise<boolean> {
  const put = await users.put(item, undefined)
  if (put.outcome === 'written') return true
  const { current } = put
  return current !== undefined && !isCorrupt(current) && current.imports.includes(batchId)
}
