// JSON from outside, read strictly: UTF-8, bounded depth, and no key that is written twice or means something to JavaScript.
// The depth is known before anything recurses, and keys are counted in the bytes and again in the parsed value: JSON.parse keeps
// one of two equal keys, so the counts differ exactly where a key was repeated.
import type { Refusal } from './decoded-event.ts'
import { EVENT_BYTES_MAX, EVENT_DEPTH_MAX } from './limits.ts'

const REFUSAL = {
  tooBig: {
    reason: 'too-big',
    detail: `The payload is larger than ${EVENT_BYTES_MAX} bytes; send the large part elsewhere.`,
  },
  notUtf8: { reason: 'not-utf8', detail: 'The payload is neither UTF-8 nor gzip nor zlib of it; send JSON.' },
  loneSurrogate: {
    reason: 'not-utf8',
    detail: 'A text of the payload has a lone surrogate and cannot be written as UTF-8.',
  },
  tooDeep: { reason: 'too-deep', detail: `The payload nests deeper than ${EVENT_DEPTH_MAX}; send less structure.` },
  notJson: { reason: 'not-json', detail: 'The payload is not JSON.' },
  forbiddenKey: {
    reason: 'forbidden-key',
    detail: 'A key of the payload is __proto__, constructor or prototype; rename it upstream.',
  },
  duplicateKey: { reason: 'duplicate-key', detail: 'An object of the payload has a key twice; send each key once.' },
} as const satisfies Record<string, Refusal>

export const TOO_BIG: Refusal = REFUSAL.tooBig

/** A BOM is kept, so that JSON.parse refuses it, as RFC 8259 lets it. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export interface StrictJson {
  readonly value: unknown
  /** How many members its objects have, at every depth. */
  readonly members: number
}

/** Never throws. */
export function parseStrictJson(bytes: Uint8Array): StrictJson | Refusal {
  if (bytes.length > EVENT_BYTES_MAX) return REFUSAL.tooBig
  const shape = scan(bytes)
  if (shape.depth > EVENT_DEPTH_MAX) return REFUSAL.tooDeep
  const text = decodeUtf8(bytes)
  if (text === undefined) return REFUSAL.notUtf8
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return REFUSAL.notJson
  }
  const members = countMembers(value, shape.hasEscapes)
  if (typeof members !== 'number') return members
  return members === shape.members ? { value, members } : REFUSAL.duplicateKey
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes)
  } catch {
    return undefined
  }
}

interface Shape {
  /** Deepest nesting; the scan stops where it exceeds the limit. */
  readonly depth: number
  /** Colons outside of texts: in JSON, one for each member of an object. */
  readonly members: number
  /** Only an escape can make a lone surrogate out of valid UTF-8. */
  readonly hasEscapes: boolean
}

const QUOTE = 0x22
const COLON = 0x3a
const BACKSLASH = 0x5c

/** Over bytes of anything; what it says of members and escapes is true where the bytes are JSON. */
function scan(bytes: Uint8Array): Shape {
  let depth = 0
  let deepest = 0
  let members = 0
  let hasEscapes = false
  for (let index = 0; index < bytes.length && deepest <= EVENT_DEPTH_MAX; index++) {
    const byte = bytes[index]
    if (byte === QUOTE) {
      for (index++; index < bytes.length && bytes[index] !== QUOTE; index++) {
        if (bytes[index] === BACKSLASH) {
          hasEscapes = true
          index++
        }
      }
    } else if (byte === COLON) members++
    else if (byte === 0x7b || byte === 0x5b) deepest = Math.max(deepest, ++depth)
    else if (byte === 0x7d || byte === 0x5d) depth--
  }
  return { depth: deepest, members, hasEscapes }
}

/** Members of all objects in the value, or why it is refused. Recursion is bounded by the scan. */
function countMembers(value: unknown, mayBeIllFormed: boolean): number | Refusal {
  if (typeof value === 'string') return mayBeIllFormed && !value.isWellFormed() ? REFUSAL.loneSurrogate : 0
  if (typeof value !== 'object' || value === null) return 0
  let members = 0
  if (Array.isArray(value)) {
    for (const item of value) {
      const inside = countMembers(item, mayBeIllFormed)
      if (typeof inside !== 'number') return inside
      members += inside
    }
    return members
  }
  const container = value as Readonly<Record<string, unknown>>
  const keys = Object.keys(container)
  for (const key of keys) {
    if (key === '__proto__' || key === 'constructor' || key === 'prototype') return REFUSAL.forbiddenKey
    if (mayBeIllFormed && !key.isWellFormed()) return REFUSAL.loneSurrogate
    const inside = countMembers(container[key], mayBeIllFormed)
    if (typeof inside !== 'number') return inside
    members += inside
  }
  return members + keys.length
}
