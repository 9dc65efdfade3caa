// How big DynamoDB takes an item to be, before it is sent: bytes are money, and an item over the limit must be refused with a
// reason instead of failing the batch. The rule is the one of "DynamoDB item sizes and formats" (Amazon DynamoDB Developer
// Guide, CapacityUnitCalculations), which calls itself approximate for numbers.
import { ITEM_BYTES_MAX } from '../predictions/item-limits.ts'
import type { StoredItem } from './user-item.ts'

/**
 * What an item shall have, by how many features: 4 KB at 20 and 16 KB at 250. At 50 M events a day and 0.625 $ per million write
 * units, 4 KB are 125 $ a day and 16 KB are 500 $; a few features share an item's fixed costs, many share states.
 */
const TARGET_BYTES = [
  { features: 20, bytes: 4 * 1024 },
  { features: 250, bytes: 16 * 1024 },
] as const
/** A standard write costs one unit for each of these begun. */
export const WRITE_UNIT_BYTES = 1024
/** A strongly consistent read costs one unit for each of these begun. */
export const READ_UNIT_BYTES = 4096
const COLLECTION_BYTES = 3
const ELEMENT_BYTES = 1

export interface ItemTooBig {
  readonly reason: 'item-too-big'
  readonly bytes: number
  readonly bytesMax: number
}

/** Undefined where the item may be written. */
export function itemTooBig(item: StoredItem, bytesMax: number = ITEM_BYTES_MAX): ItemTooBig | undefined {
  const bytes = itemBytes(item)
  return bytes > bytesMax ? { reason: 'item-too-big', bytes, bytesMax } : undefined
}

export function writeUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / WRITE_UNIT_BYTES))
}

/** Of a strongly consistent read. */
export function readUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES))
}

/** On the line through both targets; not below the smaller one. */
export function itemBytesTarget(features: number): number {
  const [few, many] = TARGET_BYTES
  const slope = (many.bytes - few.bytes) / (many.features - few.features)
  return Math.round(few.bytes + Math.max(0, features - few.features) * slope)
}

/** Attribute names and values of the item as DynamoDB stores it. */
export function itemBytes(item: StoredItem): number {
  let bytes = named('userId', Buffer.byteLength(item.userId))
  bytes += named('v', numberBytes(String(item.v))) + named('at', numberBytes(String(item.at)))
  bytes += named('asOf', numberBytes(String(item.asOf)))
  if (item.fresh !== undefined) bytes += named('fresh', numberBytes(String(item.fresh)))
  bytes += named('definitions', Buffer.byteLength(item.definitions)) + named('models', COLLECTION_BYTES)
  for (const [name, batchId] of Object.entries(item.models)) {
    bytes += ELEMENT_BYTES + named(name, Buffer.byteLength(batchId))
  }
  if (item.spills !== undefined) bytes += named('spills', numberBytes(String(item.spills)))
  if (item.imports.length > 0)
    bytes += named(
      'imports',
      total(item.imports, id => Buffer.byteLength(id)),
    )
  bytes += named('dedup', item.dedup.length) + named('sum', item.sum.length)
  bytes += named('st', item.st.length) + named('ft', item.ft.length) + named('pr', item.pr.length)
  for (const [name, value] of Object.entries(item.other)) bytes += named(name, valueBytes(value))
  return bytes
}

function named(name: string, valueLength: number): number {
  return Buffer.byteLength(name) + valueLength
}

function total<T>(values: readonly T[], bytesOf: (value: T) => number): number {
  return values.reduce((sum, value) => sum + bytesOf(value), 0)
}

/** Digits are stored two a byte, aligned at the decimal point, after one byte of exponent; a sign costs another. */
function numberBytes(text: string): number {
  const { sign, digits, exponent } = significant(text)
  if (digits === 0) return 1
  const isSplitPair = digits % 2 === 0 && exponent % 2 === 0
  return 1 + Math.ceil(digits / 2) + (isSplitPair ? 1 : 0) + (sign === '-' ? 1 : 0)
}

/** Significant digits, and the power of ten of the first. */
function significant(text: string): { readonly sign: string; readonly digits: number; readonly exponent: number } {
  const match = /^(-?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text)
  const [, sign = '', whole = '', fraction = '', power = '0'] = match ?? []
  const all = whole + fraction
  const first = all.search(/[1-9]/)
  if (first === -1) return { sign, digits: 0, exponent: 0 }
  return { sign, digits: all.replace(/0+$/, '').length - first, exponent: whole.length - 1 - first + Number(power) }
}

/** Of an attribute that this code does not know, in DynamoDB's form: `{ S: … }`, `{ M: … }`, … */
function valueBytes(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  const [type, content] = (Object.entries(value)[0] ?? []) as [string | undefined, unknown]
  if (type === 'M' && typeof content === 'object' && content !== null) {
    return (
      COLLECTION_BYTES +
      total(Object.entries(content), ([name, member]) => ELEMENT_BYTES + named(name, valueBytes(member)))
    )
  }
  if (type === 'L' && Array.isArray(content))
    return COLLECTION_BYTES + total(content, member => ELEMENT_BYTES + valueBytes(member))
  if (Array.isArray(content)) return total(content, member => scalarBytes(type, member))
  return scalarBytes(type, content)
}

function scalarBytes(type: string | undefined, content: unknown): number {
  if (content instanceof Uint8Array) return content.length
  if (typeof content !== 'string') return 1
  return type === 'N' || type === 'NS' ? numberBytes(content) : Buffer.byteLength(content)
}
