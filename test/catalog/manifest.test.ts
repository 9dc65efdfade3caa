import { expect, test } from 'vitest'
import { decodeManifest, encodeManifest, type ManifestContent } from '../../src/catalog/manifest.ts'

const CONTENT: ManifestContent = {
  table: 'shop.users',
  partition: 'day=2001-06-30',
  batchId: '20010630175959-7h3k9c2m',
  createdAtMs: Date.UTC(2001, 5, 30, 17, 59, 59),
  who: 'ana',
  why: 'nightly',
  format: 'parquet',
  columns: [{ name: 'visits', type: 'int64' }],
  inputs: [],
  parts: [{ name: 'part-00000.parquet', bytes: 3, rows: 1, sha256: 'a'.repeat(64) }],
}

const changed = (changes: Record<string, unknown>) => {
  const manifest = JSON.parse(new TextDecoder().decode(encodeManifest(CONTENT)))
  return new TextEncoder().encode(JSON.stringify({ ...manifest, ...changes }))
}

test('reads what it wrote, with the instant as people write it', () => {
  const { createdAtMs, ...content } = CONTENT
  expect(decodeManifest(encodeManifest(CONTENT), 'key')).toEqual({
    ...content,
    formatVersion: 1,
    createdAt: new Date(createdAtMs).toISOString(),
  })
})

test("keeps its maker's own properties, and none where there are none", () => {
  const properties = { known: 'arrival', counts: { rows: 2 } }
  expect(decodeManifest(encodeManifest({ ...CONTENT, properties }), 'key').properties).toEqual(properties)
  expect(new TextDecoder().decode(encodeManifest(CONTENT))).not.toContain('properties')
})

test('leaves fields of later releases alone', () => {
  expect(decodeManifest(changed({ anchors: ['month'] }), 'key').batchId).toBe(CONTENT.batchId)
})

test.each<[string, Record<string, unknown>]>([
  ['a later format', { formatVersion: 2 }],
  ['a part that would be written elsewhere', { parts: [{ ...CONTENT.parts[0], name: '../part-0.parquet' }] }],
  ['a negative size', { parts: [{ ...CONTENT.parts[0], bytes: -1 }] }],
  ['an unknown type', { columns: [{ name: 'visits', type: 'decimal' }] }],
])('refuses %s', (_, changes) => {
  expect(() => decodeManifest(changed(changes), 'key')).toThrow(expect.objectContaining({ code: 'manifest-invalid' }))
})

test('refuses what is not JSON', () => {
  expect(() => decodeManifest(new Uint8Array([255]), 'key')).toThrow(
    expect.objectContaining({ code: 'manifest-invalid' }),
  )
})
