// Items as they would be stored: their bytes for every route, and for one user after ever more events; and what it takes to get from
// stored bytes to features.
import { inflateSync } from 'node:zlib'
import type { DecodedEvent } from '../src/event/decoded-event.ts'
import { evaluateFeatures } from '../src/features/evaluate.ts'
import type { FeatureSet } from '../src/features/feature.ts'
import { stateJson, type UserState } from '../src/features/state.ts'
import { MINUTE_MS } from '../src/platform/duration.ts'
import { type CompiledPipeline, compilePipeline } from '../src/predictions/compile-pipeline.ts'
import { pipeline } from '../src/predictions/pipeline.ts'
import { type ItemBefore, type NextItem, planUser } from '../src/recompute/plan-user.ts'
import { featuresAt } from '../src/serve/evaluate-user.ts'
import { encodeItem } from '../src/store/item-codec.ts'
import { itemBytes } from '../src/store/item-size.ts'
import type { StoredItem } from '../src/store/user-item.ts'
import { busyUser } from './arrivals.ts'
import { medianCpuMicroseconds, quantile } from './stopwatch.ts'

const MODEL = 'late-arrival'
const BATCH_ID = '20260131180000-aaaaaaaa'
/** Events that are folded at once where only the result counts: the same bytes as one by one. */
const EVENTS_AT_ONCE = 10_000
/** A GET half an hour later: nothing stored is passed through. */
const LATER_MS = 30 * MINUTE_MS
/** Users whose mean is typical, so that no single one decides. */
const TYPICAL_USERS = 40
const ROUNDS = 15

export interface SizeFigures {
  readonly users: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export interface TimeFigures {
  readonly stateBytes: number
  readonly plainBytes: number
  readonly inflateUs: number
  readonly parseUs: number
  readonly evaluateUs: number
  /** With the item's sums and its dedup read, as a GET does it. */
  readonly togetherUs: number
}

export function compiled(features: FeatureSet): CompiledPipeline {
  return compilePipeline(pipeline({ name: 'flights', features, models: [] }))
}

export function itemOf(plan: CompiledPipeline, userId: string, events: readonly DecodedEvent[]): StoredItem {
  return encode(plan, userId, fold(plan, undefined, events))
}

export function sizesOf(items: readonly StoredItem[]): SizeFigures {
  const bytes = items.map(itemBytes)
  return { users: bytes.length, p50: quantile(bytes, 0.5), p99: quantile(bytes, 0.99), max: Math.max(...bytes) }
}

/** Those around the median of all sizes. */
export function typicalOf(items: readonly StoredItem[]): readonly StoredItem[] {
  const sorted = items.toSorted((a, b) => itemBytes(a) - itemBytes(b))
  const from = Math.max(0, (sorted.length - TYPICAL_USERS) >> 1)
  return sorted.slice(from, from + TYPICAL_USERS)
}

/** The busy user's item after so many events, each number greater than the one before. */
export function grownItems(plan: CompiledPipeline, counts: readonly number[]): readonly StoredItem[] {
  let item: NextItem | undefined
  let from = 0
  return counts.map(count => {
    while (from < count) {
      const to = Math.min(count, from + EVENTS_AT_ONCE)
      item = fold(plan, item, busyUser(from, to))
      from = to
    }
    if (item === undefined) throw new Error('The first number of events is 0')
    return encode(plan, 'busy', item)
  })
}

/** Medians of CPU, per item. */
export function timesOf(plan: CompiledPipeline, items: readonly StoredItem[]): TimeFigures {
  const plains = items.map(({ st }) => inflateSync(st).toString('utf8'))
  const states = plains.map(plain => JSON.parse(plain) as UserState)
  const perItem = (work: (item: StoredItem, index: number) => unknown): number => {
    const rounds = { rounds: ROUNDS, calls: Math.ceil(TYPICAL_USERS / items.length) }
    return medianCpuMicroseconds(() => items.forEach(work), rounds) / items.length
  }
  return {
    stateBytes: mean(items.map(({ st }) => st.length)),
    plainBytes: mean(plains.map(plain => Buffer.byteLength(plain))),
    inflateUs: perItem(({ st }) => inflateSync(st)),
    parseUs: perItem((_, index) => JSON.parse(plains[index] ?? '')),
    evaluateUs: perItem(({ at }, index) => evaluateFeatures(plan.features, states[index] ?? {}, at, at + LATER_MS)),
    togetherUs: perItem(item => featuresAt(plan, item, item.at + LATER_MS)),
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function fold(plan: CompiledPipeline, before: ItemBefore | undefined, events: readonly DecodedEvent[]): NextItem {
  const records = events.map(event => ({ event }))
  const { next } = planUser(plan, before, records)
  if (next === undefined) throw new Error('Nothing was folded')
  return next
}

/** By the codec itself, and not as a write does it: that one refuses an item over the limit, and here its bytes are asked for. */
function encode({ definitions }: CompiledPipeline, userId: string, next: NextItem): StoredItem {
  const { asOf, freshUntil } = next.features
  const prediction = { status: 'ok', batchId: BATCH_ID, value: { probability: 0.206_34 } }
  return encodeItem({
    userId,
    v: next.version,
    at: next.at,
    asOf,
    fresh: freshUntil,
    definitions,
    models: { [MODEL]: BATCH_ID },
    imports: [],
    dedup: next.dedup,
    state: stateJson(next.state),
    features: JSON.stringify(next.features),
    predictions: JSON.stringify({ asOf, freshUntil, models: { [MODEL]: prediction } }),
  })
}
