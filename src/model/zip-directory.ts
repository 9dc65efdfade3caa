// The directory of a zip, read before a byte of it is inflated. Readers of zips differ in what they believe where a file says two things;
// this one believes nothing that is said twice differently, and what it read is what is inflated.
import { ModelError } from './errors.ts'

export interface ZipEntry {
  readonly name: string
  /** File type and permissions of Unix, 0 where none are given. */
  readonly mode: number
  readonly isDirectory: boolean
  /** 0 stored, 8 deflated. */
  readonly method: number
  readonly flags: number
  readonly crc: number
  readonly packedBytes: number
  readonly plainBytes: number
  /** Where the entry begins, where its content begins, and where that ends. */
  readonly headerAt: number
  readonly contentAt: number
  readonly endAt: number
  /** Its record in the directory. */
  readonly recordAt: number
  readonly recordEndAt: number
  /** It says that it is a link in one of the ways in which a zip can. */
  readonly isLink: boolean
  /** A second name beside the first, for readers that prefer it. */
  readonly hasOtherName: boolean
}

// APPNOTE.TXT 6.3.10, 4.3.7 (local header), 4.3.12 (central header), 4.3.16 (end).
const LOCAL_SIGNATURE = 0x04034b50
const CENTRAL_SIGNATURE = 0x02014b50
const END_SIGNATURE = 0x06054b50
const LOCAL_BYTES = 30
const CENTRAL_BYTES = 46
const END_BYTES = 22
/** 4.3.15, of zip64. */
const LOCATOR_SIGNATURE = 0x07064b50
const LOCATOR_BYTES = 20
/** A size or an offset that stands elsewhere, in a zip64 field. */
const ELSEWHERE = 0xffffffff

export const FLAG_ENCRYPTED = 0x0001
/** Sizes stand behind the content, and the local header has none. */
const FLAG_SIZES_BEHIND = 0x0008
export const FLAG_STRONG_ENCRYPTION = 0x0040
const FLAG_UTF8 = 0x0800
export const FLAG_MASKED_HEADERS = 0x2000

const MODE_TYPE = 0o170000
const MODE_LINK = 0o120000
/** Of Windows: the entry is a junction or a link. */
const DOS_REPARSE_POINT = 0x400

const EXTRA_UNIX = 0x000d
/** Twelve bytes of times and owners; what follows is where a link points. */
const EXTRA_UNIX_BYTES = 12
const EXTRA_ASI_UNIX = 0x756e
const EXTRA_UNICODE_PATH = 0x7075

/** Throws ModelError `artifact-invalid`, `artifact-zip64`, `artifact-inconsistent`, `artifact-name`, `artifact-too-many`. */
export function readZipDirectory(zip: Uint8Array, { entriesMax }: { readonly entriesMax: number }): ZipEntry[] {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength)
  const endAt = findEnd(view)
  if (view.getUint16(endAt + 4, true) !== 0 || view.getUint16(endAt + 6, true) !== 0) {
    throw invalid('it is one part of several')
  }
  const count = view.getUint16(endAt + 10, true)
  const size = view.getUint32(endAt + 12, true)
  const startAt = view.getUint32(endAt + 16, true)
  if (startAt === ELSEWHERE || count === 0xffff) throw zip64()
  if (count > entriesMax) {
    throw new ModelError(`The artifact has ${count} files, over ${entriesMax}`, {
      code: 'artifact-too-many',
      next: 'Leave out of extra/ what nobody needs to train it again.',
    })
  }
  if (view.getUint16(endAt + 8, true) !== count) throw inconsistent('its directory has two lengths')
  // Nothing before the first entry and nothing between directory and end: another reader could find another directory there.
  if (startAt + size !== endAt) throw inconsistent('its directory is not where it says')
  if (startAt > endAt) throw inconsistent('its directory is not where it says')
  const entries: ZipEntry[] = []
  let at = startAt
  while (entries.length < count) {
    const { entry, nextAt } = readEntry(view, at, endAt)
    checkLocalHeader(view, entry, startAt)
    entries.push(entry)
    at = nextAt
  }
  if (at !== endAt) throw inconsistent('its directory goes on behind its last file')
  checkPlaces(entries, startAt)
  return entries
}

