// A users table that has no items until they are read: a user is one of some thousand templates, folded from seeded events, and the
// item is sealed for the user's own id.
import type { DecodedEvent } from '../src/event/decoded-event.ts'
import { stateJson } from '../src/features/state.ts'
import { DAY_MS } from '../src/platform/duration.ts'
import { type Random, seededRandom } from '../src/platform/random.ts'
import type { CompiledPipeline } from '../src/predictions/compile-pipeline.ts'
import { planUser } from '../src/recompute/plan-user.ts'
import { packSums, readSums } from '../src/store/checksums.ts'
import { encodeItem } from '../src/store/item-codec.ts'
import type { StoredItem, UserStore } from '../src/store/user-item.ts'
import { busyUser } from './arrivals.ts'

const TEMPLATES = 2_000
const EVENTS_MAX = 60
const HISTORY_MS = 90 * DAY_MS
const PAGE_ITEMS = 500
const MODEL = 'late-arrival'
const BATCH_ID = '20260131180000-aaaaaaaa'

export interface MadeUsers extends UserStore {
  /** Spent on making items. */
  readonly makingMs: () => number
}

export interface MadeUsersInput {
  readonly userCount: number
  readonly seed: number
  /** The newest event is before it. */
  readonly untilMs: number
}

export function madeUsers(compiled: CompiledPipeline, { userCount, seed, untilMs }: MadeUsersInput): MadeUsers {
  const random = seededRandom(seed)
  const templates = Array.from({ length: TEMPLATES }, (_, index) => template(compiled, { index, random, untilMs }))
  let makingMs = 0
  const refuse = async (): Promise<never> => {
    throw new Error('A snapshot only scans')
  }
  return {
    makingMs: () => makingMs,
    load: refuse,
    loadMany: refuse,
    put: refuse,
    async *scan(segment, segments, after) {
      const first = after === undefined ? segment : Number(after.slice('user-'.length)) + segments
      for (let from = first; from < userCount; from += segments * PAGE_ITEMS) {
        const start = performance.now()
        const page: StoredItem[] = []
        for (let user = from; user < userCount && page.length < PAGE_ITEMS; user += segments) {
          page.push(sealedFor(`user-${user}`, templates[Math.floor(random() * TEMPLATES)] as StoredItem))
        }
        makingMs += performance.now() - start
        yield page
      }
    },
  }
}

function sealedFor(userId: string, item: StoredItem): StoredItem {
  const head = { ...item, userId }
  return { ...head, sum: packSums(readSums(item.sum), head) }
}

function template(
  compiled: CompiledPipeline,
  { index, random, untilMs }: { readonly index: number; readonly random: Random; readonly untilMs: number },
): StoredItem {
  const userId = `template-${index}`
  const from = index * EVENTS_MAX
  const events = busyUser(from, from + 1 + Math.floor(random() * EVENTS_MAX))
    .map((event): DecodedEvent => ({ ...event, userId, ts: untilMs - 1 - Math.floor(random() * HISTORY_MS) }))
    .toSorted((a, b) => a.ts - b.ts)
  const { next } = planUser(
    compiled,
    undefined,
    events.map(event => ({ event })),
  )
  if (next === undefined) throw new Error('Nothing was folded')
  const { asOf, freshUntil } = next.features
  const prediction = { status: 'ok', batchId: BATCH_ID, value: { probability: random() } }
  const item = encodeItem({
    userId,
    v: next.version,
    at: next.at,
    asOf,
    fresh: freshUntil,
    definitions: compiled.definitions,
    models: { [MODEL]: BATCH_ID },
    imports: [],
    dedup: next.dedup,
    state: stateJson(next.state),
    features: JSON.stringify(next.features),
    predictions: JSON.stringify({ asOf, freshUntil, models: { [MODEL]: prediction } }),
  })
  // What zlib returns is the start of a buffer of 16 KB.
  const [st, ft, pr, dedup] = [item.st, item.ft, item.pr, item.dedup].map(bytes => Uint8Array.from(bytes))
  if (st === undefined || ft === undefined || pr === undefined || dedup === undefined) throw new Error('No bytes')
  return { ...item, st, ft, pr, dedup }
}
