// An artifact is a zip of a model with its papers, and it may come from anywhere. Nothing is extracted to disk: the directory is checked
// first, files are inflated into memory under caps, and the hashes in the manifest decide.
import { crc32, inflateRawSync } from 'node:zlib'
import { sha256Hex } from '../platform/hash.ts'
import { type ArtifactManifest, readArtifactManifest } from './artifact-manifest.ts'
import {
  bomb,
  checkZipEntries,
  ENTRIES_MAX,
  EXTRA_BYTES_MAX,
  MODEL_BYTES_MAX,
  PAPER_BYTES_MAX,
  tooBig,
  ZIP_BYTES_MAX,
} from './check-zip-entries.ts'
import { ModelError } from './errors.ts'
import { type GoldenRows, readGolden } from './golden.ts'
import { type TrustedKeys, verifySignature } from './signature.ts'
import { readZipDirectory, shown, type ZipEntry } from './zip-directory.ts'

export interface Artifact {
  readonly manifest: ArtifactManifest
  /** model.onnx */
  readonly model: Uint8Array
  /** golden.json; none in artifacts of format 1. */
  readonly golden?: GoldenRows
}

export interface ReadArtifactOptions {
  /** Only artifacts that one of them has signed; none, or no list: any. */
  readonly trustedKeys?: TrustedKeys
}

export const MANIFEST_FILE = 'manifest.json'
export const MODEL_FILE = 'model.onnx'
export const GOLDEN_FILE = 'golden.json'
export const SIGNATURE_FILE = 'signature.json'
export const EXTRA_FOLDER = 'extra/'

/** The manifest describes every file but these: itself, and what is made from it. */
const UNDESCRIBED: ReadonlySet<string> = new Set([MANIFEST_FILE, SIGNATURE_FILE])

/** Throws ModelError with the codes of docs/model-safety.md: `artifact-…`, `signature-…`, `manifest-invalid`, `golden-invalid`. */
export function readArtifact(zip: Uint8Array, options: ReadArtifactOptions = {}): Artifact {
  const { manifest, files } = readFiles(zip, options)
  const golden = files.get(GOLDEN_FILE)
  return {
    manifest,
    model: files.get(MODEL_FILE) ?? missing(MODEL_FILE),
    ...(golden === undefined ? {} : { golden: readGolden(golden) }),
  }
}

/**
 * The files under extra/ by their names in it (`train.py`), for who trains the model again. Every one has the hash that the manifest says;
 * an artifact of format 1 has none. Throws what `readArtifact` throws.
 */
export function readExtra(zip: Uint8Array, options: ReadArtifactOptions = {}): ReadonlyMap<string, Uint8Array> {
  const extra = [...readFiles(zip, options).files].filter(([name]) => name.startsWith(EXTRA_FOLDER))
  return new Map(extra.map(([name, bytes]) => [name.slice(EXTRA_FOLDER.length), bytes]))
}

/** The bytes of the manifest, which a signature is over. Throws what `readArtifact` throws. */
export function readManifestBytes(zip: Uint8Array): Uint8Array {
  const entry = readFiles(zip, {}).entries.find(({ name }) => name === MANIFEST_FILE)
  return entry === undefined ? missing(MANIFEST_FILE) : inflate(zip, entry)
}

interface ArtifactFiles {
  readonly entries: readonly ZipEntry[]
  readonly manifest: ArtifactManifest
  /** All that the manifest describes, checked; no other. */
  readonly files: ReadonlyMap<string, Uint8Array>
}

