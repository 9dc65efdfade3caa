// Who was forgotten, as it is written down: first the tombstone, which every reader of history respects, then what was done since, each an
// object beside it. The names have an HMAC of the user and instants, and there is no user in the objects.
import { forgottenHmac, forgottenName, forgottenPrefix } from '../archive/forgotten.ts'
import type { ObjectStore } from '../platform/object-store.ts'

export interface Tombstone {
  readonly hmac: string
  readonly prefix: string
  /** What arrived until then is forgotten, ms. */
  readonly untilMs: number
  /** Somebody has begun it before. */
  readonly isResumed: boolean
  /** When the item was gone, the last time that it was removed; undefined: not yet. */
  readonly itemGoneMs: number | undefined
}

export interface TombstoneRequest {
  readonly userId: string
  /** Of the deployment's HMACs. */
  readonly key: string
  readonly nowMs: number
  readonly who: string
  readonly why: string
  /** Whatever was begun before: up to now. */
  readonly isAnew: boolean
  readonly isDryRun: boolean
}

const CONTENT = { contentType: 'application/json' }
const NAME = /^(\d{15})(?:-(final|item-\d{15}))?\.json$/

/** The one that was begun and is not final yet, or a new one of now. Throws ObjectStoreError. */
export async function openTombstone(archive: ObjectStore, request: TombstoneRequest): Promise<Tombstone> {
  const { userId, key, nowMs, who, why, isAnew, isDryRun } = request
  const [hmac, prefix] = [forgottenHmac(userId, key), forgottenPrefix(userId, key)]
  const begun = await newestOf(archive, prefix)
  if (begun !== undefined && !begun.isFinal && !isAnew) {
    return { hmac, prefix, untilMs: begun.untilMs, isResumed: true, itemGoneMs: begun.itemGoneMs }
  }
  const untilMs = Math.max(nowMs, (begun?.untilMs ?? 0) + 1)
  const body = Buffer.from(`${JSON.stringify({ untilMs, who, why })}\n`)
  if (!isDryRun) await archive.create(prefix + forgottenName(untilMs), body, CONTENT)
  return { hmac, prefix, untilMs, isResumed: false, itemGoneMs: undefined }
}

interface Begun {
  readonly untilMs: number
  readonly isFinal: boolean
  readonly itemGoneMs: number | undefined
}

async function newestOf(archive: ObjectStore, prefix: string): Promise<Begun | undefined> {
  let newest: Begun | undefined
  for await (const { key } of archive.list(prefix)) {
    const [, until, of] = NAME.exec(key.slice(prefix.length)) ?? []
    if (until === undefined) continue
    const untilMs = Number(until)
    const before = newest?.untilMs === untilMs ? newest : { untilMs, isFinal: false, itemGoneMs: undefined }
    const goneMs = of?.startsWith('item-') === true ? Number(of.slice('item-'.length)) : undefined
    newest = {
      untilMs,
      isFinal: before.isFinal || of === 'final',
      itemGoneMs: goneMs === undefined ? before.itemGoneMs : Math.max(goneMs, before.itemGoneMs ?? 0),
    }
  }
  return newest
}

/** Rows that were written of the item until then are forgotten. Throws ObjectStoreError. */
export async function noteItemGone(
  archive: ObjectStore,
  { prefix, untilMs }: Tombstone,
  goneMs: number,
): Promise<void> {
  const name = forgottenName(untilMs, `item-${String(goneMs).padStart(15, '0')}`)
  await archive.create(prefix + name, Buffer.from(`${JSON.stringify({ untilMs, goneMs })}\n`), CONTENT)
}

/** Throws ObjectStoreError. */
export async function noteFinal(archive: ObjectStore, { prefix, untilMs }: Tombstone, atMs: number): Promise<void> {
  const body = Buffer.from(`${JSON.stringify({ untilMs, finalMs: atMs })}\n`)
  await archive.create(prefix + forgottenName(untilMs, 'final'), body, CONTENT)
}
