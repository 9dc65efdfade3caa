// Who was forgotten, and up to when: an object for each, whose name has an HMAC of the user and the instant, so that a listing says it all.
// Whatever of the user arrived until then counts for nobody, wherever it turns up again; what arrives later is another life.
import { createHmac } from 'node:crypto'
import type { ObjectStore } from '../platform/object-store.ts'
import { userBucket } from '../platform/hash.ts'
import { ArchiveError } from './errors.ts'

export const FORGOTTEN_PREFIX = 'forgotten/'
/** The key of the deployment, which large predictions are named with, too. */
export const HMAC_KEY_OBJECT = 'spill-key.json'

const INSTANT_DIGITS = 15
const NAME = /^forgotten\/\d\d\/([0-9a-f]{64})\/(\d{15})\.json$/
/** HMACs that are remembered: a user's records come one after another. */
const REMEMBERED_MAX = 10_000

/** Who wants to know if a record counts. */
export interface Forgotten {
  /** False: nobody ever was, so that there is nothing to ask. */
  readonly isAny: boolean
  /** Of something of the user that arrived, or happened, at the instant. */
  has(userId: string, atMs: number): boolean
}

export const NOBODY_FORGOTTEN: Forgotten = { isAny: false, has: () => false }

/** One listing, and the key where there is a name. Throws ObjectStoreError, ArchiveError. */
export async function readForgotten(archive: Pick<ObjectStore, 'get' | 'list'>): Promise<Forgotten> {
  const untilByHmac = new Map<string, number>()
  for await (const { key } of archive.list(FORGOTTEN_PREFIX)) {
    const [, hmac, until] = NAME.exec(key) ?? []
    if (hmac !== undefined) untilByHmac.set(hmac, Math.max(untilByHmac.get(hmac) ?? 0, Number(until)))
  }
  if (untilByHmac.size === 0) return NOBODY_FORGOTTEN
  return forgotten(untilByHmac, await readKey(archive))
}

function forgotten(untilByHmac: ReadonlyMap<string, number>, key: string): Forgotten {
  const remembered = new Map<string, number>()
  return {
    isAny: true,
    has(userId, atMs) {
      let untilMs = remembered.get(userId)
      if (untilMs === undefined) {
        if (remembered.size >= REMEMBERED_MAX) remembered.clear()
        untilMs = untilByHmac.get(forgottenHmac(userId, key)) ?? Number.NEGATIVE_INFINITY
        remembered.set(userId, untilMs)
      }
      return atMs <= untilMs
    },
  }
}

/** Another one than in the names of large predictions, so that neither tells of the other. */
export function forgottenHmac(userId: string, key: string): string {
  return createHmac('sha256', key).update(`forgotten\u0000${userId}`).digest('hex')
}

/** `forgotten/07/<HMAC>/`: all that is known of who was forgotten. */
export function forgottenPrefix(userId: string, key: string): string {
  return `${FORGOTTEN_PREFIX}${String(userBucket(userId)).padStart(2, '0')}/${forgottenHmac(userId, key)}/`
}

/** `000001767355200000.json` below it; `of` is another note about the same instant. */
export function forgottenName(untilMs: number, of = ''): string {
  return `${String(untilMs).padStart(INSTANT_DIGITS, '0')}${of === '' ? '' : `-${of}`}.json`
}

async function readKey(archive: Pick<ObjectStore, 'get'>): Promise<string> {
  const body = await archive.get(HMAC_KEY_OBJECT)
  const key: unknown = body === undefined ? undefined : parsed(body)
  if (typeof key === 'string') return key
  throw new ArchiveError(HMAC_KEY_OBJECT, 'is not a key, so that nobody can tell who was forgotten')
}

function parsed(body: Uint8Array): unknown {
  try {
    return (JSON.parse(Buffer.from(body).toString('utf8')) as { readonly key?: unknown } | null)?.key
  } catch {
    return undefined
  }
}
