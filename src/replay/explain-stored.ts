// Whether what is stored of a user is what history says: its features as verify compares them, and its predictions, made once more
// by the versions that it names.
import type { DecodedEvent } from '../event/decoded-event.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { Prediction, PredictionsBody } from '../predictions/evaluated-user.ts'
import { shadowNames } from '../predictions/pipeline.ts'
import { type PredictionValue, spilledOf, withValues } from '../predictions/spill.ts'
import { decodeItem, isUnreadable, readBody } from '../store/item-codec.ts'
import type { SpillStore } from '../store/spill-store.ts'
import { type CorruptItem, isCorrupt, type StoredItem } from '../store/user-item.ts'
import { explainMoment } from './explain-features.ts'
import { bodyOf, type ExplainedModel, isSamePrediction, predict, type PredictWith } from './explain-models.ts'
import { servedBy } from './explain-serving.ts'
import { countedEvents, type SetAside } from './verify-counted.ts'
import type { PastEvent } from './verify-history.ts'
import { type Bench, judgeUser, type Verdict } from './verify-user.ts'

export interface StoredComparison {
  readonly verdict: Verdict
  /** Undefined where it cannot be read. */
  readonly item: ComparedItem | undefined
}

export interface ComparedItem {
  readonly version: number
  /** Its newest event. */
  readonly atMs: number
  readonly asOfMs: number
  /** Undefined: until the next event. */
  readonly freshUntilMs: number | undefined
  /** Made by the definitions of today. */
  readonly isOfToday: boolean
  /** Nothing that time alone changes has changed since. */
  readonly isFresh: boolean
  /** A GET of now hands out these very bytes: fresh, of today, and by the versions that serve. */
  readonly isExact: boolean
  /** Events that had arrived and that it does not contain. */
  readonly notYetFolded: number
  /** None where features could not be compared, or are of other definitions. */
  readonly predictions: readonly ComparedPrediction[]
}

export interface ComparedPrediction {
  readonly name: string
  readonly stored: Prediction
  readonly recomputed: Prediction
  readonly isSame: boolean
  /** The version that made what is stored: the one in production now, what stands in for it, or neither. */
  readonly version: 'production' | 'stand-in' | 'other'
}

export interface ItemCase {
  readonly item: StoredItem | CorruptItem
  readonly past: readonly PastEvent[]
  readonly aside: SetAside
  /** What had arrived by the instant of the comparison. */
  readonly known: readonly DecodedEvent[]
  /** What serves at that instant. */
  readonly serving: readonly ExplainedModel[]
}

export interface CompareOptions {
  readonly predictWith: PredictWith
  /** For values that are not in the item itself. */
  readonly spills?: Pick<SpillStore, 'read'> | undefined
}

export async function compareStored(
  { item, past, aside, known, serving }: ItemCase,
  bench: Bench & { readonly compiled: CompiledPipeline },
  options: CompareOptions,
): Promise<StoredComparison> {
  const verdict = judgeUser({ userId: item.userId, item, past }, aside, bench)
  const decoded = isCorrupt(item) ? undefined : decodeItem(item)
  if (isCorrupt(item) || decoded === undefined || isUnreadable(decoded)) return { verdict, item: undefined }
  const counted = countedEvents(past, { dedup: decoded.dedup, imports: item.imports }, aside)
  const ids = new Set(counted.map(({ idHash }) => idHash))
  const isToday = item.definitions === bench.compiled.definitions
  const isFresh = item.fresh === undefined || bench.atMs < item.fresh
  const isCompared = verdict.kind === 'matched' || verdict.kind === 'different'
  return {
    verdict,
    item: {
      version: item.v,
      atMs: item.at,
      asOfMs: item.asOf,
      freshUntilMs: item.fresh,
      isOfToday: isToday,
      isFresh,
      isExact: isToday && isFresh && isByServing(item, bench.compiled, serving),
      notYetFolded: known.filter(({ idHash }) => !ids.has(idHash)).length,
      predictions: isCompared && isToday ? await comparePredictions({ item, counted, serving }, bench, options) : [],
    },
  }
}

/** What a GET compares, too; a shadow is in none. */
function isByServing(
  { models }: StoredItem,
  { pipeline }: Pick<CompiledPipeline, 'pipeline'>,
  serving: readonly ExplainedModel[],
): boolean {
  const shadows = shadowNames(pipeline)
  return serving.every(one => shadows.has(one.name) || models[one.name] === servedBy(one)?.batchId)
}

interface ReadCase extends Pick<ItemCase, 'serving'> {
  readonly item: StoredItem
  readonly counted: readonly DecodedEvent[]
}

async function comparePredictions(
  { item, counted, serving }: ReadCase,
  { compiled }: { readonly compiled: CompiledPipeline },
  { predictWith, spills }: CompareOptions,
): Promise<readonly ComparedPrediction[]> {
  const body = readBody(item, 'pr')
  if (isUnreadable(body)) return []
  const { models } = await whole(body.body as unknown as PredictionsBody, spills)
  const moment = explainMoment(compiled.pipeline.features, counted, item.asOf)
  const recomputed = await predict(await predictWith(item.models), bodyOf(moment))
  return Object.entries(models).flatMap(([name, stored]) => {
    const again = recomputed[name]
    if (again === undefined) return []
    const version = versionOf(
      stored,
      serving.find(one => one.name === name),
    )
    return [{ name, stored, recomputed: again, isSame: isSamePrediction(stored, again), version }]
  })
}

function versionOf({ batchId }: Prediction, serving: ExplainedModel | undefined): ComparedPrediction['version'] {
  if (batchId === serving?.entry?.batchId) return 'production'
  return batchId !== undefined && batchId === serving?.standIn?.entry.batchId ? 'stand-in' : 'other'
}

/** A value that is not to be had is an empty one: other than what is recomputed. */
async function whole(body: PredictionsBody, spills: CompareOptions['spills']): Promise<PredictionsBody> {
  const values = new Map<string, PredictionValue>()
  for (const spilled of spilledOf(body)) values.set(spilled.key, (await spills?.read(spilled)) ?? {})
  return withValues(body, ({ key }) => values.get(key) ?? {})
}
