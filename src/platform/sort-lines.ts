// Lines sorted in bounded memory: runs that fit are sorted there, more than one run goes to local files and is merged from them.
import { LineSpool } from './line-spool.ts'

export interface SortOptions<Item> {
  readonly read: (line: Uint8Array) => Item
  readonly compare: (a: Item, b: Item) => number
  readonly folder: string
  /** Of the files, if any are needed. */
  readonly name: string
  readonly runBytesMax?: number
}

/** Plain bytes of a run; as objects they take some times as much. */
const RUN_BYTES_MAX = 16 * 1024 * 1024

interface Sorted<Item> {
  readonly line: Uint8Array
  readonly item: Item
}

/** Stable. */
export async function* sortLines<Item>(
  lines: AsyncIterable<Uint8Array>,
  options: SortOptions<Item>,
): AsyncGenerator<Sorted<Item>> {
  const { read, compare, runBytesMax = RUN_BYTES_MAX } = options
  const runs = new LineSpool(options.folder, options.name)
  let run: Sorted<Item>[] = []
  let bytes = 0
  let written = 0
  try {
    for await (const line of lines) {
      run.push({ line, item: read(line) })
      bytes += line.length
      if (bytes < runBytesMax) continue
      for (const sorted of sortRun(run, compare)) runs.add(written, sorted.line)
      written++
      run = []
      bytes = 0
    }
    const last = sortRun(run, compare)
    if (written === 0) yield* last
    else yield* mergeRuns([...runs.slots().map(slot => readRun(runs, slot, read)), last[Symbol.iterator]()], compare)
  } finally {
    runs.remove()
  }
}

function sortRun<Item>(run: Sorted<Item>[], compare: SortOptions<Item>['compare']): Sorted<Item>[] {
  return run.sort((a, b) => compare(a.item, b.item))
}

async function* readRun<Item>(
  runs: LineSpool,
  slot: number,
  read: SortOptions<Item>['read'],
): AsyncGenerator<Sorted<Item>, undefined> {
  for await (const line of runs.lines(slot)) yield { line, item: read(line) }
  return undefined
}

type Run<Item> = Iterator<Sorted<Item>> | AsyncIterator<Sorted<Item>>

async function* mergeRuns<Item>(
  runs: readonly Run<Item>[],
  compare: SortOptions<Item>['compare'],
): AsyncGenerator<Sorted<Item>> {
  const heads: { readonly run: Run<Item>; head: Sorted<Item> }[] = []
  for (const run of runs) {
    const { done, value } = await run.next()
    if (done !== true) heads.push({ run, head: value })
  }
  try {
    for (let lowest = heads[0]; lowest !== undefined; lowest = heads[0]) {
      // Of equals the run that came first: few runs, so a scan is enough.
      for (const other of heads) if (compare(other.head.item, lowest.head.item) < 0) lowest = other
      yield lowest.head
      const { done, value } = await lowest.run.next()
      if (done === true) heads.splice(heads.indexOf(lowest), 1)
      else lowest.head = value
    }
  } finally {
    for (const { run } of heads) await run.return?.()
  }
}
