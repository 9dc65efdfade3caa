import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeBase64 } from '../../src/event/base64.ts'

it('takes exactly the text that its own bytes encode to', () => {
  const insert = fc.constantFrom('', '=', '==', '-', '_', ' ', 'A', 'B', 'g', '\u0141', '\u{1f600}')
  const nearly = fc.tuple(fc.uint8Array({ maxLength: 8 }), fc.nat(12), insert, fc.boolean()).map(parts => {
    const [bytes, at, inserted, replaces] = parts
    const text = Buffer.from(bytes).toString('base64')
    return text.slice(0, at) + inserted + text.slice(at + (replaces ? inserted.length : 0))
  })
  fc.assert(
    fc.property(nearly, text => {
      const lenient = Buffer.from(text, 'base64')
      expect(decodeBase64(text)).toEqual(lenient.toString('base64') === text ? lenient : undefined)
    }),
    { numRuns: 5000 },
  )
})

it('takes every last character without spare bits and no other', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  const taken = (before: string, after: string) =>
    alphabet.split('').filter(last => decodeBase64(before + last + after) !== undefined).length
  expect([taken('A', '=='), taken('AA', '='), taken('AAA', '')]).toEqual([4, 16, 64])
})
