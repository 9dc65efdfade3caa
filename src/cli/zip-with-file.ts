// A zip with one more file, or another one under a name that it has: every other entry is copied as it is packed, header and all, so that
// what was stored stays stored and nobody has to ask whether it is still the same file.
import { ENTRIES_MAX } from '../model/check-zip-entries.ts'
import { readZipDirectory, type ZipEntry } from '../model/zip-directory.ts'
import { endRecord, zipEntry, zipFile } from './zip-file.ts'

/** In a record of the directory: where the entry begins. */
const RECORD_HEADER_AT = 42

/** The zip is one that `readArtifact` takes; the file is its last entry then. Throws ModelError as reading the directory does. */
export function withZipFile(zip: Uint8Array, name: string, content: Uint8Array): Buffer {
  const kept = entriesOf(zip).filter(entry => entry.name !== name)
  const added = entriesOf(zipFile([zipEntry(name, content)]))
  const bodies: Uint8Array[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { packed, record } of [...kept, ...added]) {
    bodies.push(packed)
    record.writeUInt32LE(offset, RECORD_HEADER_AT)
    directory.push(record)
    offset += packed.length
  }
  return Buffer.concat([...bodies, ...directory, endRecord(directory.length, directory, offset)])
}

interface PackedEntry {
  readonly name: string
  /** Header, content and what stands behind it. */
  readonly packed: Uint8Array
  /** A copy of its own. */
  readonly record: Buffer
}

/** In the order in which they lie. */
function entriesOf(zip: Uint8Array): PackedEntry[] {
  const entries = readZipDirectory(zip, { entriesMax: ENTRIES_MAX }).toSorted((a, b) => a.headerAt - b.headerAt)
  const directoryAt = Math.min(...entries.map(({ recordAt }) => recordAt))
  return entries.map((entry, index) => packedEntry(zip, entry, entries[index + 1]?.headerAt ?? directoryAt))
}

/** Up to the next one: between the two there is nothing but sizes that belong to this one, or the zip is refused. */
function packedEntry(
  zip: Uint8Array,
  { name, headerAt, recordAt, recordEndAt }: ZipEntry,
  nextAt: number,
): PackedEntry {
  return { name, packed: zip.subarray(headerAt, nextAt), record: Buffer.from(zip.subarray(recordAt, recordEndAt)) }
}
