// Each outcome beside the newest prediction that stood strictly before it and not longer than the horizon. Both come by user and
// time, so the join holds one prediction; those are sorted in bounded memory first.
import { sortLines } from '../platform/sort-lines.ts'
import { compareText } from '../replay/training-labels.ts'
import { judge, type JoinCounts, type Judged } from './judged.ts'
import type { Outcome } from './outcomes.ts'
import type { StoredPrediction } from './snapshot-predictions.ts'

export interface JoinOptions {
  readonly horizonMs: number
  /** For the files of the sort. */
  readonly spoolDir: string
  readonly counts: JoinCounts
  readonly runBytesMax?: number | undefined
}

/** `outcomes` by user and time, `predictions` in any order. */
export async function* joinStored(
  outcomes: AsyncIterable<Outcome>,
  predictions: AsyncIterable<StoredPrediction>,
  { horizonMs, spoolDir, counts, runBytesMax }: JoinOptions,
): AsyncGenerator<Judged> {
  const sorted = sortLines(linesOf(predictions), {
    read: readLine,
    compare: (a, b) => compareText(a.userId, b.userId) || a.at - b.at,
    folder: spoolDir,
    name: 'predictions',
    ...(runBytesMax === undefined ? {} : { runBytesMax }),
  })
  let head = await sorted.next()
  let newest: StoredPrediction | undefined
  try {
    for await (const outcome of outcomes) {
      for (; head.done !== true && isBefore(head.value.item, outcome); head = await sorted.next())
        newest = head.value.item
      const isOwn = newest?.userId === outcome.userId && newest.at >= outcome.time - horizonMs
      const judged = judge(outcome, isOwn ? newest : undefined, counts)
      if (judged !== undefined) yield judged
    }
  } finally {
    await sorted.return(undefined)
  }
}

function isBefore({ userId, at }: StoredPrediction, outcome: Outcome): boolean {
  const order = compareText(userId, outcome.userId)
  return order < 0 || (order === 0 && at < outcome.time)
}

type Line = [userId: string, at: number, batchId: string | null, value: number | null, isGone: 0 | 1]

async function* linesOf(predictions: AsyncIterable<StoredPrediction>): AsyncGenerator<Uint8Array> {
  for await (const { userId, at, batchId, value, isGone } of predictions) {
    const line: Line = [userId, at, batchId ?? null, value ?? null, isGone ? 1 : 0]
    yield Buffer.from(JSON.stringify(line))
  }
}

function readLine(line: Uint8Array): StoredPrediction {
  const [userId, at, batchId, value, isGone] = JSON.parse(Buffer.from(line).toString('utf8')) as Line
  return { userId, at, batchId: batchId ?? undefined, value: value ?? undefined, isGone: isGone === 1 }
}
