// What else lies in the archive's bucket: large predictions, items that were kept, batches that Lambda gave up on, how far a rescore was. What
// nobody here knows is named, and keeps the forgetting from being complete.
import { FORGOTTEN_PREFIX, HMAC_KEY_OBJECT } from '../archive/forgotten.ts'
import { GIVEN_UP_PREFIX } from '../archive/given-up.ts'
import { mapPulled } from '../platform/concurrency.ts'
import { sha256Hex } from '../platform/hash.ts'
import { SPILL_PREFIX, spillPrefix } from '../predictions/spill.ts'
import { CORRUPT_PREFIX } from '../replay/repair-keep.ts'
import { RUNS_PREFIX } from '../snapshot/snapshot-runs.ts'
import { LINE_KINDS } from './forget-lines.ts'
import type { Pass } from './ports.ts'
import { addTo } from './tally.ts'

const OBJECTS_IN_FLIGHT_MAX = 8
const HASH_DIGITS = 16
export const RESCORE_PREFIX = 'rescore/'

/** Those that a sweep hid before, too. Throws ObjectStoreError, StoreError. */
export async function forgetSpills({ ports, whose, tally, isDryRun }: Pass): Promise<void> {
  const prefix = spillPrefix(whose.userId, await ports.spills.key())
  const counts = tally.places.spill
  for await (const { bytes } of ports.archive.list(prefix)) {
    addTo(counts, { looked: 1, ...(isDryRun ? { found: 1, rows: 1, bytesRemoved: bytes } : {}) })
  }
  if (isDryRun) return
  await ports.stillAlone()
  const { objects, bytes } = await ports.archiveEnder.endBelow(prefix, () => true)
  addTo(counts, { found: objects, rows: objects, bytesRemoved: bytes })
}

/** Throws ObjectStoreError. */
export async function forgetCorrupt(pass: Pass): Promise<void> {
  await eachJson(pass, 'corrupt', CORRUPT_PREFIX, json => ({ rows: pass.whose.isNamedIn(json) ? 1 : 0 }))
}

/** A step that ends at the user goes: the run goes on from the one before it. Throws ObjectStoreError. */
export async function forgetRescores(pass: Pass): Promise<void> {
  await eachJson(pass, 'rescore', RESCORE_PREFIX, json => ({ rows: pass.whose.isNamedIn(json) ? 1 : 0 }))
}

interface FailedInvocation {
  readonly payload?: unknown
}

interface LambdaRecord {
  readonly kinesis?: {
    readonly partitionKey?: string
    readonly data?: string
    readonly approximateArrivalTimestamp?: number
  }
}

const SECOND_MS = 1000

/** Throws ObjectStoreError. */
export async function forgetGivenUp(pass: Pass): Promise<void> {
  await eachJson(pass, 'given-up', GIVEN_UP_PREFIX, json => {
    const { payload } = json as FailedInvocation
    const event = (typeof payload === 'string' ? JSON.parse(payload) : payload) as { Records?: readonly LambdaRecord[] }
    const records = event.Records ?? []
    const kept = records.filter(record => !isForgotten(pass, record))
    if (kept.length === records.length) return { rows: 0 }
    const rows = records.length - kept.length
    if (kept.length === 0) return { rows }
    const without = { ...event, Records: kept }
    return {
      rows,
      without: { ...(json as object), payload: typeof payload === 'string' ? JSON.stringify(without) : without },
    }
  })
}

function isForgotten({ whose, untilMs, tally }: Pass, { kinesis }: LambdaRecord): boolean {
  const { partitionKey = '', data = '', approximateArrivalTimestamp = 0 } = kinesis ?? {}
  const verdict = whose.record({ partitionKey, dataBase64: data })
  if (verdict.of === 'mention') tally.mentions++
  return verdict.of === 'own' && approximateArrivalTimestamp * SECOND_MS <= untilMs
}

interface Judged {
  /** Of the user. */
  readonly rows: number
  /** What stays of the object, if anything. */
  readonly without?: object
}

async function eachJson(
  pass: Pass,
  place: 'corrupt' | 'rescore' | 'given-up',
  prefix: string,
  judge: (json: unknown) => Judged,
): Promise<void> {
  const { archive, archiveEnder, stillAlone } = pass.ports
  const counts = pass.tally.places[place]
  await mapPulled(archive.list(prefix), OBJECTS_IN_FLIGHT_MAX, async ({ key }) => {
    counts.looked++
    const body = await archive.get(key)
    if (body === undefined) return
    const judged = judgeBody(body, judge)
    if (judged === undefined) {
      if (pass.whose.isWordIn(Buffer.from(body).toString('utf8'))) {
        pass.tally.left.push({ where: key, why: 'it names the user, and is not what its name says' })
      }
      return
    }
    const { rows, without } = judged
    if (rows === 0) return
    addTo(counts, { found: 1, rows, bytesRemoved: body.byteLength })
    const rewritten = without && Buffer.from(JSON.stringify(without))
    addTo(counts, { bytesRewritten: rewritten?.byteLength ?? 0 })
    if (pass.isDryRun) return
    if (rewritten !== undefined) {
      const successor = `${key}-${sha256Hex(rewritten).slice(0, HASH_DIGITS)}`
      await archive.create(successor, rewritten, { contentType: 'application/json' })
    }
    await stillAlone()
    await archiveEnder.end(key)
  })
}

/** Undefined: it is no JSON, or another one than is written there. */
function judgeBody(body: Uint8Array, judge: (json: unknown) => Judged): Judged | undefined {
  try {
    return judge(JSON.parse(Buffer.from(body).toString('utf8')))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined
    throw error
  }
}

/** Objects of snapshot runs name no user; those of who was forgotten have HMACs only. */
const KNOWN_PREFIXES = [
  ...LINE_KINDS.map(kind => `${kind}/`),
  SPILL_PREFIX,
  CORRUPT_PREFIX,
  RESCORE_PREFIX,
  GIVEN_UP_PREFIX,
  RUNS_PREFIX,
  FORGOTTEN_PREFIX,
  HMAC_KEY_OBJECT,
]
const AFTER_ALL = '~'

/** Whatever else there is in the bucket, by the first part of its name. Throws ObjectStoreError. */
export async function findUnknown({ ports: { archive }, names, tally }: Pass): Promise<void> {
  let startAfter = ''
  for (;;) {
    const key = await firstAfter(archive.list('', startAfter === '' ? {} : { startAfter }))
    if (key === undefined) return
    const known = KNOWN_PREFIXES.find(prefix => key.startsWith(prefix))
    const first = known ?? key.slice(0, key.indexOf('/') + 1 || key.length)
    if (known === undefined)
      tally.left.push({ where: names.masked(first), why: 'nobody knows what is in it: look at it and remove it' })
    startAfter = first.endsWith('/') ? first + AFTER_ALL : first
  }
}

async function firstAfter(infos: AsyncIterable<{ readonly key: string }>): Promise<string | undefined> {
  for await (const { key } of infos) return key
  return undefined
}
