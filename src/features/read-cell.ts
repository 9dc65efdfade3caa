// From a cell to a feature's value at an instant. What a cell says may change with time alone (a recency, a streak): the reader then
// tells at which instants.
import type { FieldValue } from '../event/decoded-event.ts'
import type { Cell, Slot } from './aggregators/aggregator.ts'
import { groupWidthOf } from './aggregators/aggregator-of.ts'
import { distinctCount } from './aggregators/distinct.ts'
import { edgesOf } from './aggregators/edge-events.ts'
import { nearestDouble, nearestQuotient } from './aggregators/exact-double.ts'
import { toBigInt } from './aggregators/exact-integer.ts'
import { groupedCell, keyOf } from './aggregators/grouped.ts'
import { quantileOf } from './aggregators/quantile-sketch.ts'
import { runsOf } from './aggregators/runs.ts'
import type { AggregateFeature } from './feature.ts'
import { byCodePoint } from '../platform/canonical-json.ts'
import { type FeatureValue, jsonNumber } from './features-body.ts'

/** The instant of an evaluation. */
export interface Moment {
  readonly t: number
  /** Tells an instant, before or after t, at which the value may step. */
  step(instant: number): void
}

export type CellReader = (cell: Cell | undefined, moment: Moment) => FeatureValue

/** Undefined cells are those of no events. */
export function cellReaderOf(feature: AggregateFeature): CellReader {
  if (feature.aggregate === 'topK') return topReader(feature)
  const read = readerOf(feature)
  return feature.by === undefined ? read : groupedReader(read, groupWidthOf(feature))
}

function readerOf(feature: AggregateFeature): CellReader {
  const { scale, stateParameters, readParameters } = feature
  const divisor = 10 ** (scale ?? 0)
  switch (feature.aggregate) {
    case 'count':
      return cell => Number(cell?.[0] ?? 0)
    case 'sum':
    case 'topK':
    case 'decayed':
      return cell => jsonNumber(sumOf(cell, 0, scale))
    case 'mean':
      return cell => (cell === undefined ? null : meanOf(cell, scale))
    case 'variance':
      return cell => varianceOf(cell, scale)
    case 'stddev':
      return cell => rootOf(varianceOf(cell, scale))
    case 'min':
    case 'max':
      return cell => (cell === undefined ? null : jsonNumber(Number(cell[0]) / divisor))
    case 'first':
    case 'last':
      return cell => valuesOf(cell, divisor)[0] ?? null
    case 'firstK':
    case 'lastK':
      return cell => valuesOf(cell, divisor)
    case 'distinct':
      return cell => distinctCount(cell?.[0])
    case 'percentile': {
      const [q, error] = [Number(readParameters['q']), Number(stateParameters['error'])]
      return cell => dividedBy(quantileOf(cell?.[0], q, error), divisor)
    }
    case 'histogram': {
      const buckets = ((stateParameters['bounds'] ?? []) as readonly unknown[]).length + 1
      return cell => Array.from({ length: buckets }, (_, bucket) => Number(cell?.[bucket] ?? 0))
    }
    case 'recency':
      return (cell, moment) => recencyOf(edgesOf(cell?.[0])[0]?.[0], Number(readParameters['roundToMs']), moment)
    case 'streak':
      return (cell, moment) => streakOf(runsOf(cell?.[0]), stateParameters, moment)
  }
}

/** Seconds, rounded down. */
export function recencyOf(newest: number | undefined, roundToMs: number, moment: Moment): number | null {
  if (newest === undefined) return null
  const steps = Math.floor((moment.t - newest) / roundToMs)
  moment.step(newest + steps * roundToMs)
  moment.step(newest + (steps + 1) * roundToMs)
  return (steps * roundToMs) / 1000
}

/** Of one event's value as it is stored. */
export function plainValue(value: FieldValue, divisor: number): FieldValue {
  return typeof value === 'number' ? jsonNumber(value / divisor) : value
}

