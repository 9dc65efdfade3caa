// A key by which a caller says that a store is the same one again: the first claims it for a batch of the partition, and whoever comes
// with it later gets that very batch, in the log already or to be ended. The claim is made before anything else of the batch, with the
// number that the log had then: the batch can be in later entries only.
import { mapWithLimit } from '../platform/concurrency.ts'
import { sha256Hex } from '../platform/hash.ts'
import { checkBatchId, newBatchId } from './batch-id.ts'
import type { CatalogItem } from './catalog-store.ts'
import { createOrLose, currentEntry, type LogPorts, lookAtLog, waitForRound } from './commit-log.ts'
import { CatalogError } from './errors.ts'
import { type Claim, type LogEntry, readClaim, toAttributes } from './items.ts'
import { claimSortKey } from './layout.ts'
import { checkPartition, type PartitionRef, tableKey } from './names.ts'

/** A batch of which nothing, something or everything may be written. */
export interface BegunBatch {
  readonly batchId: string
  readonly createdAtMs: number
  /** Somebody may have written some of it before. */
  readonly mayBeBegun: boolean
  /** Where a key stands for it: the log has it in a later entry, or not yet. */
  readonly after?: number | undefined
  /** The entry that commits it. */
  readonly committed?: LogEntry | undefined
}

export interface ClaimInput {
  readonly idempotencyKey: string
  readonly who: string
  /** Whether the partitions are committed together, so that the key stands for all of them or for none. */
  readonly isTogether: boolean
}

/** A partition with the batch ID that its caller wants, if any. */
export interface WantedBatch {
  readonly ref: PartitionRef
  readonly batchId?: string | undefined
}

const KEY_BYTES_MAX = 1_024
/** A lost round is followed by finding the winner's claim; more are lost only to transactions under way. */
const ROUNDS_MAX = 10
/** Small reads of the catalogue in flight. */
const READS_MAX = 8

/** In the order of the partitions. Throws CatalogError `idempotency-key-reused`, `idempotency-key-invalid`, `catalog-contended`. */
export async function claimBatches(
  ports: LogPorts,
  wanted: readonly WantedBatch[],
  { idempotencyKey, who, isTogether }: ClaimInput,
): Promise<readonly BegunBatch[]> {
  const { store } = ports
  const keySha256 = sha256Hex(checkKey(idempotencyKey))
  const names = wanted.map(({ ref }) => checkPartition(ref))
  const together = isTogether ? sha256Hex(JSON.stringify(names.toSorted())) : undefined
  const places = wanted.map(one => ({
    ...one,
    table: tableKey(one.ref),
    sk: claimSortKey(one.ref.partition, keySha256),
  }))
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    const found = await mapWithLimit(places, READS_MAX, ({ table, sk }) => store.get(table, sk))
    const claims = found.flatMap(item => (item === undefined ? [] : [readClaim(item)]))
    if (claims.length > 0) return resume(ports, wanted, { claims, together })
    const made = await mapWithLimit(places, READS_MAX, async ({ ref, batchId, table, sk }) => {
      const claim = await newClaim(ports, ref, { batchId, who, together })
      return { claim, item: { table, sk, attributes: toAttributes(claim) } satisfies CatalogItem }
    })
    const items = made.map(({ item }) => item)
    const [only] = items
    const create = () => (isTogether || only === undefined ? store.createAll(items) : store.create(only))
    if ((await createOrLose(create)) === 'created') {
      return made.map(({ claim: { batchId, at, after } }) => ({ batchId, createdAtMs: at, mayBeBegun: false, after }))
    }
    await waitForRound(ports, round)
  }
  throw new CatalogError('Others keep claiming the same idempotency key', {
    code: 'catalog-contended',
    retriable: true,
    next: 'Try again.',
  })
}

async function newClaim(
  { store, clock, random }: LogPorts,
  ref: PartitionRef,
  { batchId, who, together }: Pick<Claim, 'who' | 'together'> & { readonly batchId: string | undefined },
): Promise<Claim> {
  const after = (await currentEntry(store, ref))?.number ?? 0
  const at = clock()
  return { batchId: checkBatchId(batchId ?? newBatchId(at, random)), after, together, at, who }
}

/** What the key stands for since an earlier call, which may be under way still. */
async function resume(
  { store }: LogPorts,
  wanted: readonly WantedBatch[],
  { claims, together }: { readonly claims: readonly Claim[]; readonly together: string | undefined },
): Promise<readonly BegunBatch[]> {
  const [first] = wanted
  const isSame = claims.length === wanted.length && claims.every(claim => claim.together === together)
  if (first !== undefined && !isSame) throw keyReused(first.ref, 'it stands for a batch of other partitions')
  return mapWithLimit(wanted, READS_MAX, async ({ ref, batchId: asked }, index) => {
    const { batchId, at, after } = claims[index] as Claim
    if (asked !== undefined && asked !== batchId) throw keyReused(ref, `it stands for the batch ${batchId}`)
    const { committed } = await lookAtLog(store, ref, batchId, after)
    return { batchId, createdAtMs: at, mayBeBegun: true, after, committed }
  })
}

/** What a batch has already is not what was given: said of the key where there is one. */
export function asKeyReused(error: unknown, ref: PartitionRef, batchId: string): unknown {
  if (!(error instanceof CatalogError) || error.code !== 'batch-exists') return error
  return keyReused(ref, `it stands for ${batchId}, whose bytes are others: ${error.message}`, error)
}

export function keyReused(ref: PartitionRef, what: string, cause?: unknown): CatalogError {
  const table = tableKey(ref)
  return new CatalogError(`The idempotency key was used for ${table}, partition ${ref.partition}, before: ${what}`, {
    code: 'idempotency-key-reused',
    next: 'Nothing was committed. Take another key for other data.',
    table,
    partition: ref.partition,
    cause,
  })
}

function checkKey(key: string): string {
  if (key.trim() !== '' && key.isWellFormed() && Buffer.byteLength(key) <= KEY_BYTES_MAX) return key
  throw new CatalogError(`The idempotency key is empty, not Unicode or longer than ${KEY_BYTES_MAX} bytes`, {
    code: 'idempotency-key-invalid',
    next: 'Name what is stored and from what: `orders of 2026-06-30, export 17`.',
  })
}
