// zlib re-wrapped as gzip is read by gunzip as the plain bytes, whatever they are and however they were compressed.
import { crc32, deflateSync, gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CorruptItemError } from '../../src/store/errors.ts'
import { zlibToGzip } from '../../src/serve/gzip-wrap.ts'

describe('zlibToGzip', () => {
  it('gunzips to the plain bytes at every level', () => {
    const plainBytes = fc.oneof(
      fc.uint8Array({ maxLength: 2000 }),
      fc.json().map(text => Buffer.from(text)),
    )
    fc.assert(
      fc.property(plainBytes, fc.integer({ min: 0, max: 9 }), (plain, level) => {
        const gzip = zlibToGzip(deflateSync(plain, { level }), { plainCrc32: crc32(plain), plainLength: plain.length })
        expect(Buffer.from(gunzipSync(gzip)).equals(plain)).toBe(true)
      }),
    )
  })

  it('carries the checksum along: gunzip refuses bytes that changed underneath', () => {
    const plain = Buffer.from(JSON.stringify({ values: Array.from({ length: 200 }, (_, index) => index) }))
    const other = Buffer.from(plain.toString().replace('199', '198'))
    const gzip = zlibToGzip(deflateSync(other), { plainCrc32: crc32(plain), plainLength: plain.length })
    expect(() => gunzipSync(gzip)).toThrow()
  })

  it.each([
    ['nothing', Uint8Array.of()],
    ['a header alone', Uint8Array.of(0x78, 0x9c, 0, 0, 0, 1)],
    ['gzip', Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff)],
    ['a header that fails its check', Uint8Array.of(0x78, 0x9d, 3, 0, 0, 0, 0, 1)],
    ['a preset dictionary', Uint8Array.of(0x78, 0xbb, 0, 0, 0, 1, 3, 0, 0, 0, 0, 1)],
  ])('refuses %s', (_name, bytes) => {
    expect(() => zlibToGzip(bytes, { plainCrc32: 0, plainLength: 0 })).toThrow(CorruptItemError)
  })
})
