// A user's events as a stream delivers them, in any order and batches and again and again, through the whole of a batch: decision,
// fold, state as JSON and back.
import fc from 'fast-check'
import type { DecodedEvent } from '../../src/event/decoded-event.ts'
import type { FeatureSet } from '../../src/features/feature.ts'
import { evaluateFeatures } from '../../src/features/evaluate.ts'
import { stateJson } from '../../src/features/state.ts'
import { type CompiledPipeline, compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { type ItemBefore, planUser } from '../../src/recompute/plan-user.ts'
import { obviousAnswers, valueDiffers } from '../../src/replay/obvious-features.ts'
import { contracts } from './arbitrary-events.ts'

/** Ids kept and lateness allowed: so much that no event is ever too late. */
export const NEVER_LATE: Bounds = { idsMax: 10_000, latenessMs: Number.MAX_SAFE_INTEGER }

export interface Bounds {
  readonly idsMax: number
  readonly latenessMs: number
}

export interface FoldedUser {
  readonly item: ItemBefore
  /** Those that were decided to be folded. */
  readonly folded: readonly DecodedEvent[]
}

export function compiled(set: FeatureSet): CompiledPipeline {
  return compilePipeline(pipeline({ name: 'laws', events: [...contracts], features: set, models: [] }))
}

/** The first of all events is always folded, so there is a user after it. */
export function foldDeliveries(
  made: CompiledPipeline,
  delivered: readonly (readonly DecodedEvent[])[],
  { idsMax, latenessMs }: Bounds,
  from?: FoldedUser,
): FoldedUser {
  let user = from
  let sequence = from?.item.version ?? 0
  for (const batch of delivered) {
    const records = batch.map(event => ({ event, record: recordOf(event, ++sequence) }))
    const { decisions, next } = planUser({ ...made, latenessMs: () => latenessMs }, user?.item, records, idsMax)
    if (next === undefined) continue
    const folded = batch.filter((_, index) => decisions[index] === 'fold')
    user = { item: { ...next, state: JSON.parse(stateJson(next.state)) }, folded: [...(user?.folded ?? []), ...folded] }
  }
  if (user === undefined) throw new Error('No event was folded.')
  return user
}

/** The features, and what of them differs from the obvious ones. What is pending may be anything. */
export function compare(made: CompiledPipeline, set: FeatureSet, { item, folded }: FoldedUser, t: number) {
  const body = evaluateFeatures(made.features, item.state, item.at, t)
  const answers = obviousAnswers(set, folded, t)
  const wrong = Object.entries(answers).flatMap(([name, { value, allowance }]) => {
    const feature = set.features[name]
    const isPending = body.pending?.[name] !== undefined
    if (feature === undefined || isPending || !valueDiffers(feature, body.values[name], value, allowance)) return []
    return [{ name, actual: body.values[name], obvious: value, allowance, feature: shown(feature) }]
  })
  return { body, wrong }
}

/** Each event once or more, in any order, in batches of any size. */
export function deliveries(events: readonly DecodedEvent[]): fc.Arbitrary<readonly (readonly DecodedEvent[])[]> {
  return fc
    .record({
      order: fc.shuffledSubarray([...events], { minLength: events.length }),
      again: fc.array(fc.tuple(fc.nat(events.length - 1), fc.nat(events.length)), { maxLength: 8 }),
      cuts: fc.array(fc.nat(events.length + 8), { maxLength: 6 }),
    })
    .map(({ order, again, cuts }) => {
      const list = [...order]
      for (const [which, place] of again) list.splice(place, 0, events[which] as DecodedEvent)
      return batchesOf(list, cuts)
    })
}

/** Each event once, in batches. */
export function batches(events: readonly DecodedEvent[]): fc.Arbitrary<readonly (readonly DecodedEvent[])[]> {
  return fc.array(fc.nat(events.length), { maxLength: 4 }).map(cuts => batchesOf(events, cuts))
}

function batchesOf<T>(list: readonly T[], cuts: readonly number[]): readonly (readonly T[])[] {
  const ends = [...new Set([...cuts, list.length])].filter(cut => cut > 0 && cut <= list.length).sort((a, b) => a - b)
  return ends.map((end, index) => list.slice(ends[index - 1] ?? 0, end))
}

function recordOf(event: DecodedEvent, sequence: number) {
  const shard = `shardId-00000000000${sequence % 2}`
  return {
    stream: 'events@1',
    shard,
    sequence: `${sequence}`,
    arrivalMs: event.ts,
    partitionKey: 'ana',
    dataBase64: '',
  }
}

function shown(feature: FeatureSet['features'][string]): string {
  return JSON.stringify(feature, (key, value) => (key === 'event' ? value.type : value))
}
