// One user held against history: what is stored, and what a GET would answer, against features recomputed from the events that
// the item must contain. The two share the definitions and the decoding, and not a line of arithmetic.
import type { DedupState } from '../affected/dedup-state.ts'
import type { DecodedEvent } from '../event/decoded-event.ts'
import type { FeaturesBody, FeatureValue } from '../features/features-body.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { featuresAt } from '../serve/evaluate-user.ts'
import { CorruptItemError } from '../store/errors.ts'
import { decodeItem, isUnreadable, readBody } from '../store/item-codec.ts'
import { type CorruptItem, isCorrupt, type StoredItem } from '../store/user-item.ts'
import type { IsGone } from './gone-shards.ts'
import type { Answer } from './obvious-answer.ts'
import { obviousAnswers, valueDiffers, worstDifference } from './obvious-features.ts'
import { countedEvents, dueEvents, type SetAside } from './verify-counted.ts'
import type { PastEvent, StreamOrigin } from './verify-history.ts'

export interface UserCase {
  readonly userId: string
  readonly item: StoredItem | CorruptItem | undefined
  readonly past: readonly PastEvent[]
}

export interface Bench {
  readonly compiled: Pick<CompiledPipeline, 'features' | 'pipeline' | 'definitions'>
  /** The instant of the GET. */
  readonly atMs: number
  /** The archive's, by shard. */
  readonly positions: ReadonlyMap<string, string>
  /** How far any item says that a shard was folded; undefined: everything archived counts as folded. */
  readonly folded: ReadonlyMap<string, string> | undefined
  /** Shards of which the archive has all that it will ever have; undefined: there are none. */
  readonly isGone?: IsGone | undefined
}

export interface Difference {
  /** A feature, or `at`: the newest event time. */
  readonly name: string
  /** `stored`: the bytes of `ft`. `evaluated`: what the state says. */
  readonly source: 'stored' | 'evaluated'
  readonly instantMs: number
  readonly found: FeatureValue
  readonly recomputed: FeatureValue
  /** As a share of the recomputed value; Infinity where no share says it. */
  readonly distance: number
}

export interface Compared {
  readonly kind: 'matched' | 'different'
  /** The greatest first. */
  readonly differences: readonly Difference[]
  readonly events: number
  readonly values: number
  /** Features that are null until they are backfilled. */
  readonly backfilling: number
}

export type Verdict =
  | Compared
  /** No item, and so many events that one should contain. */
  | { readonly kind: 'missing'; readonly events: number }
  /** An item, and no event that it could contain. */
  | { readonly kind: 'extra' }
  | { readonly kind: 'corrupt'; readonly detail: string }
  /** The archive has not come as far as the item. */
  | { readonly kind: 'behind'; readonly shard: string }
  /** It ends beyond the archive in a shard that brings nothing more, and is not what the archive alone gives. */
  | { readonly kind: 'unarchived'; readonly shard: string }
  /** No item, and nothing that one should contain. */
  | { readonly kind: 'none' }

export function judgeUser({ item, past }: UserCase, aside: SetAside, bench: Bench): Verdict {
  if (item === undefined) {
    const events = dueEvents(past, aside, origin => isFolded(origin, bench.folded)).length
    return events === 0 ? { kind: 'none' } : { kind: 'missing', events }
  }
  if (isCorrupt(item)) return { kind: 'corrupt', detail: item.corrupt }
  const decoded = decodeItem(item)
  if (isUnreadable(decoded)) return { kind: 'corrupt', detail: decoded.reason }
  const beyond = shardsBeyond(decoded.dedup, bench.positions)
  const shard = beyond.find(one => bench.isGone?.(one) !== true)
  if (shard !== undefined) return { kind: 'behind', shard }
  const verdict = judgeItem(item, { past, reach: decoded.dedup, aside }, bench)
  const [gone] = beyond
  const isRight = verdict.kind === 'matched' || verdict.kind === 'corrupt'
  return gone === undefined || isRight ? verdict : { kind: 'unarchived', shard: gone }
}

interface Evidence {
  readonly past: readonly PastEvent[]
  readonly reach: DedupState
  readonly aside: SetAside
}

