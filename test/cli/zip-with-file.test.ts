import { unzipSync } from 'fflate'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { withZipFile } from '../../src/cli/zip-with-file.ts'
import { readZipDirectory } from '../../src/model/zip-directory.ts'
import { sha256Hex } from '../../src/platform/hash.ts'
import { type RawEntry, rawZip } from '../model/zip-writer.ts'

/** Stored or deflated, with and without sizes behind the content, in any order. */
const entry: fc.Arbitrary<RawEntry> = fc.record(
  {
    name: fc.stringMatching(/^[a-f]{1,3}$/),
    content: fc.uint8Array({ maxLength: 200 }),
    method: fc.constantFrom(0, 8),
    sizesBehind: fc.constant(true as const),
  },
  { requiredKeys: ['name', 'content', 'method'] },
)
const entries = fc.uniqueArray(entry, { minLength: 1, maxLength: 6, selector: ({ name }) => name })
const content = fc.uint8Array({ maxLength: 50 })

/** By name: how it is packed, and a hash of all bytes up to the next file or the directory. */
function packed(zip: Uint8Array): Map<string, string> {
  const found = readZipDirectory(zip, { entriesMax: 99 }).toSorted((one, other) => one.headerAt - other.headerAt)
  const directoryAt = Buffer.from(zip).readUInt32LE(zip.length - 6)
  return new Map(
    found.map(({ name, method, mode, headerAt }, index) => {
      const bytes = zip.subarray(headerAt, found[index + 1]?.headerAt ?? directoryAt)
      return [name, `${method} ${mode} ${sha256Hex(bytes)}`]
    }),
  )
}

it('has the new file, and every other one packed as it was', () => {
  fc.assert(
    fc.property(entries, content, (given, added) => {
      const before = rawZip({ entries: given })
      const after = withZipFile(before, 'new.json', added)
      expect(Buffer.from(unzipSync(after)['new.json'] ?? [1, 2, 3])).toEqual(Buffer.from(added))
      const kept = packed(after)
      kept.delete('new.json')
      expect(kept).toEqual(packed(before))
    }),
  )
})

it('puts a file into the place of the one of its name, wherever that lies', () => {
  fc.assert(
    fc.property(entries, content, (given, added) => {
      const name = String(given[0]?.name)
      const before = rawZip({ entries: given })
      const after = withZipFile(before, name, added)
      const others = (zip: Uint8Array) => [...packed(zip)].filter(([other]) => other !== name)
      expect(others(after)).toEqual(others(before))
      expect(Buffer.from(unzipSync(after)[name] ?? [1, 2, 3])).toEqual(Buffer.from(added))
      expect(withZipFile(after, name, added).equals(after)).toBe(true)
    }),
  )
})

it('leaves the bytes that it was given alone', () => {
  const before = rawZip({
    entries: [
      { name: 'a', content: 'x' },
      { name: 'b', content: 'y' },
    ],
  })
  const copy = Uint8Array.from(before)
  withZipFile(before, 'a', Buffer.from('z'))
  expect(Uint8Array.from(before)).toEqual(copy)
})
