// Bytes of a stored item that change by themselves, in whatever attribute.
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { Attributes } from '../../src/store/dynamodb-attributes.ts'
import type { Random } from '../../src/platform/random.ts'

const BLOBS = ['dedup', 'st', 'ft', 'pr', 'sum'] as const
const NUMBERS = ['at', 'asOf', 'v'] as const

/** The item with one attribute that is not what was written. */
export function damaged(attributes: Attributes, random: Random): Attributes {
  const kind = random()
  const blob = BLOBS[Math.floor(random() * BLOBS.length)] ?? 'st'
  if (kind < 0.7) return { ...attributes, [blob]: flipped(attributes[blob]?.B ?? new Uint8Array(1), random) }
  if (kind < 0.8) return { ...attributes, [blob]: { B: (attributes[blob]?.B ?? new Uint8Array(2)).slice(0, -1) } }
  if (kind < 0.9) return { ...attributes, [blob]: { S: 'text' } }
  const number = NUMBERS[Math.floor(random() * NUMBERS.length)] ?? 'at'
  return { ...attributes, [number]: { N: String(Number(attributes[number]?.N) + 1) } }
}

function flipped(bytes: Uint8Array, random: Random): AttributeValue {
  const copy = bytes.slice()
  const index = Math.floor(random() * copy.length)
  copy[index] = (copy[index] as number) ^ (1 << Math.floor(random() * 8))
  return { B: copy }
}
