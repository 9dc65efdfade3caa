// A user forgotten: the tombstone first, so that nothing brings back what is being removed; then the item, and everything that is named in
// docs/storage-layout.md. It is looked through until nothing is found any more, and a run that died is run again.
import type { Contracts } from '../event/compile-contracts.ts'
import { MillraceError } from '../platform/errors.ts'
import type { ObjectInfo } from '../platform/object-store.ts'
import { itemState, type ItemState, removeItem } from './forget-item.ts'
import { forgetLines, LINE_KINDS } from './forget-lines.ts'
import { findUnknown, forgetCorrupt, forgetGivenUp, forgetRescores, forgetSpills } from './forget-objects.ts'
import { forgetTables, type TablesPass } from './forget-tables.ts'
import type { ForgetPorts } from './ports.ts'
import {
  addTo,
  bytesIn,
  foundIn,
  type Left,
  mergeTallies,
  newTally,
  type Place,
  type PlaceCounts,
  type ReplacedBatch,
  type Tally,
} from './tally.ts'
import { noteFinal, noteItemGone, openTombstone, type Tombstone } from './tombstone.ts'
import { userInNames } from './user-in-names.ts'
import { type Whose, whoseIs } from './whose.ts'

export interface ForgetRequest {
  readonly userId: string
  readonly contracts: Contracts
  /** Name of the pipeline. */
  readonly pipeline: string
  readonly who: string
  readonly why: string
  /** Of the stream, ms: so long may it deliver again what it has. */
  readonly retentionMs: number
  /** Also what came since one that is not final yet. */
  readonly isAnew?: boolean
  /** Keys of partitions, and tables as `db.table`, whose values are no users. */
  readonly keysWithoutUsers?: readonly string[]
  readonly isDryRun: boolean
  readonly onProgress?: (what: string) => void
}

export interface ForgetReport {
  /** The user, as names and receipts have it. */
  readonly hmac: string
  readonly untilMs: number
  readonly isResumed: boolean
  readonly item: ItemState
  readonly places: Readonly<Record<Place, PlaceCounts>>
  readonly bytesRewritten: number
  readonly bytesCopied: number
  readonly bytesRemoved: number
  readonly replaced: readonly ReplacedBatch[]
  /** What keeps it from being complete. */
  readonly left: readonly Left[]
  readonly mentions: number
  readonly newLife: number
  /** How often everything was looked through. */
  readonly passes: number
  /** Everything was looked at, and nothing is there any more. */
  readonly isComplete: boolean
  /** And the stream cannot deliver any of it again. */
  readonly isFinal: boolean
  /** From when on a run may say so, ms. */
  readonly finalAfterMs: number
}

export interface ForgetUserPorts extends ForgetPorts {
  /** Of the catalogue's objects, before they go. */
  readonly writeReceipt: (objects: readonly ObjectInfo[]) => Promise<void>
}

const PASSES_MAX = 3

/** Throws MillraceError, StoreError, ObjectStoreError, CatalogError, ArchiveError. */
export async function forgetUser(request: ForgetRequest, ports: ForgetUserPorts): Promise<ForgetReport> {
  const { userId, isDryRun, who, why, isAnew = false, contracts } = request
  const whose = whoseIs(userId, contracts)
  if ([who, why].some(text => whose.isWordIn(text))) throw reasonNamesUser()
  const key = await ports.spills.key()
  const nowMs = ports.clock()
  const tombstone = await openTombstone(ports.archive, { userId, key, nowMs, who, why, isAnew, isDryRun })
  const first = await firstItem(request, ports, tombstone)
  const passes = await look(request, ports, { whose, tombstone, goneMs: first.goneMs })
  const tally = mergeTallies(passes)
  if (first.isFound) addTo(tally.places.item, { looked: 1, found: 1, rows: 1 })
  const item = isDryRun ? 'none' : await lastItem(request, ports, { tombstone, goneMs: first.goneMs, tally })
  const isNothingLeft = tally.left.length === 0 && foundIn(passes.at(-1) ?? newTally()) === 0
  const isComplete = !isDryRun && isNothingLeft && (item === 'none' || item === 'new-life')
  const finalAfterMs = tombstone.untilMs + request.retentionMs
  const isFinal = isComplete && ports.clock() > finalAfterMs && foundIn(tally) === 0
  if (isFinal) await noteFinal(ports.archive, tombstone, ports.clock())
  return {
    hmac: tombstone.hmac,
    untilMs: tombstone.untilMs,
    isResumed: tombstone.isResumed,
    item,
    places: tally.places,
    bytesRewritten: bytesIn(tally, 'bytesRewritten'),
    bytesCopied: bytesIn(tally, 'bytesCopied'),
    bytesRemoved: bytesIn(tally, 'bytesRemoved'),
    replaced: tally.replaced,
    left: tally.left,
    mentions: tally.mentions,
    newLife: tally.newLife,
    passes: passes.length,
    isComplete,
    isFinal,
    finalAfterMs,
  }
}

