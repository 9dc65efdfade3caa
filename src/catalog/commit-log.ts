// The log of a partition: pointer and audit in one. A committer creates the entry after the highest one; who finds it taken
// takes the next, so all are kept, in one order that everybody sees alike.
import type { Clock, Sleep } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import { fullJitterMs } from '../platform/retry.ts'
import { newBatchId } from './batch-id.ts'
import type { CatalogStore } from './catalog-store.ts'
import { CatalogError } from './errors.ts'
import { type LogEntry, readLogEntry, toAttributes } from './items.ts'
import { logPrefix, logSortKey, LOGS_PREFIX, partitionOfLog } from './layout.ts'
import { checkPartition, type PartitionRef, tableKey, type TableRef } from './names.ts'

/** Each lost round means that somebody else committed: 50 rounds are 50 other commits to one partition within seconds. */
export const ROUNDS_MAX = 50
const ROUND_BASE_MS = 10
const ROUND_CAP_MS = 500
/** A sentence, not a document: it is read in a list. */
const TEXT_BYTES_MAX = 1_024

export interface LogPorts {
  readonly store: CatalogStore
  readonly clock: Clock
  readonly random: Random
  readonly sleep: Sleep
}

export type Commit = Pick<LogEntry, 'kind' | 'batchId' | 'who' | 'why'>

export interface OnceOptions {
  /**
   * For a batch that several may commit, of which one shall: it is in none of the entries up to this number. Whoever comes second gets
   * the entry of the first.
   */
  readonly after?: number | undefined
}

export async function appendToLog(
  ports: LogPorts,
  ref: PartitionRef,
  commit: Commit,
  { after }: OnceOptions = {},
): Promise<LogEntry> {
  const { store, clock, random } = ports
  const table = tableKey(ref)
  checkReason(commit)
  const token = newBatchId(clock(), random)
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    const { newest, committed } = await lookAtLog(store, ref, commit.batchId, after)
    if (committed !== undefined) return committed
    const { number, at } = nextOf(newest, clock())
    const { kind, batchId, who, why } = commit
    const attributes = toAttributes({ kind, batchId, at, who, why, token })
    const sk = logSortKey(ref.partition, number)
    const outcome = await createOrLose(() => store.create({ table, sk, attributes }))
    if (outcome === 'created') return { number, ...commit, at, token }
    // Taken, perhaps by this very write: its answer may have been lost and the client has repeated it.
    const taker = await store.get(table, sk)
    if (taker?.attributes['token'] === token) return readLogEntry(taker, ref.partition)
    await waitForRound(ports, round)
  }
  throw logContended(ref, commit.batchId)
}

export async function waitForRound({ random, sleep }: LogPorts, round: number): Promise<void> {
  await sleep(fullJitterMs(round, { baseMs: ROUND_BASE_MS, capMs: ROUND_CAP_MS, random }))
}

/** Whoever meets another's transaction has lost this round, as if the keys were taken. */
export async function createOrLose(create: () => Promise<'created' | 'exists'>): Promise<'created' | 'exists'> {
  try {
    return await create()
  } catch (error) {
    if (error instanceof CatalogError && error.code === 'catalog-contended') return 'exists'
    throw error
  }
}

export function logContended({ partition, ...ref }: PartitionRef, batchId: string): CatalogError {
  const table = tableKey(ref)
  return new CatalogError(`${ROUNDS_MAX} others committed to ${table}, partition ${partition}, first`, {
    code: 'log-contended',
    retriable: true,
    next: 'Try again; if it stays, find out who commits to this partition so often.',
    table,
    partition,
    batchId,
  })
}

interface LookAtLog {
  readonly newest: LogEntry | undefined
  /** The entry later than `after` that commits the batch. */
  readonly committed: LogEntry | undefined
}

/**
 * Reads every entry between `after` and the newest, so that who finds no commit among them and then creates the next number has seen
 * all before it. Where more have come meanwhile, the next number is taken, and it is looked at anew.
 */
