// Two users whom nobody has: a plausible one, folded event by event as a stream would, and the largest that the definitions allow.
import { MARKS_MAX, RECENT_IDS_MAX } from '../affected/decide.ts'
import type { DedupState, Mark, RecentId, TypeDedup } from '../affected/dedup-state.ts'
import type { EventContract } from '../event/contract.ts'
import { ID_BYTES_MAX } from '../event/limits.ts'
import type { StreamRecord } from '../event/stream-record.ts'
import { evaluateFeatures } from '../features/evaluate.ts'
import { DAY_MS } from '../platform/duration.ts'
import { groupBy } from '../platform/group-by.ts'
import type { Random } from '../platform/random.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { PredictedUser } from '../predictions/predictor.ts'
import { fullState } from './full-state.ts'
import { type ItemBefore, type NextItem, type PlannedRecord, planUser } from './plan-user.ts'
import { idHash, letters, plausibleValue, syntheticEvent } from './synthetic-values.ts'
import type { UsedState } from '../predictions/used-states.ts'

export interface SyntheticUser {
  readonly userId: string
  readonly next: NextItem
  readonly predicted: PredictedUser
  readonly imports: readonly string[]
  /** By state: how many times its entry it is. */
  readonly factors: ReadonlyMap<string, number>
}

/** Any instant; a plausible user's last day. */
const LAST_DAY_MS = Date.UTC(2026, 5, 30)
/** A user of a short window still has the recent ids of so many days. */
const DAYS_LEAST = 30
const DAYS_MOST = 731
const DAYS_OF_BATCH = 7
const USER_ID_LETTERS = 16
/**
 * What a model says is known when it is trained: so many outputs, of so many letters. The largest are more bytes than what stands
 * for a value that is elsewhere, and where the item would be over its limit a longer value is: no more can be in it by need.
 */
const OUTPUTS = { plausible: 1, largest: 8 } as const
const OUTPUT_LETTERS = 12
const INPUTS_DIGITS = 12
/** A first import and some that put it right. */
const IMPORTS = 8
const SEQUENCE_DIGITS = 56
const VERSION_LARGEST = 1_000_000

export function plausibleUser(
  compiled: CompiledPipeline,
  { random, eventsPerDay }: { readonly random: Random; readonly eventsPerDay: number },
): SyntheticUser {
  const days = daysOf(compiled)
  const records = compiled.pipeline.events.flatMap(contract =>
    Array.from({ length: Math.max(1, Math.round(days * eventsPerDay)) }, () =>
      plausibleRecord(contract, LAST_DAY_MS + DAY_MS - random() * days * DAY_MS, random),
    ),
  )
  records.sort((a, b) => a.event.ts - b.event.ts)
  let before: ItemBefore | undefined
  let next: NextItem | undefined
  for (const batch of groupBy(records, ({ event }) =>
    String(Math.floor(event.ts / (DAYS_OF_BATCH * DAY_MS))),
  ).values()) {
    next = planUser(compiled, before, batch).next ?? next
    before = next
  }
  if (next === undefined) throw new Error('a pipeline has an event type, and a user an event')
  const predicted = synthesizePredictions(compiled, next, { outputs: OUTPUTS.plausible, random })
  return { userId: letters(USER_ID_LETTERS, random), next, predicted, imports: [], factors: new Map() }
}

export function largestUser(
  compiled: CompiledPipeline,
  { used, random }: { readonly used: ReadonlyMap<string, UsedState>; readonly random: Random },
): SyntheticUser {
  const { features, pipeline } = compiled
  const { state, at, factors } = fullState(features, used, random)
  const types = pipeline.events.map(contract => [contract.type, fullRecentIds(contract, at, random)] as const)
  const marks = Array.from({ length: MARKS_MAX }, (_, shard) => fullMark(compiled, { shard, at, random }))
  const dedup: DedupState = { types: new Map(types), marks: new Map(marks), settledMs: at - DAY_MS }
  const next: NextItem = {
    version: VERSION_LARGEST,
    at,
    dedup,
    state,
    features: evaluateFeatures(features, state, at, at),
  }
  return {
    userId: letters(ID_BYTES_MAX, random),
    next,
    predicted: synthesizePredictions(compiled, next, { outputs: OUTPUTS.largest, random }),
    imports: Array.from({ length: IMPORTS }, () => batchId(random)),
    factors,
  }
}

/** As long as the longest window reaches back. */
function daysOf({ features }: CompiledPipeline): number {
  const windows = [...features.states.values()].flatMap(state => state.windows.map(({ withinMs }) => withinMs))
  return Math.min(DAYS_MOST, Math.max(DAYS_LEAST, ...windows.map(withinMs => Math.ceil(withinMs / DAY_MS))))
}

function plausibleRecord(
  contract: EventContract,
  ts: number,
  random: Random,
): PlannedRecord & { record: StreamRecord } {
  const fields = new Map(
    Object.entries(contract.fields).map(([name, field]) => [name, plausibleValue(field, random)] as const),
  )
  const event = syntheticEvent(contract, ts, { fields, random })
  const record: StreamRecord = {
    stream: 'events@1',
    shard: 'shardId-000000000000',
    // Grows with time, as a shard's does.
    sequence: String(event.ts).padEnd(SEQUENCE_DIGITS, '0'),
    arrivalMs: event.ts,
    partitionKey: event.userId,
    dataBase64: '',
  }
  return { event, record }
}

/** A burst within the type's lateness. */
function fullRecentIds({ latenessMs }: EventContract, at: number, random: Random): TypeDedup {
  const ids: RecentId[] = Array.from({ length: RECENT_IDS_MAX + 1 }, () => ({
    ts: Math.floor(at - random() * latenessMs),
    idHash: idHash(random),
  }))
  const [floor, ...kept] = ids.sort((a, b) => a.ts - b.ts)
  return { ids: kept, floor }
}

function fullMark(
  { pipeline }: CompiledPipeline,
  { shard, at, random }: { readonly shard: number; readonly at: number; readonly random: Random },
): readonly [string, Mark] {
  const sequence = Array.from({ length: SEQUENCE_DIGITS }, () => 1 + Math.floor(random() * 9)).join('')
  const arrivalMs = Math.floor(at - random() * DAY_MS)
  return [`${pipeline.name}-production-events@1/shardId-${String(shard).padStart(12, '0')}`, { sequence, arrivalMs }]
}

function synthesizePredictions(
  { pipeline }: CompiledPipeline,
  { features }: NextItem,
  { outputs, random }: { readonly outputs: number; readonly random: Random },
): PredictedUser {
  const batches = Object.fromEntries(pipeline.models.map(({ name }) => [name, batchId(random)]))
  const models = Object.fromEntries(
    pipeline.models.map(({ name }) => {
      const value = Object.fromEntries(
        Array.from({ length: outputs }, () => [letters(OUTPUT_LETTERS, random), random()]),
      )
      return [
        name,
        { status: 'ok', batchId: batches[name] ?? '', inputs: idHash(random).slice(0, INPUTS_DIGITS), value } as const,
      ]
    }),
  )
  const { asOf, freshUntil } = features
  return {
    predictions: { asOf, ...(freshUntil === undefined ? {} : { freshUntil }), models },
    models: batches,
  }
}

function batchId(random: Random): string {
  return `20260630000000-${letters(8, random)}`
}