/** Σ at slot `at`: integers at a scale, or an exact double where there is none. A count has the scale 0. */
export function sumOf(cell: readonly Slot[] | undefined, at: number, scale: number | undefined): number {
  if (cell === undefined) return 0
  if (scale === undefined) return nearestDouble([cell[at] ?? 0, cell[at + 1] ?? 0])
  const sum = cell[at] ?? 0
  return typeof sum === 'number' ? sum / 10 ** (scale ?? 0) : nearestQuotient(toBigInt(sum), 10n ** BigInt(scale ?? 0))
}

function meanOf(cell: Cell, scale: number | undefined): number | null {
  const count = Number(cell[0])
  return jsonNumber(scale === undefined ? sumOf(cell, 1, scale) / count : Number(cell[1]) / (count * 10 ** scale))
}

/** (n Σx² − (Σx)²) / (n (n − 1)), rounded once. */
function varianceOf(cell: Cell | undefined, scale: number | undefined): number | null {
  const count = toBigInt(cell?.[0])
  if (cell === undefined || count < 2n) return null
  const denominator = count * (count - 1n)
  if (scale !== undefined) {
    const numerator = count * toBigInt(cell[2]) - toBigInt(cell[1]) ** 2n
    return jsonNumber(nearestQuotient(numerator, denominator * 10n ** BigInt(2 * scale)))
  }
  const [sum, exponent, squares, squareExponent] = [
    toBigInt(cell[1]),
    Number(cell[2]),
    toBigInt(cell[3]),
    Number(cell[4]),
  ]
  const common = Math.min(2 * exponent, squareExponent)
  const numerator =
    ((count * squares) << BigInt(squareExponent - common)) - ((sum ** 2n) << BigInt(2 * exponent - common))
  return jsonNumber(nearestQuotient(numerator, denominator, common))
}

function rootOf(variance: number | null): number | null {
  return variance === null ? null : Math.sqrt(variance)
}

function dividedBy(value: number | null, divisor: number): number | null {
  return value === null ? null : jsonNumber(value / divisor)
}

function valuesOf(cell: Cell | undefined, divisor: number): readonly FieldValue[] {
  return edgesOf(cell?.[0]).map(([, , value]) => plainValue(value, divisor))
}

function streakOf(runs: readonly number[], parameters: AggregateFeature['stateParameters'], moment: Moment): number {
  const [start, length] = [runs.at(-2), runs.at(-1)]
  if (start === undefined || length === undefined) return 0
  const [everyMs, periodsMax] = [Number(parameters['everyMs']), Number(parameters['periodsMax'])]
  // It is over once the period after the last one had no event.
  const endsAt = (start + length + 1) * everyMs
  moment.step(endsAt)
  return moment.t < endsAt ? Math.min(length, periodsMax) : 0
}

function groupedReader(read: CellReader, width: number): CellReader {
  return (cell, moment) => {
    const { other, groups } = groupedCell(cell?.[0], width)
    const values: Record<string, FeatureValue> = Object.create(null)
    for (const group of groups) values[keyOf(group)] = read(group.slice(1), moment)
    return other === undefined
      ? { exact: true, groups: values }
      : { exact: false, groups: values, other: read(other, moment) }
  }
}

function topReader(feature: AggregateFeature): CellReader {
  const { scale, field, readParameters } = feature
  const width = groupWidthOf(feature)
  const k = Number(readParameters['k'])
  const sumScale = field === undefined ? 0 : scale
  return cell => {
    const { other, groups } = groupedCell(cell?.[0], width)
    const counted = groups.map(group => ({ key: keyOf(group), value: withinDoubles(sumOf(group, 1, sumScale)) }))
    counted.sort((a, b) => b.value - a.value || byCodePoint(a.key, b.key))
    return { exact: other === undefined, top: counted.slice(0, k) }
  }
}

/** A sum beyond the doubles still has its place among others. */
function withinDoubles(value: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value))
}