/** The last bytes and no others: a comment behind them could hold a second end, for readers that look from the other side. */
function findEnd(view: DataView): number {
  const at = view.byteLength - END_BYTES
  if (at < 0 || view.getUint32(at, true) !== END_SIGNATURE || view.getUint16(at + 20, true) !== 0) {
    throw invalid('it is not a whole zip file without a comment')
  }
  const isZip64 = at >= LOCATOR_BYTES && view.getUint32(at - LOCATOR_BYTES, true) === LOCATOR_SIGNATURE
  if (isZip64) throw zip64()
  return at
}

function readEntry(view: DataView, at: number, endAt: number): { readonly entry: ZipEntry; readonly nextAt: number } {
  if (at + CENTRAL_BYTES > endAt || view.getUint32(at, true) !== CENTRAL_SIGNATURE) {
    throw inconsistent('its directory ends before its last file')
  }
  const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map(offset => view.getUint16(at + offset, true)) as [
    number,
    number,
    number,
  ]
  const nextAt = at + CENTRAL_BYTES + nameBytes + extraBytes + commentBytes
  if (nextAt > endAt) throw inconsistent('its directory ends before its last file')
  const flags = view.getUint16(at + 8, true)
  const name = readName(bytesAt(view, at + CENTRAL_BYTES, nameBytes), flags)
  const attributes = view.getUint32(at + 38, true)
  const mode = attributes >>> 16
  const extra = readExtraFields(view, at + CENTRAL_BYTES + nameBytes, extraBytes)
  const packedBytes = view.getUint32(at + 20, true)
  const plainBytes = view.getUint32(at + 24, true)
  const headerAt = view.getUint32(at + 42, true)
  if ([packedBytes, plainBytes, headerAt].includes(ELSEWHERE)) throw zip64()
  const entry = {
    name,
    mode,
    isDirectory: name.endsWith('/'),
    method: view.getUint16(at + 10, true),
    flags,
    crc: view.getUint32(at + 16, true),
    packedBytes,
    plainBytes,
    headerAt,
    // Set when the local header was read, whose name and extra fields may have other lengths.
    contentAt: headerAt,
    endAt: headerAt,
    recordAt: at,
    recordEndAt: nextAt,
    isLink: (mode & MODE_TYPE) === MODE_LINK || (attributes & DOS_REPARSE_POINT) !== 0 || extra.isLink,
    hasOtherName: extra.hasOtherName,
  }
  return { entry: placed(view, entry), nextAt }
}

/** Where the content lies, which only the local header tells. */
function placed(view: DataView, entry: ZipEntry): ZipEntry {
  const { headerAt, packedBytes } = entry
  if (headerAt + LOCAL_BYTES > view.byteLength || view.getUint32(headerAt, true) !== LOCAL_SIGNATURE) {
    throw inconsistent(`${shown(entry)} is not where its directory says`)
  }
  const contentAt = headerAt + LOCAL_BYTES + view.getUint16(headerAt + 26, true) + view.getUint16(headerAt + 28, true)
  return { ...entry, contentAt, endAt: contentAt + packedBytes }
}

/** What stands before the content has to say what the directory says. */
function checkLocalHeader(view: DataView, entry: ZipEntry, directoryAt: number): void {
  const { headerAt, contentAt, endAt, flags } = entry
  if (endAt > directoryAt) throw inconsistent(`${shown(entry)} goes on into the directory`)
  const name = readName(bytesAt(view, headerAt + LOCAL_BYTES, view.getUint16(headerAt + 26, true)), flags)
  const isBehind = (flags & FLAG_SIZES_BEHIND) !== 0
  const sums: readonly (readonly [number, number])[] = [
    [14, entry.crc],
    [18, entry.packedBytes],
    [22, entry.plainBytes],
  ]
  const isSame =
    name === entry.name &&
    view.getUint16(headerAt + 6, true) === flags &&
    view.getUint16(headerAt + 8, true) === entry.method &&
    sums.every(([offset, value]) => {
      const local = view.getUint32(headerAt + offset, true)
      return local === value || (isBehind && local === 0)
    })
  if (!isSame) throw inconsistent(`${shown(entry)} is described in two ways`)
  const extra = readExtraFields(
    view,
    contentAt - view.getUint16(headerAt + 28, true),
    view.getUint16(headerAt + 28, true),
  )
  if (extra.isLink && !entry.isLink) throw inconsistent(`${shown(entry)} is a link in one of two places`)
}