export async function lookAtLog(
  store: CatalogStore,
  ref: PartitionRef,
  batchId: string,
  after: number | undefined,
): Promise<LookAtLog> {
  const newest = await currentEntry(store, ref)
  const count = after === undefined || newest === undefined ? 0 : newest.number - after
  const since = count > 1 ? await readLog(store, ref, count) : count === 1 ? [newest] : []
  return { newest, committed: since.find(entry => entry?.kind === 'commit' && entry.batchId === batchId) }
}

/** Never before the one that it follows, whoever's clock is wrong: what was current at an instant has one answer. */
export function nextOf(newest: LogEntry | undefined, nowMs: number): Pick<LogEntry, 'number' | 'at'> {
  return { number: (newest?.number ?? 0) + 1, at: Math.max(nowMs, newest?.at ?? 0) }
}

export async function currentEntry(store: CatalogStore, ref: PartitionRef): Promise<LogEntry | undefined> {
  const [newest] = await readLog(store, ref, 1)
  return newest
}

export interface CurrentPartition {
  readonly partition: string
  /** The newest of its log. */
  readonly entry: LogEntry
}

/** Every partition that something was ever committed to, in code point order; by reading the logs of all of them. */
export async function currentPartitions(store: CatalogStore, ref: TableRef): Promise<CurrentPartition[]> {
  const partitions: CurrentPartition[] = []
  for await (const item of store.list(tableKey(ref), LOGS_PREFIX)) {
    const partition = partitionOfLog(item.sk)
    // The entries of a partition are neighbours, ascending by number.
    if (partitions.at(-1)?.partition === partition) partitions.pop()
    partitions.push({ partition, entry: readLogEntry(item, partition) })
  }
  return partitions
}

/** Newest first. */
export async function readLog(store: CatalogStore, ref: PartitionRef, limit?: number): Promise<LogEntry[]> {
  const entries: LogEntry[] = []
  const options = { isNewestFirst: true, ...(limit === undefined ? {} : { limit }) }
  for await (const item of store.list(tableKey(ref), logPrefix(checkPartition(ref)), options)) {
    entries.push(readLogEntry(item, ref.partition))
  }
  return entries
}

/** What was current at the instant; undefined: nothing yet. */
export async function readLogAsOf(
  store: CatalogStore,
  ref: PartitionRef,
  asOfMs: number,
): Promise<LogEntry | undefined> {
  for await (const item of store.list(tableKey(ref), logPrefix(checkPartition(ref)), { isNewestFirst: true })) {
    const entry = readLogEntry(item, ref.partition)
    if (entry.at <= asOfMs) return entry
  }
  return undefined
}

/** The newest entry that names the batch. Throws CatalogError `batch-not-found`, for an orphan too: it was never visible. */
export async function committedEntry(store: CatalogStore, ref: PartitionRef, batchId: string): Promise<LogEntry> {
  const table = tableKey(ref)
  for await (const item of store.list(table, logPrefix(checkPartition(ref)), { isNewestFirst: true })) {
    const entry = readLogEntry(item, ref.partition)
    if (entry.batchId === batchId) return entry
  }
  throw new CatalogError(`No batch ${batchId} was ever committed to ${table}, partition ${ref.partition}`, {
    code: 'batch-not-found',
    next: '`millrace table history` lists those that were.',
    table,
    partition: ref.partition,
    batchId,
  })
}

/** Who and why are asked of everybody who changes what others read. Throws CatalogError. */
export function checkReason({ who, why }: { readonly who: string; readonly why: string }): void {
  for (const [name, text] of Object.entries({ who, why })) {
    const isRight = text.trim() !== '' && text.isWellFormed() && Buffer.byteLength(text) <= TEXT_BYTES_MAX
    if (isRight) continue
    throw new CatalogError(`"${name}" is empty, not Unicode or longer than ${TEXT_BYTES_MAX} bytes`, {
      code: 'reason-invalid',
      next: 'Say who and why in a sentence.',
    })
  }
}
