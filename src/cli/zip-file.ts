// Zip files that are the same bytes for the same input: entries sorted, one fixed time, no machine's own attributes. An entry
// is deflated once and shared, because ONNX Runtime's 45 MB go into more than one of them. Zip64 is not needed below 4 GB.
import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipEntry {
  readonly path: string
  readonly plainBytes: number
  readonly crc: number
  readonly deflated: Uint8Array
}

/** 1980-01-01 00:00, the first instant that a zip can name. */
const DOS_DATE = 0x0021
const DOS_TIME = 0
const VERSION_NEEDED = 20
/** Made on Unix, so that the mode below counts. */
const VERSION_MADE_BY = (3 << 8) | VERSION_NEEDED
const UTF8_NAMES = 0x0800
const METHOD_DEFLATE = 8
/** A regular file that everybody may read; Lambda runs as another user than the one that unpacks. */
const MODE_ATTRIBUTES = 0o100644 * 0x10000
const LOCAL_HEADER_BYTES = 30
const CENTRAL_HEADER_BYTES = 46
const END_BYTES = 22

export function zipEntry(path: string, content: Uint8Array): ZipEntry {
  const deflated = deflateRawSync(content)
  return { path, plainBytes: content.length, crc: crc32(content), deflated }
}

export function zipFile(entries: readonly ZipEntry[]): Buffer {
  const sorted = entries.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  const bodies: Uint8Array[] = []
  const directory: Uint8Array[] = []
  let offset = 0
  for (const entry of sorted) {
    const name = Buffer.from(entry.path, 'utf8')
    const local = Buffer.alloc(LOCAL_HEADER_BYTES)
    local.writeUInt32LE(0x04034b50, 0)
    writeShared(local, 4, entry, name.length)
    const central = Buffer.alloc(CENTRAL_HEADER_BYTES)
    central.writeUInt32LE(0x02014b50, 0)
    central.writeUInt16LE(VERSION_MADE_BY, 4)
    writeShared(central, 6, entry, name.length)
    central.writeUInt32LE(MODE_ATTRIBUTES, 38)
    central.writeUInt32LE(offset, 42)
    bodies.push(local, name, entry.deflated)
    directory.push(central, name)
    offset += LOCAL_HEADER_BYTES + name.length + entry.deflated.length
  }
  return Buffer.concat([...bodies, ...directory, endRecord(sorted.length, directory, offset)])
}

/** The 26 bytes that local and central headers have in common. */
function writeShared(header: Buffer, at: number, entry: ZipEntry, nameBytes: number): void {
  header.writeUInt16LE(VERSION_NEEDED, at)
  header.writeUInt16LE(UTF8_NAMES, at + 2)
  header.writeUInt16LE(METHOD_DEFLATE, at + 4)
  header.writeUInt16LE(DOS_TIME, at + 6)
  header.writeUInt16LE(DOS_DATE, at + 8)
  header.writeUInt32LE(entry.crc, at + 10)
  header.writeUInt32LE(entry.deflated.length, at + 14)
  header.writeUInt32LE(entry.plainBytes, at + 18)
  header.writeUInt16LE(nameBytes, at + 22)
}

export function endRecord(count: number, directory: readonly Uint8Array[], directoryOffset: number): Buffer {
  const end = Buffer.alloc(END_BYTES)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(count, 8)
  end.writeUInt16LE(count, 10)
  end.writeUInt32LE(
    directory.reduce((sum, part) => sum + part.length, 0),
    12,
  )
  end.writeUInt32LE(directoryOffset, 16)
  return end
}