/** Behind the content: sizes and sum, after a signature or without. */
const SIZES_BEHIND_BYTES: ReadonlySet<number> = new Set([12, 16])

/** One after the other from the first byte to the directory: nothing twice (a bomb), nothing between (for another reader). */
function checkPlaces(entries: readonly ZipEntry[], directoryAt: number): void {
  const sorted = entries.toSorted((a, b) => a.headerAt - b.headerAt)
  let freeAt = 0
  let before: ZipEntry | undefined
  for (const place of [...sorted, { headerAt: directoryAt, endAt: directoryAt, name: 'the directory' }]) {
    const gap = place.headerAt - freeAt
    if (gap < 0) {
      throw new ModelError(`The artifact is refused: ${shown(place)} lies on top of another file`, {
        code: 'artifact-overlap',
        next: 'Nobody makes such a zip by accident: ask where it is from.',
      })
    }
    const isSizes = before !== undefined && (before.flags & FLAG_SIZES_BEHIND) !== 0 && SIZES_BEHIND_BYTES.has(gap)
    if (gap > 0 && !isSizes) throw inconsistent(`there are ${gap} bytes before ${shown(place)} that belong to no file`)
    freeAt = place.endAt
    before = 'flags' in place ? place : undefined
  }
}

function readExtraFields(view: DataView, from: number, length: number): { isLink: boolean; hasOtherName: boolean } {
  const found = { isLink: false, hasOtherName: false }
  for (let at = from; at + 4 <= from + length; ) {
    const id = view.getUint16(at, true)
    const bytes = view.getUint16(at + 2, true)
    if (at + 4 + bytes > from + length) break
    if (id === EXTRA_UNICODE_PATH) found.hasOtherName = true
    if (id === EXTRA_UNIX && bytes > EXTRA_UNIX_BYTES) found.isLink = true
    if (id === EXTRA_ASI_UNIX && bytes >= 6 && (view.getUint16(at + 8, true) & MODE_TYPE) === MODE_LINK)
      found.isLink = true
    at += 4 + bytes
  }
  return found
}

function bytesAt(view: DataView, at: number, length: number): Uint8Array {
  if (at + length > view.byteLength) throw invalid('it is not a whole zip file')
  return new Uint8Array(view.buffer, view.byteOffset + at, length)
}

/** Without the flag a name is in a code page of DOS, whatever its writer thought. */
function readName(bytes: Uint8Array, flags: number): string {
  if ((flags & FLAG_UTF8) === 0 && bytes.some(byte => byte > 126)) throw nameWrong('a name is not said to be UTF-8')
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw nameWrong('a name is not UTF-8')
  }
}

/** A name as it may be shown: of any length, and with characters that would move the cursor, it came from outside. */
export function shown({ name }: { readonly name: string }): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name)
}

function nameWrong(what: string): ModelError {
  return new ModelError(`The artifact is refused: ${what}`, {
    code: 'artifact-name',
    next: 'Name files with letters, digits, `.`, `_` and `-`.',
  })
}

function invalid(what: string): ModelError {
  return new ModelError(`The artifact cannot be read: ${what}`, {
    code: 'artifact-invalid',
    next: 'Make it with `millrace model pack`, and copy it as bytes.',
  })
}

function inconsistent(what: string): ModelError {
  return new ModelError(`The artifact is refused, since a zip that says two things is read in two ways: ${what}`, {
    code: 'artifact-inconsistent',
    next: 'Make it anew with `millrace model pack`; do not change a zip in place.',
  })
}

function zip64(): ModelError {
  return new ModelError('The artifact is a zip64, which is for files of more than 4 GB', {
    code: 'artifact-zip64',
    next: 'Make the zip without zip64.',
  })
}
