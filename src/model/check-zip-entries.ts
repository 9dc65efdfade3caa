// What may be in the zip of an artifact, by its directory alone: plain files with plain names in known places, each once, of a size that
// a function has memory for. Each reason has its own code, since whoever gets one has to do something else about it.
import { ModelError } from './errors.ts'
import { FLAG_ENCRYPTED, FLAG_MASKED_HEADERS, FLAG_STRONG_ENCRYPTION, shown, type ZipEntry } from './zip-directory.ts'

/** Of any zip, before it is looked at. */
export const ZIP_BYTES_MAX = 201_326_592
export const ENTRIES_MAX = 256
/** A function has some 1.5 GB of memory, and a session takes a multiple of its file. */
export const MODEL_BYTES_MAX = 134_217_728
/** Of the manifest, the golden rows and the signature. */
export const PAPER_BYTES_MAX = 1_048_576
/** Of one file of extra/: scripts and small tables; training data belongs into the catalogue. */
export const EXTRA_BYTES_MAX = 33_554_432
/** Of everything together. */
export const TOTAL_BYTES_MAX = 201_326_592
/** Weights deflate to a half at best, text to a tenth; deflate itself ends at 1,032. */
export const RATIO_MAX = 200
/** Below it a ratio says nothing: a few kilobytes of zeros are no bomb. */
const RATIO_BYTES_MIN = 65_536

const NAME_CHARACTERS_MAX = 255
const METHODS: ReadonlySet<number> = new Set([0, 8])
const MODE_TYPE = 0o170000
const MODE_FILE = 0o100000
const MODE_DIRECTORY = 0o040000
const ENCRYPTED = FLAG_ENCRYPTED | FLAG_STRONG_ENCRYPTION | FLAG_MASKED_HEADERS
/** AES by WinZip, which stands where the method is. */
const METHOD_AES = 99

/** Throws ModelError, with a code for each reason. */
export function checkZipEntries(entries: readonly ZipEntry[], bytesMax: (name: string) => number): void {
  for (const entry of entries) {
    checkName(entry)
    checkKind(entry)
    checkPacking(entry)
  }
  checkNames(entries)
  for (const entry of entries) checkSize(entry, bytesMax(entry.name))
  const total = entries.reduce((sum, { plainBytes }) => sum + plainBytes, 0)
  if (total > TOTAL_BYTES_MAX) throw tooBig(`its files have ${total} bytes together, over ${TOTAL_BYTES_MAX}`)
}

export function tooBig(what: string): ModelError {
  return new ModelError(`The artifact is too big: ${what}`, {
    code: 'artifact-too-big',
    next: 'Train a smaller model, or leave files out of extra/; large ones do not fit into a function.',
  })
}

