// Hashes that are written down somewhere: what they are for known inputs, which no release may change.
import { expect, it } from 'vitest'
import { eventIdHash, sha256Hex, userBucket } from '../../src/platform/hash.ts'

it('an event is known by its type and its id, with a NUL between them', () => {
  expect(eventIdHash('order.placed', 'o-1')).toBe(sha256Hex('order.placed\u0000o-1').slice(0, 16))
  expect(eventIdHash('order.placed', '7')).not.toBe(eventIdHash('site.visited', '7'))
  expect(eventIdHash('a', 'bc')).not.toBe(eventIdHash('ab', 'c'))
})

it('are the hashes that others compute', () => {
  // printf '%s' 'ana' | sha256sum
  expect(sha256Hex('ana')).toBe('24d4b96f58da6d4a8512313bbd02a28ebf0ca95dec6e4c86ef78ce7f01e788ac')
  expect(sha256Hex(Buffer.from('ana'))).toBe(sha256Hex('ana'))
  expect(userBucket('ana')).toBe(0x24 % 64)
})
