// An aggregate for each value of a field, for a bounded number of values. Beyond the bound the keys of smallest hash stay complete
// and the rest becomes `other`: a key that is let go once has that many smaller ones for ever, so it never comes back half counted.
import { sha256Hex } from '../../platform/hash.ts'
import type { DecodedEvent, FieldValue } from '../../event/decoded-event.ts'
import type { Aggregator, Cell, Gatherer, Slot } from './aggregator.ts'

/** A longer key is replaced by its hash: keys are stored in every tile. */
export const KEY_BYTES_MAX = 64
const HASH_DIGITS = 16

export interface GroupedCell {
  /** Of all keys that were let go; undefined while every key is there. */
  readonly other: Cell | undefined
  /** [key, ...cell], by key as JavaScript compares text. */
  readonly groups: readonly Cell[]
}

export interface GroupingPlan {
  readonly field: string
  readonly keysMax: number
  /** Decimal places of a number field. */
  readonly scale: number | undefined
}

/** One slot: [other cell or 0, key, ...cell, key, ...cell, …]. An event without a value of the field is in no group. */
export function groupedAggregator(inner: Aggregator, { field, keysMax, scale }: GroupingPlan): Aggregator {
  const cellOf = (value: FieldValue, event: DecodedEvent): Cell => {
    const key = keyText(event.fields.get(field) ?? null, scale)
    return [[0, key, ...inner.cellOf(value, event)]]
  }
  return {
    width: 1,
    cellOf,
    merge: (target, at, source, from) => {
      const { width } = inner
      target[at] = mergeGroups(inner, keysMax, groupedCell(target[at], width), groupedCell(source[from], width))
    },
    gatherer: () => groupsGatherer(inner, keysMax),
  }
}

/** All keys by hand, bounded and sorted only when the cell is asked for. */
function groupsGatherer(inner: Aggregator, keysMax: number): Gatherer {
  const gathered = new Map<string, Cell>()
  let rest: Cell | undefined
  return {
    add: (source, from) => {
      const slots = slotsOf(source[from])
      if (Array.isArray(slots[0])) rest = mergeOther(inner, rest, slots[0] as Cell, 0)
      for (let at = 1; at < slots.length; at += 1 + inner.width) {
        const known = gathered.get(slots[at] as string)
        if (known === undefined) gathered.set(slots[at] as string, slots.slice(at, at + 1 + inner.width))
        else inner.merge(known, 1, slots, at + 1)
      }
    },
    cell: () => {
      if (gathered.size === 0) return undefined
      const groups = [...gathered.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
      return [bounded(inner, keysMax, { other: rest, groups })]
    },
  }
}

/** `width`: of the cell of one group. Groups are the caller's own. */
export function groupedCell(slot: Slot | undefined, width: number): GroupedCell {
  const slots = slotsOf(slot)
  const [other] = slots
  const groups: Cell[] = []
  for (let from = 1; from < slots.length; from += 1 + width) groups.push(slots.slice(from, from + 1 + width))
  return { other: Array.isArray(other) ? (other as Cell) : undefined, groups }
}

function slotsOf(slot: Slot | undefined): readonly Slot[] {
  return Array.isArray(slot) ? (slot as readonly Slot[]) : []
}

/** The text under which a value's group stands. */
export function keyText(value: FieldValue, scale: number | undefined): string {
  const text = typeof value === 'number' && scale !== undefined ? String(value / 10 ** scale) : String(value)
  return Buffer.byteLength(text) > KEY_BYTES_MAX ? `sha256:${keyHash(text)}` : text
}

export function keyHash(key: string): string {
  return sha256Hex(key).slice(0, HASH_DIGITS)
}

function mergeGroups(inner: Aggregator, keysMax: number, a: GroupedCell, b: GroupedCell): Slot {
  const groups: Cell[] = []
  let [left, right] = [0, 0]
  while (left < a.groups.length || right < b.groups.length) {
    const [one, two] = [a.groups[left], b.groups[right]]
    if (two === undefined || (one !== undefined && keyOf(one) < keyOf(two))) {
      if (one !== undefined) groups.push(one)
      left++
    } else if (one === undefined || keyOf(two) < keyOf(one)) {
      groups.push(two)
      right++
    } else {
      const both = [...one]
      inner.merge(both, 1, two, 1)
      groups.push(both)
      left++
      right++
    }
  }
  const other = mergeOther(inner, a.other, b.other, 0)
  return bounded(inner, keysMax, { other, groups })
}

/** A key of one side may have been let go on the other: only those of smallest hash of all were never let go anywhere. */
function bounded(inner: Aggregator, keysMax: number, { other, groups }: GroupedCell): Slot {
  if (groups.length <= keysMax) return toSlot(other, groups)
  const hashed = groups.map(group => `${keyHash(keyOf(group))} ${keyOf(group)}`).sort()
  const kept = new Set(hashed.slice(0, keysMax).map(text => text.slice(HASH_DIGITS + 1)))
  let rest = other
  for (const group of groups) if (!kept.has(keyOf(group))) rest = mergeOther(inner, rest, group, 1)
  return toSlot(
    rest,
    groups.filter(group => kept.has(keyOf(group))),
  )
}

function toSlot(other: Cell | undefined, groups: readonly Cell[]): Slot {
  const slots: Slot[] = [other ?? 0]
  for (const group of groups) slots.push(...group)
  return slots
}

function mergeOther(
  inner: Aggregator,
  into: Cell | undefined,
  source: Cell | undefined,
  from: number,
): Cell | undefined {
  if (source === undefined) return into
  if (into === undefined) return source.slice(from)
  const merged = [...into]
  inner.merge(merged, 0, source, from)
  return merged
}

/** Under which a group stands. */
export function keyOf(group: Cell): string {
  return group[0] as string
}