function checkName(entry: ZipEntry): void {
  const { name } = entry
  const isOutside =
    name.split(/[\\/]/).includes('..') || /^[\\/]/.test(name) || /^[A-Za-z]:/.test(name) || name.includes('\\')
  if (isOutside) {
    throw refused(`${shown(entry)} leads out of the folder that it is unpacked to`, {
      code: 'artifact-zip-slip',
      next: 'Ask where it is from; a packer writes names like extra/train.py.',
    })
  }
  const parts = entry.isDirectory ? name.slice(0, -1).split('/') : name.split('/')
  const isPlain =
    parts.every(part => part !== '' && part !== '.' && !/[. ]$/.test(part)) && !/[\p{C}:*?"<>|]/u.test(name)
  if (!isPlain || entry.hasOtherName || name.length > NAME_CHARACTERS_MAX) {
    throw refused(`${shown(entry)} is no name that every system has`, {
      code: 'artifact-name',
      next: 'Name files with letters, digits, `.`, `_` and `-`.',
    })
  }
}

function checkKind(entry: ZipEntry): void {
  if (entry.isLink) {
    throw refused(`${shown(entry)} is a link`, {
      code: 'artifact-link',
      next: 'Put the file itself into the zip; a link shows whoever unpacks it another file of his.',
    })
  }
  const type = entry.mode & MODE_TYPE
  const isPlain = type === 0 || type === (entry.isDirectory ? MODE_DIRECTORY : MODE_FILE)
  if (!isPlain || (entry.isDirectory && entry.plainBytes > 0)) {
    throw refused(`${shown(entry)} is neither a file nor a folder`, {
      code: 'artifact-special-file',
      next: 'Leave devices, pipes and sockets out of the zip.',
    })
  }
}

function checkPacking(entry: ZipEntry): void {
  const { flags, method } = entry
  if ((flags & ENCRYPTED) !== 0 || method === METHOD_AES) {
    throw refused(`${shown(entry)} is encrypted`, {
      code: 'artifact-encrypted',
      next: 'Make the zip without a password; functions have none.',
    })
  }
  if (!METHODS.has(method)) {
    throw refused(`${shown(entry)} is packed by method ${method}`, {
      code: 'artifact-method',
      next: 'Make the zip with deflate, which every reader has.',
    })
  }
}

/** Twice the same, and twice the same on a disk that does not tell A from a, or one way of writing é from the other. */
function checkNames(entries: readonly ZipEntry[]): void {
  const names = new Set<string>()
  const folded = new Map<string, ZipEntry>()
  for (const entry of entries) {
    const name = entry.isDirectory ? entry.name.slice(0, -1) : entry.name
    if (names.has(name)) {
      throw refused(`${shown(entry)} is in it twice`, {
        code: 'artifact-duplicate',
        next: 'Make the zip anew instead of adding to it: readers differ in which of the two they take.',
      })
    }
    names.add(name)
    const other = folded.get(foldName(name))
    if (other !== undefined) throw collision(entry, other)
    folded.set(foldName(name), entry)
  }
  checkFolders(entries, folded)
}

/** A file where the way to another one needs a folder; and folders that differ in case only are one folder. */
function checkFolders(entries: readonly ZipEntry[], folded: ReadonlyMap<string, ZipEntry>): void {
  const folders = new Map<string, string>()
  for (const entry of entries) {
    const parts = entry.name.split('/').slice(0, -1)
    for (const [index] of parts.entries()) {
      const folder = parts.slice(0, index + 1).join('/')
      const other = folded.get(foldName(folder))
      if (other !== undefined && (!other.isDirectory || other.name !== `${folder}/`)) throw collision(entry, other)
      const written = folders.get(foldName(folder)) ?? folder
      if (written !== folder) throw collision(entry, { name: written })
      folders.set(foldName(folder), folder)
    }
  }
}

function foldName(name: string): string {
  return name.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC')
}

function collision(entry: ZipEntry, other: { readonly name: string }): ModelError {
  return refused(`${shown(entry)} and ${shown(other)} are one file on some disks`, {
    code: 'artifact-case-collision',
    next: 'Give files names that differ in more than upper case or accents.',
  })
}

/** The sizes are the zip's own claim; what is inflated gets no more memory than it claims. */
function checkSize(entry: ZipEntry, bytesMax: number): void {
  const { packedBytes, plainBytes, method } = entry
  if (plainBytes > bytesMax) throw tooBig(`${shown(entry)} has ${plainBytes} bytes, over ${bytesMax}`)
  if (plainBytes > RATIO_BYTES_MIN && plainBytes > packedBytes * RATIO_MAX) {
    throw bomb(`${shown(entry)} inflates more than ${RATIO_MAX} times`)
  }
  if (method === 0 && packedBytes !== plainBytes) throw bomb(`${shown(entry)} is stored with two lengths`)
}

export function bomb(what: string): ModelError {
  return refused(what, {
    code: 'artifact-bomb',
    next: 'Ask where it is from; where it is real, store the file without deflating it.',
  })
}

function refused(what: string, { code, next }: { readonly code: string; readonly next: string }): ModelError {
  return new ModelError(`The artifact is refused: ${what}`, { code, next })
}