function judgeItem(item: StoredItem, { past, reach: dedup, aside }: Evidence, bench: Bench): Verdict {
  const events = countedEvents(past, { dedup, imports: item.imports }, aside)
  if (events.length === 0) return { kind: 'extra' }
  try {
    return compareItem(item, events, bench)
  } catch (error) {
    if (error instanceof CorruptItemError) return { kind: 'corrupt', detail: error.reason }
    throw error
  }
}

function isFolded({ stream, shard, sequence }: StreamOrigin, folded: Bench['folded']): boolean {
  if (folded === undefined) return true
  const upTo = folded.get(`${stream}/${shard}`)
  return upTo !== undefined && BigInt(sequence) <= BigInt(upTo)
}

function shardsBeyond({ marks }: DedupState, positions: Bench['positions']): readonly string[] {
  return [...marks].flatMap(([shard, { sequence }]) => {
    const position = positions.get(shard)
    return position === undefined || BigInt(position) < BigInt(sequence) ? [shard] : []
  })
}

function compareItem(item: StoredItem, events: readonly DecodedEvent[], { compiled, atMs }: Bench): Compared {
  const comparison = new Comparison(compiled.pipeline, events)
  comparison.compareNewest(item.at)
  // Bytes of other definitions are not served: only what the state says now counts then.
  if (item.definitions === compiled.definitions) {
    const stored = readBody(item, 'ft')
    if (isUnreadable(stored)) throw new CorruptItemError(stored.reason)
    const body = stored.body as unknown as FeaturesBody
    comparison.compare('stored', body, body.asOf)
    // Served until then as they are.
    if (body.freshUntil !== undefined) comparison.compare('stored', body, body.freshUntil - 1)
  }
  for (const instantMs of new Set([item.at, Math.max(atMs, item.at)])) {
    comparison.compare('evaluated', featuresAt(compiled, item, instantMs), instantMs)
  }
  return comparison.verdict()
}

class Comparison {
  readonly #pipeline: CompiledPipeline['pipeline']
  readonly #events: readonly DecodedEvent[]
  readonly #answers = new Map<number, Readonly<Record<string, Answer>>>()
  readonly #differences: Difference[] = []
  readonly #backfilling = new Set<string>()
  #values = 0

  constructor(pipeline: CompiledPipeline['pipeline'], events: readonly DecodedEvent[]) {
    this.#pipeline = pipeline
    this.#events = events
  }

  compareNewest(at: number): void {
    const newest = this.#events.reduce((latest, { ts }) => Math.max(latest, ts), Number.NEGATIVE_INFINITY)
    if (at === newest) return
    const distance = Number.POSITIVE_INFINITY
    this.#differences.push({ name: 'at', source: 'stored', instantMs: at, found: at, recomputed: newest, distance })
  }

  compare(source: Difference['source'], { values, pending = {} }: FeaturesBody, instantMs: number): void {
    const answers = this.#answersAt(instantMs)
    for (const [name, feature] of Object.entries(this.#pipeline.features.features)) {
      const answer = answers[name]
      if (answer === undefined) continue
      const found = values[name] ?? null
      if (Object.hasOwn(pending, name) && found === null) {
        this.#backfilling.add(name)
        continue
      }
      this.#values++
      if (!valueDiffers(feature, found, answer.value, answer.allowance)) continue
      const distance = worstDifference(found, answer.value)
      this.#differences.push({ name, source, instantMs, found, recomputed: answer.value, distance })
    }
  }

  verdict(): Compared {
    return {
      kind: this.#differences.length === 0 ? 'matched' : 'different',
      differences: this.#differences.sort((a, b) => (a.distance < b.distance ? 1 : a.distance > b.distance ? -1 : 0)),
      events: this.#events.length,
      values: this.#values,
      backfilling: this.#backfilling.size,
    }
  }

  #answersAt(instantMs: number): Readonly<Record<string, Answer>> {
    const known = this.#answers.get(instantMs)
    if (known !== undefined) return known
    const answers = obviousAnswers(this.#pipeline.features, this.#events, instantMs)
    this.#answers.set(instantMs, answers)
    return answers
  }
}
