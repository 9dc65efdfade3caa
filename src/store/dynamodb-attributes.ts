// The item in DynamoDB's own form and back. An attribute of another type than the layout's, or one that `sum` does not agree with,
// makes the item corrupt: it is reported by attribute, and overwritten by nothing but a repair. Attributes that this code does not know are kept as they came.
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { byCodePoint } from '../platform/canonical-json.ts'
import { checkHead } from './checksums.ts'
import { CorruptItemError } from './errors.ts'
import { LAYOUT, plainAttributes } from './plain-attributes.ts'
import { type CorruptItem, isCorrupt, type StoredItem } from './user-item.ts'

export type Attributes = Record<string, AttributeValue>

export function toAttributes(item: StoredItem): Attributes {
  return plainAttributes(item) as Attributes
}

export function fromAttributes(attributes: Attributes): StoredItem | CorruptItem {
  const userId = attributes['userId']?.S ?? ''
  try {
    const fresh = attributes['fresh'] === undefined ? undefined : whole(attributes, 'fresh')
    const spills = attributes['spills'] === undefined ? undefined : whole(attributes, 'spills')
    const v = whole(attributes, 'v')
    if (v < 1) throw new Mismatch('v: under 1')
    const item = {
      userId: text(attributes['userId'], 'userId'),
      v,
      at: whole(attributes, 'at'),
      asOf: whole(attributes, 'asOf'),
      ...(fresh === undefined ? {} : { fresh }),
      definitions: text(attributes['definitions'], 'definitions'),
      models: models(attributes['models']),
      ...(spills === undefined ? {} : { spills }),
      imports: imports(attributes['imports']),
      dedup: binary(attributes, 'dedup'),
      st: binary(attributes, 'st'),
      ft: binary(attributes, 'ft'),
      pr: binary(attributes, 'pr'),
      sum: binary(attributes, 'sum'),
      other: Object.fromEntries(Object.entries(attributes).filter(([name]) => !LAYOUT.has(name))),
    }
    // What decides without a blob is checked here, whoever reads it; blobs are when they are used.
    checkHead(item.sum, item)
    return item
  } catch (error) {
    if (error instanceof Mismatch) return { userId, corrupt: error.message, stored: attributes }
    if (error instanceof CorruptItemError) return { userId, corrupt: error.reason, stored: attributes }
    throw error
  }
}

/** What of a sound item tells it from every other: `sum` says nothing of bytes that were changed beside it. */
const TELLING = ['v', 'dedup', 'st', 'ft', 'pr', 'sum'] as const

/**
 * What must still be there for the item to be the one that was read; undefined: no such attribute. Attributes that this code
 * does not know are other programs' to change at any time.
 */
export function expectedAttributes(item: StoredItem | CorruptItem): readonly ExpectedAttribute[] {
  const stored = isCorrupt(item) ? (item.stored as Attributes) : toAttributes(item)
  const names = isCorrupt(item) ? [...LAYOUT].filter(name => name !== 'userId') : TELLING
  return names.map(name => ({ name, value: stored[name] }))
}

export interface ExpectedAttribute {
  readonly name: string
  readonly value: AttributeValue | undefined
}

/** Leaves the reader of one item from whatever depth; never leaves this file. */
class Mismatch extends Error {}

function whole(attributes: Attributes, name: string): number {
  const digits = attributes[name]?.N
  const value = Number(digits)
  if (digits === undefined || !/^-?\d+$/.test(digits) || !Number.isSafeInteger(value)) {
    throw new Mismatch(`${name}: ${found(attributes[name])} instead of a whole number`)
  }
  return value
}

function binary(attributes: Attributes, name: string): Uint8Array {
  const bytes = attributes[name]?.B
  if (bytes === undefined) throw new Mismatch(`${name}: ${found(attributes[name])} instead of binary`)
  return bytes
}

function text(value: AttributeValue | undefined, name: string): string {
  if (value?.S === undefined) throw new Mismatch(`${name}: ${found(value)} instead of text`)
  return value.S
}

function models(value: AttributeValue | undefined): Record<string, string> {
  if (value?.M === undefined) throw new Mismatch(`models: ${found(value)} instead of a map`)
  return Object.fromEntries(Object.entries(value.M).map(([name, id]) => [name, text(id, 'models: a batch ID')]))
}

/** A string set has no order of its own; a list is read too, for items written by other tools. */
function imports(value: AttributeValue | undefined): string[] {
  if (value === undefined) return []
  const ids = value.SS ?? value.L?.map(id => text(id, 'imports: a batch ID'))
  if (ids === undefined) throw new Mismatch(`imports: ${found(value)} instead of a set of text`)
  return [...new Set(ids)].sort(byCodePoint)
}

function found(value: AttributeValue | undefined): string {
  return value === undefined ? 'nothing' : `type ${Object.keys(value)[0] ?? 'unknown'}`
}