interface FirstItem {
  readonly isFound: boolean
  readonly goneMs: number
}

/** Once for a tombstone, whatever the item has. */
async function firstItem(
  { userId, isDryRun }: ForgetRequest,
  ports: ForgetUserPorts,
  tombstone: Tombstone,
): Promise<FirstItem> {
  if (tombstone.itemGoneMs !== undefined) return { isFound: false, goneMs: tombstone.itemGoneMs }
  if (isDryRun) return { isFound: (await ports.users.load(userId)) !== undefined, goneMs: ports.clock() }
  const isFound = await removeItem(ports, userId)
  const goneMs = ports.clock()
  await noteItemGone(ports.archive, tombstone, goneMs)
  return { isFound, goneMs }
}

interface Looking {
  readonly whose: Whose
  readonly tombstone: Tombstone
  readonly goneMs: number
}

/** The last one finds nothing, unless it is the last that is tried. */
async function look(
  { userId, pipeline, who, why, keysWithoutUsers = [], isDryRun, onProgress = () => undefined }: ForgetRequest,
  ports: ForgetUserPorts,
  { whose, tombstone: { untilMs, hmac }, goneMs }: Looking,
): Promise<readonly Tally[]> {
  const tallies: Tally[] = []
  const passesMax = isDryRun ? 1 : PASSES_MAX
  const names = userInNames(userId, keysWithoutUsers)
  while (tallies.length < passesMax) {
    const tally = newTally()
    const { writeReceipt } = ports
    const facts = { names, pipeline, who, why, hmac, untilMs, itemGoneMs: goneMs, isDryRun }
    await lookOnce({ ...facts, ports, whose, tally, onProgress, writeReceipt })
    tallies.push(tally)
    if (foundIn(tally) === 0) break
  }
  return tallies
}

/** The archive before the catalogue: what a compaction that runs meanwhile reads is gone by then. */
async function lookOnce(pass: TablesPass): Promise<void> {
  const steps: readonly (readonly [string, () => Promise<void>])[] = [
    ['large predictions', () => forgetSpills(pass)],
    ...LINE_KINDS.map(kind => [`${kind}/`, () => forgetLines(pass, kind)] as const),
    ['corrupt/', () => forgetCorrupt(pass)],
    ['aws/lambda/', () => forgetGivenUp(pass)],
    ['rescore/', () => forgetRescores(pass)],
    ['other objects', () => findUnknown(pass)],
    ['tables', () => forgetTables(pass)],
  ]
  for (const [what, step] of steps) {
    pass.onProgress(what)
    await step()
  }
}

interface LastItem {
  readonly tombstone: Tombstone
  readonly goneMs: number
  readonly tally: Tally
}

/** One that is there by now; what came back goes again, and the next run looks for rows that were made of it. */
async function lastItem(
  { userId }: ForgetRequest,
  ports: ForgetUserPorts,
  { tombstone, goneMs, tally }: LastItem,
): Promise<ItemState> {
  const nowMs = ports.clock()
  const state = itemState(await ports.users.load(userId), { newLifeIds: tally.newLifeIds, goneMs, nowMs })
  if (state === 'unsettled') {
    tally.left.push({
      where: 'item',
      why: 'it was written since: run it again an hour later, when the archive has its events',
    })
  }
  if (state === 'mixed') {
    tally.left.push({
      where: 'item',
      why: 'it may have events of before: `millrace users repair` builds it from what is left, then run it again',
    })
  }
  if (state === 'came-back' && (await removeItem(ports, userId))) {
    addTo(tally.places.item, { found: 1, rows: 1 })
    await noteItemGone(ports.archive, tombstone, ports.clock())
    tally.left.push({ where: 'item', why: 'it had come back and was removed: run it again for what was made of it' })
  }
  return state
}

function reasonNamesUser(): MillraceError {
  return new MillraceError('Who or why names the user', {
    code: 'reason-names-user',
    next: 'Name a ticket instead: receipts and logs are kept.',
  })
}
