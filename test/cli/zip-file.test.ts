import { unzipSync } from 'fflate'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { zipEntry, zipFile } from '../../src/cli/zip-file.ts'

/** fflate answers with a plain object, in which `__proto__` is no key. */
const path = fc
  .array(fc.stringMatching(/^[a-zé0-9._-]{1,12}$/), { minLength: 1, maxLength: 4 })
  .map(parts => parts.join('/'))
  .filter(name => name !== '__proto__')
const files = fc.uniqueArray(fc.tuple(path, fc.uint8Array({ maxLength: 300 })), {
  maxLength: 8,
  selector: ([name]) => name,
})

describe('zipFile', () => {
  it('is read back whole by another implementation', () => {
    fc.assert(
      fc.property(files, list => {
        const unpacked = unzipSync(zipFile(list.map(([name, content]) => zipEntry(name, content))))
        expect(Object.keys(unpacked).length).toBe(list.length)
        for (const [name, content] of list) expect(Buffer.from(unpacked[name] ?? [])).toEqual(Buffer.from(content))
      }),
    )
  })

  it('is the same bytes in whatever order the entries come', () => {
    fc.assert(
      fc.property(files, list => {
        const entries = list.map(([name, content]) => zipEntry(name, content))
        expect(zipFile(entries.toReversed()).equals(zipFile(entries))).toBe(true)
      }),
    )
  })
})
