// Cells that are as full as a definition lets them be: every key, every bin, list and register, counts and sums of many digits. They
// are merged by the real aggregators from events that nobody sent. A cell of ten thousand events would take as many merges, so cells
// of a pool, some doubled and doubled again, stand for them.
import type { EventContract } from '../event/contract.ts'
import type { FieldValue } from '../event/decoded-event.ts'
import { type Aggregator, accumulate, type Cell } from '../features/aggregators/aggregator.ts'
import { aggregatorOf, groupWidthOf } from '../features/aggregators/aggregator-of.ts'
import { groupedCell, KEY_BYTES_MAX } from '../features/aggregators/grouped.ts'
import { stateName } from '../features/describe.ts'
import type { AggregateFeature } from '../features/feature.ts'
import type { Random } from '../platform/random.ts'
import { longestValue, syntheticEvent } from './synthetic-values.ts'

/** A full cell of the tile that starts at `startMs` and lasts `ms`. */
export type CellMaker = (startMs: number, ms: number) => Cell

/** How many of the pool become one: 24 over 6 makes 134,596 different counts, 12 over 3 makes 220 different sketches. */
const PICKS = 6
const SKETCH_PICKS = 3
const POOL_CELLS_PER_PICK = 4
/** A cell of the pool stands for up to 2^10 times its events. */
const DOUBLINGS = 11
/** Keys beyond those that are kept, so that there is an `other`. */
const KEYS_BEYOND = 8
/** Of one key in one cell of the pool; three make 1,500, which leave a quarter of the registers of HyperLogLog empty. */
const DISTINCT_VALUES = 500
/** As many bins as a sketch keeps without joining any. */
const BINS = 126
/** Below so many cells a pool costs more than it saves. */
const POOLED_CELLS_LEAST = 4

interface Filling {
  /** Cells of the pool; none where what is kept depends on the time of the events, or is one of them. */
  readonly picks: number
  /** Events of one key. */
  readonly events: number
}

function fillingOf(feature: AggregateFeature): Filling {
  const parameter = (name: string): number => Number(feature.stateParameters[name] ?? 1)
  switch (stateName(feature)) {
    case 'min':
    case 'max':
      return { picks: 0, events: 1 }
    case 'oldest':
    case 'newest':
      return { picks: 0, events: parameter('k') }
    case 'runs':
      return { picks: 0, events: Math.ceil(parameter('periodsMax') / 2) }
    case 'distinct':
      return { picks: SKETCH_PICKS, events: DISTINCT_VALUES }
    case 'quantiles':
      return { picks: SKETCH_PICKS, events: BINS }
    case 'histogram':
      return { picks: PICKS, events: 4 * (boundsOf(feature).length + 1) }
    default:
      return { picks: PICKS, events: 3 }
  }
}

/** `cells`: how many will be asked for, about. */
export function cellMaker(feature: AggregateFeature, cells: number, random: Random): CellMaker {
  const aggregator = aggregatorOf(feature)
  const { picks, events } = fillingOf(feature)
  const keysOf = keyMaker(feature, random)
  const ofKey = (key: FieldValue, { startMs, ms, count }: Span & { readonly count: number }): Cell =>
    mergeAll(
      aggregator,
      Array.from({ length: count }, (_, index) => eventCell(feature, { aggregator, key, startMs, ms, index, random })),
    )
  const ofKeys = (make: (key: FieldValue) => Cell): Cell => mergeAll(aggregator, keysOf().map(make))
  if (picks === 0) return (startMs, ms) => ofKeys(key => ofKey(key, { startMs, ms, count: events }))
  if (cells < POOLED_CELLS_LEAST) {
    const count = picks * events
    return (startMs, ms) =>
      doubled(
        aggregator,
        ofKeys(key => ofKey(key, { startMs, ms, count })),
        DOUBLINGS,
      )
  }
  const size = POOL_CELLS_PER_PICK * picks
  const pool = Array.from({ length: size }, (_, index) =>
    doubled(aggregator, ofKey(keysOf()[0] ?? null, { startMs: 0, ms: 1, count: events }), index % DOUBLINGS),
  )
  return (startMs, ms) =>
    ofKeys(key => {
      const own = ofKey(key, { startMs, ms, count: 1 })
      const picked = Array.from({ length: picks }, () => pool[Math.floor(random() * size)] ?? own)
      return mergeAll(aggregator, [
        own,
        ...picked.map(cell => (feature.by === undefined ? cell : withKeyOf(own, cell, groupWidthOf(feature)))),
      ])
    })
}