function readFiles(zip: Uint8Array, { trustedKeys = [] }: ReadArtifactOptions): ArtifactFiles {
  if (zip.byteLength > ZIP_BYTES_MAX) throw tooBig(`the zip has ${zip.byteLength} bytes, over ${ZIP_BYTES_MAX}`)
  const entries = readZipDirectory(zip, { entriesMax: ENTRIES_MAX })
  checkZipEntries(entries, bytesMaxOf)
  const found = new Map(entries.filter(entry => !entry.isDirectory).map(entry => [entry.name, entry]))
  const read = (name: string): Uint8Array | undefined => {
    const entry = found.get(name)
    return entry === undefined ? undefined : inflate(zip, entry)
  }
  const manifestBytes = read(MANIFEST_FILE) ?? missing(MANIFEST_FILE)
  if (trustedKeys.length > 0) verifySignature(manifestBytes, read(SIGNATURE_FILE), trustedKeys)
  const manifest = readArtifactManifest(manifestBytes)
  const described = { ...manifest.files, [MODEL_FILE]: { sha256: manifest.sha256, bytes: manifest.bytes } }
  // What 0.1 wrote may have other files beside the two, of which its manifest says nothing: they are left alone.
  if (manifest.formatVersion > 1) checkListed(entries, described)
  const files = new Map<string, Uint8Array>()
  for (const [name, { sha256, bytes }] of Object.entries(described)) {
    const content = read(name) ?? missing(name)
    if (content.byteLength !== bytes || sha256Hex(content) !== sha256) {
      throw new ModelError(`${name} is not the file that the manifest describes`, {
        code: 'artifact-hash',
        next: 'Make the artifact anew; the manifest is written last.',
      })
    }
    files.set(name, content)
  }
  return { entries, manifest, files }
}

/** Whoever holds the hash of the manifest holds those of all files; one without a hash is one that somebody could have added. */
function checkListed(entries: readonly ZipEntry[], described: Readonly<Record<string, unknown>>): void {
  for (const entry of entries) {
    const isKnown = entry.isDirectory ? entry.name.startsWith(EXTRA_FOLDER) : isPlace(entry.name)
    if (!isKnown) {
      throw new ModelError(`The artifact is refused: ${shown(entry)} is no place for a file in it`, {
        code: 'artifact-unknown-place',
        next: `Put files of your own under ${EXTRA_FOLDER}.`,
      })
    }
    if (!entry.isDirectory && !UNDESCRIBED.has(entry.name) && !Object.hasOwn(described, entry.name)) {
      throw new ModelError(`The artifact is refused: the manifest describes no ${shown(entry)}`, {
        code: 'artifact-unlisted',
        next: 'Add it with `millrace model pack`, which writes its hash into the manifest.',
      })
    }
  }
}

function isPlace(name: string): boolean {
  return name === MODEL_FILE || name === GOLDEN_FILE || UNDESCRIBED.has(name) || name.startsWith(EXTRA_FOLDER)
}

function bytesMaxOf(name: string): number {
  if (name === MODEL_FILE) return MODEL_BYTES_MAX
  return name === GOLDEN_FILE || UNDESCRIBED.has(name) ? PAPER_BYTES_MAX : EXTRA_BYTES_MAX
}

/** No more than the directory claims is ever inflated, and no less is taken. */
function inflate(zip: Uint8Array, entry: ZipEntry): Uint8Array {
  const packed = zip.subarray(entry.contentAt, entry.endAt)
  const content = entry.method === 0 ? packed.slice() : inflated(packed, entry)
  if (content.byteLength !== entry.plainBytes || crc32(content) !== entry.crc) throw damaged(entry)
  return content
}

function inflated(packed: Uint8Array, entry: ZipEntry): Uint8Array {
  try {
    const buffer = inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.plainBytes) })
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
  } catch (error) {
    if (error instanceof RangeError) throw bomb(`${shown(entry)} inflates to more than it says`)
    throw damaged(entry, error)
  }
}

function damaged(entry: ZipEntry, cause?: unknown): ModelError {
  return new ModelError(`The artifact is damaged: ${shown(entry)} does not inflate to what was packed`, {
    code: 'artifact-damaged',
    next: 'Copy it again, as bytes.',
    ...(cause === undefined ? {} : { cause }),
  })
}

function missing(file: string): never {
  throw new ModelError(`The artifact cannot be used: ${file} is not in it`, {
    code: 'artifact-file-missing',
    next: `Make a zip with ${MODEL_FILE}, ${MANIFEST_FILE} and what it describes, at its top and not in a folder.`,
  })
}
