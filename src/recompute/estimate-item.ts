// What a definition makes of a user's item, before anybody has one: the item of a plausible user and the largest that there can
// be, made by the real fold, evaluation and codec, so that nothing here knows how many bytes anything takes. Always the same
// figures for the same definition.
import { deflateSync } from 'node:zlib'
import type { Refusal } from '../event/decoded-event.ts'
import { DEFLATE_LEVEL } from '../store/blob-codec.ts'
import { stateJson } from '../features/state.ts'
import { seededRandom } from '../platform/random.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { itemBytes, itemBytesTarget, readUnits, writeUnits } from '../store/item-size.ts'
import type { StoredItem } from '../store/user-item.ts'
import { dollarsPerMillionEvents } from '../store/prices.ts'
import { encodeNext } from './item-content.ts'
import type { NextItem } from './plan-user.ts'
import { largestUser, plausibleUser, type SyntheticUser } from './synthetic-user.ts'
import { type UsedState, usedStates } from '../predictions/used-states.ts'

export interface ItemEstimate {
  readonly features: number
  /** What an item of so many features shall have. */
  readonly bytesTarget: number
  /** The pipeline's own limit. */
  readonly bytesMax: number
  readonly typical: EstimatedItem
  readonly worst: EstimatedItem
}

export interface EstimatedItem {
  /** As DynamoDB counts them. */
  readonly bytes: number
  /** Of state, features and predictions before compression. */
  readonly plainBytes: number
  readonly writeUnits: number
  readonly readUnits: number
  readonly dollarsPerMillionEvents: number
  /** Stored bytes; together with names and numbers they are the item. */
  readonly parts: {
    readonly state: number
    readonly features: number
    readonly predictions: number
    readonly recentEvents: number
  }
  /** Largest first. */
  readonly states: readonly EstimatedState[]
}

export interface EstimatedState {
  readonly key: string
  readonly plainBytes: number
  /** Its share of the stored bytes. */
  readonly bytes: number
  readonly readBy: readonly string[]
}

export interface EstimateOptions {
  /** Of each type, for the typical item: 1 unless given. */
  readonly eventsPerDay?: number
}

const SEED = 1

export function estimateItem(compiled: CompiledPipeline, options: EstimateOptions = {}): ItemEstimate {
  const used = usedStates(compiled.features)
  const features = compiled.features.features.length
  const typical = plausibleUser(compiled, { random: seededRandom(SEED), eventsPerDay: options.eventsPerDay ?? 1 })
  const worst = largestUser(compiled, { used, random: seededRandom(SEED) })
  return {
    features,
    bytesTarget: itemBytesTarget(features),
    bytesMax: compiled.pipeline.itemBytesMax,
    typical: measure(compiled, used, typical),
    worst: measure(compiled, used, worst),
  }
}

function measure(compiled: CompiledPipeline, used: ReadonlyMap<string, UsedState>, user: SyntheticUser): EstimatedItem {
  const states = measureStates(used, user)
  const { rest, parts, plainBytes } = measureParts(compiled, user)
  // Compressed together they are fewer bytes than one by one; what stands for more tiles than it has counts in proportion.
  const apart = states.reduce((sum, { deflated }) => sum + deflated, 0)
  const scale = parts.state === undefined || apart === 0 ? 1 : parts.state / apart
  const shares = states
    .map(({ key, plain, deflated, factor }) => ({
      key,
      plainBytes: Math.ceil(plain * factor),
      bytes: Math.ceil(deflated * factor * scale),
      readBy: used.get(key)?.readBy ?? [],
    }))
    .sort((a, b) => b.bytes - a.bytes || (a.key < b.key ? -1 : 1))
  const state = shares.reduce((sum, share) => sum + share.bytes, 0)
  const bytes = rest + state
  return {
    bytes,
    plainBytes: plainBytes + shares.reduce((sum, share) => sum + share.plainBytes, 0),
    writeUnits: writeUnits(bytes),
    readUnits: readUnits(bytes),
    dollarsPerMillionEvents: dollarsPerMillionEvents(bytes),
    parts: { ...parts, state },
    states: shares,
  }
}

interface MeasuredParts {
  /** Of the item without its state. */
  readonly rest: number
  readonly plainBytes: number
  /** Of `state`: undefined where it is too large to be compressed as one. */
  readonly parts: Omit<EstimatedItem['parts'], 'state'> & { readonly state: number | undefined }
}

function measureParts(compiled: CompiledPipeline, user: SyntheticUser): MeasuredParts {
  const { userId, next, predicted, imports } = user
  const encode = (content: NextItem): StoredItem | Refusal =>
    encodeNext(
      {
        userId,
        before: undefined,
        next: content,
        definitions: compiled.definitions,
        imports,
        itemBytesMax: Number.POSITIVE_INFINITY,
      },
      predicted,
    )
  const features = JSON.stringify(next.features)
  const plainBytes = features.length + JSON.stringify(predicted.predictions).length
  const whole = encode(next)
  const item = 'reason' in whole ? encode({ ...next, state: {}, features: { asOf: next.at, values: {} } }) : whole
  if ('reason' in item) throw new Error(item.detail)
  const isWhole = item === whole
  const featureBytes = isWhole ? item.ft.length : deflatedLength(features)
  return {
    rest: itemBytes(item) - item.st.length - item.ft.length + featureBytes,
    plainBytes,
    parts: {
      state: isWhole ? item.st.length : undefined,
      features: featureBytes,
      predictions: item.pr.length,
      recentEvents: item.dedup.length,
    },
  }
}

interface MeasuredState {
  readonly key: string
  readonly plain: number
  readonly deflated: number
  readonly factor: number
}

function measureStates(used: ReadonlyMap<string, UsedState>, { next, factors }: SyntheticUser): MeasuredState[] {
  return [...used.keys()].map(key => {
    const entry = next.state[key]
    const text = entry === undefined ? '' : stateJson({ [key]: entry })
    return { key, plain: text.length, deflated: deflatedLength(text), factor: factors.get(key) ?? 1 }
  })
}

function deflatedLength(text: string): number {
  return deflateSync(text, { level: DEFLATE_LEVEL }).length
}