interface Span {
  readonly startMs: number
  readonly ms: number
}

/** The one group of the second under the key of the first. */
function withKeyOf(own: Cell, cell: Cell, width: number): Cell {
  const [[key] = []] = groupedCell(own[0], width).groups
  const [group] = groupedCell(cell[0], width).groups
  return key === undefined || group === undefined ? cell : [[0, key, ...group.slice(1)]]
}

/** In halves, so that large cells are merged with large ones only. */
export function mergeAll(aggregator: Aggregator, cells: readonly Cell[]): Cell {
  if (cells.length <= 1) return [...(cells[0] ?? [])]
  const middle = cells.length >>> 1
  return accumulate(
    aggregator,
    mergeAll(aggregator, cells.slice(0, middle)),
    mergeAll(aggregator, cells.slice(middle)),
    0,
  )
}

function doubled(aggregator: Aggregator, cell: Cell, times: number): Cell {
  let result = cell
  for (let time = 0; time < times; time++) result = accumulate(aggregator, [...result], result, 0)
  return result
}

/**
 * Values of the field by which groups are made, more than are kept where there may be so many. They are others in each tile, which
 * keeps those of its own: a user with very many keys has other ones every day.
 */
function keyMaker({ by, event }: AggregateFeature, random: Random): () => readonly FieldValue[] {
  const field = by === undefined ? undefined : event.fields[by.field]
  if (by === undefined || field === undefined) return () => [null]
  if (field.kind === 'flag') return () => [true, false]
  if (field.kind === 'choice') return () => field.values
  return () => Array.from({ length: by.keysMax + KEYS_BEYOND }, () => longestValue(field, random, KEY_BYTES_MAX))
}

interface OneEvent {
  readonly aggregator: Aggregator
  readonly key: FieldValue
  readonly startMs: number
  readonly ms: number
  readonly index: number
  readonly random: Random
}

function eventCell(feature: AggregateFeature, { aggregator, key, startMs, ms, index, random }: OneEvent): Cell {
  const { field, by, event } = feature
  const value = field === undefined ? null : fullValue(feature, field, random)
  const fields = new Map<string, FieldValue>(by === undefined ? [] : [[by.field, key]])
  const ts = stateName(feature) === 'runs' ? runStart(feature, startMs, index, random) : startMs + random() * ms
  return aggregator.cellOf(value, syntheticEvent(event, ts, { fields, random }))
}

/** No two periods side by side: no run is longer than one, so there are as many as can be. */
function runStart({ stateParameters }: AggregateFeature, startMs: number, index: number, random: Random): number {
  const period = 2 * index + (random() < 0.25 ? 1 : 0)
  return startMs - period * Number(stateParameters['everyMs'])
}

function fullValue(feature: AggregateFeature, name: string, random: Random): FieldValue {
  const field = (feature.event as EventContract).fields[name]
  if (field === undefined) return null
  switch (stateName(feature)) {
    case 'quantiles': {
      const error = Number(feature.stateParameters['error'])
      return Math.round(1e6 * ((1 + error) / (1 - error)) ** (random() * BINS))
    }
    case 'histogram': {
      const bounds = boundsOf(feature)
      const place = Math.floor(random() * (bounds.length + 1))
      return bounds[place - 1] ?? (bounds[0] ?? 0) - 1
    }
    case 'distinct':
      // Hashed, and not kept: its length costs time and no byte.
      return longestValue(field, random, 16)
    default:
      return longestValue(field, random)
  }
}

function boundsOf({ stateParameters }: AggregateFeature): readonly number[] {
  return (stateParameters['bounds'] ?? []) as readonly number[]
}
