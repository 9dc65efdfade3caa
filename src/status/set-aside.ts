// How much is set aside and not done with: dead letters by reason and owner, batches given up, doubt. A look is ended by time, since a
// flood of them must not make the status slow; it then says that there are more.
import { listDeadLetters } from '../archive/dead-letters.ts'
import { listDoubt } from '../archive/doubt.ts'
import { readGivenUp } from '../archive/given-up.ts'
import { GivenUpEnds } from '../archive/given-up-open.ts'
import { decodeBase64 } from '../event/base64.ts'
import { inflatePayload } from '../event/inflate.ts'
import { isDottedPath, splitPath, valueAt } from '../event/payload-path.ts'
import type { StreamRecord } from '../event/stream-record.ts'
import { parseStrictJson } from '../event/strict-json.ts'
import { byCodePoint } from '../platform/canonical-json.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import type { Counted, DeadLettersReading, GivenUpReading } from './readings.ts'

/** Nobody reads more of a screen than that there are thousands. */
export const LOOKED_AT_MAX = 10_000

export interface Look {
  readonly isTimeUp: () => boolean
  /** So many dead letters are well: one more than that is looked for. */
  readonly deadLettersMax?: number
}

/** Throws ObjectStoreError, ArchiveError. */
export async function openDeadLetters(
  archive: ObjectStore,
  pipeline: Pick<Pipeline, 'typePath' | 'events'>,
  look: Look,
): Promise<DeadLettersReading> {
  const ownerOf = letterOwner(pipeline)
  const lookedAtMax = Math.max(LOOKED_AT_MAX, (look.deadLettersMax ?? 0) + 1)
  const reasons = new Map<string, { count: number; owners: Set<string> }>()
  let count = 0
  let isComplete = true
  // Closed ones too, so that the look can be ended between them.
  for await (const letter of listDeadLetters(archive, { isAll: true })) {
    if (count >= lookedAtMax || look.isTimeUp()) {
      isComplete = false
      break
    }
    if (letter.closedBy !== undefined) continue
    count++
    const found = reasons.get(letter.reason) ?? { count: 0, owners: new Set<string>() }
    reasons.set(letter.reason, found)
    found.count++
    const owner = ownerOf(letter)
    if (owner !== undefined) found.owners.add(owner)
  }
  const byCount = [...reasons].sort(([a, x], [b, y]) => y.count - x.count || byCodePoint(a, b))
  return {
    count,
    isComplete,
    reasons: byCount.map(([reason, found]) => ({
      reason,
      count: found.count,
      owners: [...found.owners].sort(byCodePoint),
    })),
  }
}

/** The owner of the contract that the record's type names; undefined where that cannot be told. */
function letterOwner({ typePath, events }: Pick<Pipeline, 'typePath' | 'events'>) {
  const owners = new Map(events.map(({ type, owner }) => [type, owner]))
  const path = isDottedPath(typePath) ? splitPath(typePath) : undefined
  return ({ dataBase64 }: Pick<StreamRecord, 'dataBase64'>): string | undefined => {
    const bytes = path === undefined ? undefined : decodeBase64(dataBase64)
    const inflated = bytes === undefined ? undefined : inflatePayload(bytes)
    const parsed = inflated === undefined || 'reason' in inflated ? undefined : parseStrictJson(inflated)
    if (path === undefined || parsed === undefined || 'reason' in parsed) return undefined
    const type = valueAt(parsed.value, path)
    return typeof type === 'string' ? owners.get(type) : undefined
  }
}

/** Batches with a record that is neither counted since nor a dead letter of its own. Throws ObjectStoreError, ArchiveError. */
export async function openGivenUp(archive: ObjectStore, look: Look): Promise<GivenUpReading> {
  let count = 0
  let newestMs: number | undefined
  const ends = new GivenUpEnds(archive)
  for await (const { key, records } of readGivenUp(archive)) {
    if (look.isTimeUp()) return { count, newestMs, isComplete: false }
    if (records !== undefined && (await ends.isOver(records))) continue
    count++
    const writtenMs = writtenAt(key)
    if (writtenMs !== undefined) newestMs = Math.max(newestMs ?? writtenMs, writtenMs)
  }
  return { count, newestMs, isComplete: true }
}

/** Of `…/2026-01-02T12.00.01-<id>`, as Lambda names them. */
function writtenAt(key: string): number | undefined {
  const [, day, hour, minute, second] = /\/(\d{4}-\d\d-\d\d)T(\d\d)\.(\d\d)\.(\d\d)-[^/]*$/.exec(key) ?? []
  const ms = day === undefined ? Number.NaN : Date.parse(`${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(ms) ? undefined : ms
}

/** Throws ObjectStoreError, ArchiveError. */
export async function openDoubt(archive: ObjectStore, look: Look): Promise<Counted> {
  let count = 0
  for await (const _entry of listDoubt(archive)) {
    if (count >= LOOKED_AT_MAX || look.isTimeUp()) return { count, isComplete: false }
    count++
  }
  return { count, isComplete: true }
}
