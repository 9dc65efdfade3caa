// Zips as nobody's packer would write them: each field of an entry can be made to say something else.
import { crc32, deflateRawSync } from 'node:zlib'

export interface RawEntry {
  readonly name: string | Uint8Array
  readonly content?: Uint8Array | string
  /** Given where it is not what deflating `content` gives. */
  readonly packed?: Uint8Array
  readonly method?: number
  readonly flags?: number
  /** Of Unix; regular and readable unless said. */
  readonly mode?: number
  /** The lower half of the attributes, which is Windows's. */
  readonly dosAttributes?: number
  readonly crc?: number
  readonly plainBytes?: number
  readonly packedBytes?: number
  readonly extra?: Uint8Array
  /** What only the directory says. */
  readonly inDirectory?: Partial<
    Pick<RawEntry, 'name' | 'plainBytes' | 'packedBytes' | 'flags' | 'method' | 'extra'>
  > & {
    readonly headerAt?: number
  }
  /** Bytes of no file, before it. */
  readonly before?: Uint8Array
  /** Sizes and sum stand behind the content, not before it. */
  readonly sizesBehind?: true
}

export interface RawZip {
  readonly entries: readonly RawEntry[]
  /** What the end says of their number. */
  readonly count?: number
  readonly comment?: string
  /** Between directory and end. */
  readonly beforeEnd?: Uint8Array
}

const UTF8 = 0x0800
const SIZES_BEHIND = 0x0008
const MODE_DEFAULT = 0o100644

export function rawZip({ entries, count = entries.length, comment = '', beforeEnd }: RawZip): Uint8Array {
  const bodies: Uint8Array[] = []
  const directory: Uint8Array[] = []
  let offset = 0
  for (const entry of entries) {
    const { local, central, length } = rawEntry(entry, offset)
    bodies.push(...local)
    directory.push(central)
    offset += length
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(count, 8)
  end.writeUInt16LE(count, 10)
  end.writeUInt32LE(Buffer.concat(directory).length, 12)
  end.writeUInt32LE(offset, 16)
  end.writeUInt16LE(comment.length, 20)
  return Uint8Array.from(
    Buffer.concat([...bodies, ...directory, beforeEnd ?? Buffer.alloc(0), end, Buffer.from(comment)]),
  )
}

interface WrittenEntry {
  readonly local: readonly Uint8Array[]
  readonly central: Uint8Array
  readonly length: number
}

function rawEntry(entry: RawEntry, offset: number): WrittenEntry {
  const content = Buffer.from(entry.content ?? '')
  const packed = Buffer.from(entry.packed ?? (entry.method === 0 ? content : deflateRawSync(content)))
  const { before = new Uint8Array(0), extra = new Uint8Array(0), inDirectory = {}, mode = MODE_DEFAULT } = entry
  const told = {
    name: Buffer.from(entry.name),
    flags: UTF8 | (entry.sizesBehind === true ? SIZES_BEHIND : 0),
    method: entry.method ?? 8,
    crc: entry.crc ?? crc32(content),
    packedBytes: entry.packedBytes ?? packed.length,
    plainBytes: entry.plainBytes ?? content.length,
    ...(entry.flags === undefined ? {} : { flags: entry.flags }),
  }
  const toldBefore = entry.sizesBehind === true ? { ...told, crc: 0, packedBytes: 0, plainBytes: 0 } : told
  const toldInDirectory = { ...told, ...inDirectory, name: Buffer.from(inDirectory.name ?? entry.name) }
  const local = Buffer.concat([Buffer.alloc(4), shared(toldBefore, extra), toldBefore.name, extra])
  local.writeUInt32LE(0x04034b50, 0)
  const extraInDirectory = inDirectory.extra ?? extra
  const head = shared(toldInDirectory, extraInDirectory)
  const central = Buffer.concat([Buffer.alloc(6), head, Buffer.alloc(14), toldInDirectory.name, extraInDirectory])
  central.writeUInt32LE(0x02014b50, 0)
  central.writeUInt16LE((3 << 8) | 20, 4)
  central.writeUInt32LE(((mode << 16) | (entry.dosAttributes ?? 0)) >>> 0, 38)
  central.writeUInt32LE(inDirectory.headerAt ?? offset + before.length, 42)
  const behind = entry.sizesBehind === true ? sizes(told) : Buffer.alloc(0)
  const parts = [before, local, packed, behind]
  return { local: parts, central, length: Buffer.concat(parts).length }
}

interface Told {
  readonly name: Buffer
  readonly flags: number
  readonly method: number
  readonly crc: number
  readonly packedBytes: number
  readonly plainBytes: number
}

function shared({ name, flags, method, crc, packedBytes, plainBytes }: Told, extra: Uint8Array): Buffer {
  const head = Buffer.alloc(26)
  head.writeUInt16LE(20, 0)
  head.writeUInt16LE(flags, 2)
  head.writeUInt16LE(method, 4)
  head.writeUInt16LE(0x0021, 8)
  head.writeUInt32LE(crc >>> 0, 10)
  head.writeUInt32LE(packedBytes >>> 0, 14)
  head.writeUInt32LE(plainBytes >>> 0, 18)
  head.writeUInt16LE(name.length, 22)
  head.writeUInt16LE(extra.length, 24)
  return head
}

function sizes({ crc, packedBytes, plainBytes }: Told): Buffer {
  const behind = Buffer.alloc(16)
  behind.writeUInt32LE(0x08074b50, 0)
  behind.writeUInt32LE(crc >>> 0, 4)
  behind.writeUInt32LE(packedBytes, 8)
  behind.writeUInt32LE(plainBytes, 12)
  return behind
}
