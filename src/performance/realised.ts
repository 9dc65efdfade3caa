// Judged outcomes in groups, by the version that predicted and by day or week, and each version over all time. One sort in bounded
// memory brings each group together and its pairs into the order of predictions, in which every metric is one pass.
import { sortLines } from '../platform/sort-lines.ts'
import { compareText } from '../replay/training-labels.ts'
import type { Judged } from './judged.ts'
import { type PairFigures, PairSums } from './metrics.ts'
import { type Period, periodStart } from './period.ts'

export interface RealisedFigures extends PairFigures {
  readonly batchId: string
  /** With which the period begins, ms; null: over all time. */
  readonly start: number | null
}

export interface RealisedOptions {
  readonly by: Period
  /** For the files of the sort. */
  readonly spoolDir: string
  readonly runBytesMax?: number | undefined
}

export interface Realised {
  /** By period, and in a period by version. */
  readonly periods: readonly (RealisedFigures & { readonly start: number })[]
  /** By version. */
  readonly versions: readonly RealisedFigures[]
}

export async function realised(
  judged: AsyncIterable<Judged>,
  { by, spoolDir, runBytesMax }: RealisedOptions,
): Promise<Realised> {
  const sorted = sortLines(linesOf(judged, by), {
    read: readLine,
    compare: (a, b) =>
      startOrder(a) - startOrder(b) || compareText(a.batchId, b.batchId) || a.prediction - b.prediction,
    folder: spoolDir,
    name: 'judged',
    ...(runBytesMax === undefined ? {} : { runBytesMax }),
  })
  const periods: (RealisedFigures & { readonly start: number })[] = []
  const versions: RealisedFigures[] = []
  let group: { readonly of: GroupedPair; readonly sums: PairSums } | undefined
  const finish = (): void => {
    const figures = group?.sums.figures()
    if (group === undefined || figures === undefined) return
    const { batchId, start } = group.of
    if (start === null) versions.push({ batchId, start, ...figures })
    else periods.push({ batchId, start, ...figures })
  }
  for await (const { item } of sorted) {
    if (group?.of.batchId !== item.batchId || group.of.start !== item.start) {
      finish()
      group = { of: item, sums: new PairSums() }
    }
    group.sums.add(item)
  }
  finish()
  return { periods, versions }
}

interface GroupedPair {
  readonly start: number | null
  readonly batchId: string
  readonly prediction: number
  readonly label: number
  readonly weight: number
}

/** What is over all time comes first. */
function startOrder({ start }: GroupedPair): number {
  return start ?? Number.NEGATIVE_INFINITY
}

type Line = [start: number | null, batchId: string, prediction: number, label: number, weight: number]

async function* linesOf(judged: AsyncIterable<Judged>, by: Period): AsyncGenerator<Uint8Array> {
  for await (const { time, batchId, prediction, label, weight } of judged) {
    for (const start of [null, periodStart(time, by)]) {
      const line: Line = [start, batchId, prediction, label, weight]
      yield Buffer.from(JSON.stringify(line))
    }
  }
}

function readLine(line: Uint8Array): GroupedPair {
  const [start, batchId, prediction, label, weight] = JSON.parse(Buffer.from(line).toString('utf8')) as Line
  return { start, batchId, prediction, label, weight }
}
