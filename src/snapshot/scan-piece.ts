// One piece of a segment: users are read, evaluated at the run's instant and kept as rows until there are as many as may be in memory,
// or the time is up. What comes back has where each scan is, said by users who are in the rows: one that goes on reads on after them.
import { mapWithLimit } from '../platform/concurrency.ts'
import { featuresAt } from '../serve/evaluate-user.ts'
import { CorruptItemError } from '../store/errors.ts'
import { itemBytes } from '../store/item-size.ts'
import { type CorruptItem, isCorrupt, type StoredItem } from '../store/user-item.ts'
import type { WorkDependencies } from './dependencies.ts'
import type { SnapshotRun } from './run-records.ts'
import { snapshotColumns, snapshotRow } from './snapshot-rows.ts'
import { UserCounts } from './user-counts.ts'
import { WaitingRows } from './waiting-rows.ts'

export interface PieceBounds {
  readonly rowsMax: number
  /** Of predictions that wait. */
  readonly bytesMax: number
  /** Asked after each round of pages. */
  readonly isTimeUp: () => boolean
}

/** By scan; undefined: from the start. */
export type ScanAfter = string | undefined | typeof SCAN_ENDED
export const SCAN_ENDED = Symbol('ended')

export interface ScannedPiece {
  readonly rows: WaitingRows
  readonly counts: UserCounts
  readonly after: readonly ScanAfter[]
}

export interface PieceInput {
  readonly run: SnapshotRun
  readonly segment: number
  readonly after: readonly ScanAfter[]
  readonly bounds: PieceBounds
  /** Awaited after each round of pages. */
  readonly pace: (units: number) => Promise<void>
  readonly onUsers?: ((users: number) => void) | undefined
}

/** Of an item that cannot be read its size is not known. */
const CORRUPT_ITEM_BYTES = 4096
/** Of a scan that is eventually consistent: half a unit for each 4 KB. */
const BYTES_OF_UNIT = 8192

type Page = readonly (StoredItem | CorruptItem)[]

interface Scan {
  readonly index: number
  readonly pages: AsyncIterator<Page>
  /** Since the last user that could be read. Whoever goes on after that user meets them again. */
  corruptItems: number
}

export async function scanPiece(deps: WorkDependencies, input: PieceInput): Promise<ScannedPiece> {
  const { run, segment, bounds, pace, onUsers } = input
  const piece = new Piece(deps, input)
  let scans: Scan[] = input.after.flatMap((after, index) => {
    if (after === SCAN_ENDED) return []
    const pages = deps.users.scan(segment * run.scans + index, run.segments * run.scans, after)
    return [{ index, pages: pages[Symbol.asyncIterator](), corruptItems: 0 }]
  })
  try {
    while (scans.length > 0 && !piece.isFull() && !(piece.counts.users > 0 && bounds.isTimeUp())) {
      const before = piece.counts.users
      const pages = await mapWithLimit(scans, scans.length, async scan => ({ scan, page: await scan.pages.next() }))
      let bytes = 0
      for (const { scan, page } of pages) {
        if (page.done === true) piece.end(scan)
        else bytes += await piece.add(scan, page.value)
      }
      scans = pages.flatMap(({ scan, page }) => (page.done === true ? [] : [scan]))
      onUsers?.(piece.counts.users - before)
      const units = Math.ceil(bytes / BYTES_OF_UNIT)
      piece.counts.addRead(units)
      if (units > 0) await pace(units)
    }
  } finally {
    for (const { pages } of scans) await pages.return?.()
  }
  return piece
}

class Piece implements ScannedPiece {
  readonly rows: WaitingRows
  readonly counts: UserCounts
  readonly after: ScanAfter[]
  readonly #deps: WorkDependencies
  readonly #input: PieceInput

  constructor(deps: WorkDependencies, input: PieceInput) {
    this.#deps = deps
    this.#input = input
    this.after = [...input.after]
    this.rows = new WaitingRows(snapshotColumns(deps.compiled))
    this.counts = new UserCounts(deps.compiled, deps.predictor.models ?? [])
  }

  isFull(): boolean {
    const { rowsMax, bytesMax } = this.#input.bounds
    return this.rows.rows >= rowsMax || this.rows.bytes > bytesMax
  }

  end(scan: Scan): void {
    this.counts.addCorrupt(scan.corruptItems)
    this.after[scan.index] = SCAN_ENDED
  }

  /** The bytes of the page. */
  async add(scan: Scan, page: Page): Promise<number> {
    const { instantMs } = this.#input.run
    let bytes = 0
    const readable = page.map(item => {
      bytes += isCorrupt(item) ? CORRUPT_ITEM_BYTES : itemBytes(item)
      return this.#featuresOf(item)
    })
    const predicted = await this.#deps.predictor.predict(readable.flatMap(each => each?.features ?? []))
    let next = 0
    for (const one of readable) {
      if (one === undefined) {
        scan.corruptItems++
        continue
      }
      const { item, features } = one
      const user = predicted[next++]
      if (user === undefined) throw new Error('A predictor left users out')
      this.counts.addCorrupt(scan.corruptItems)
      scan.corruptItems = 0
      this.counts.add(item, { features, ...user }, instantMs)
      this.rows.add(item.userId, snapshotRow(item.userId, item.v, { features, ...user }), user)
      this.after[scan.index] = item.userId
    }
    return bytes
  }

  #featuresOf(item: StoredItem | CorruptItem) {
    try {
      if (isCorrupt(item)) return undefined
      return { item, features: featuresAt(this.#deps.compiled, item, this.#input.run.instantMs) }
    } catch (error) {
      if (!(error instanceof CorruptItemError)) throw error
      return undefined
    }
  }
}
