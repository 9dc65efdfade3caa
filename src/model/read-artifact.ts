// An artifact is a zip of two files, and it may come from anywhere. So nothing is ever extracted to disk: the two names are
// read into memory under caps, everything else is left in the zip, and the hash in the manifest decides.
import { unzipSync, type UnzipFileInfo } from 'fflate'
import { sha256Hex } from '../platform/hash.ts'
import { type ArtifactManifest, readArtifactManifest } from './artifact-manifest.ts'
import { ModelError } from './errors.ts'
import { type GoldenRows, readGolden } from './golden.ts'
import { type TrustedKeys, verifySignature } from './signature.ts'

export interface Artifact {
  readonly manifest: ArtifactManifest
  /** model.onnx */
  readonly model: Uint8Array
  /** golden.json; none in artifacts of format 1. */
  readonly golden?: GoldenRows
}

export const MANIFEST_FILE = 'manifest.json'
export const MODEL_FILE = 'model.onnx'
export const GOLDEN_FILE = 'golden.json'
export const SIGNATURE_FILE = 'signature.json'

const READ: ReadonlySet<string> = new Set([MANIFEST_FILE, MODEL_FILE, GOLDEN_FILE, SIGNATURE_FILE])

/** A training script may add a few papers of its own; more is not an artifact. */
const ENTRIES_MAX = 64
/** Of the manifest and the golden rows. */
const PAPER_BYTES_MAX = 1_048_576
/** A function has some 1.5 GB of memory, and a session takes a multiple of its file. */
const MODEL_BYTES_MAX = 134_217_728
/** Weights deflate to a half at best, text to a tenth; deflate itself ends at 1,032. */
const RATIO_MAX = 200

export interface ReadArtifactOptions {
  /** Only artifacts that one of them has signed; none, or no list: any. */
  readonly trustedKeys?: TrustedKeys
}

/** Throws ModelError: `artifact-invalid`, `artifact-too-big`, `artifact-hash`, `manifest-invalid`, `golden-invalid`. */
export function readArtifact(zip: Uint8Array, { trustedKeys = [] }: ReadArtifactOptions = {}): Artifact {
  const files = unzip(zip)
  const manifestBytes = files.get(MANIFEST_FILE) ?? missing(MANIFEST_FILE)
  const model = files.get(MODEL_FILE) ?? missing(MODEL_FILE)
  if (trustedKeys.length > 0) verifySignature(manifestBytes, files.get(SIGNATURE_FILE), trustedKeys)
  const manifest = readArtifactManifest(manifestBytes)
  if (model.byteLength !== manifest.bytes || sha256Hex(model) !== manifest.sha256) {
    throw new ModelError(`${MODEL_FILE} is not the file that its manifest describes`, {
      code: 'artifact-hash',
      next: 'Make the artifact anew; the manifest is written last.',
    })
  }
  const golden = goldenOf(manifest, files.get(GOLDEN_FILE))
  return { manifest, model, ...(golden === undefined ? {} : { golden }) }
}

function goldenOf({ files }: ArtifactManifest, bytes: Uint8Array | undefined): GoldenRows | undefined {
  const described = files[GOLDEN_FILE]
  if (bytes === undefined && described === undefined) return undefined
  if (bytes === undefined) return missing(GOLDEN_FILE)
  if (described?.bytes !== bytes.byteLength || described.sha256 !== sha256Hex(bytes)) {
    throw new ModelError(`${GOLDEN_FILE} is not the file that the manifest describes`, {
      code: 'artifact-hash',
      next: 'Make the artifact anew; the manifest is written last.',
    })
  }
  return readGolden(bytes)
}

function unzip(zip: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const seen = new Set<string>()
  let entries = 0
  const wanted = (entry: UnzipFileInfo): boolean => {
    if (++entries > ENTRIES_MAX) throw tooBig(`more than ${ENTRIES_MAX} files`)
    if (!READ.has(entry.name)) return false
    if (seen.has(entry.name)) throw invalid(`${entry.name} is in it twice`)
    seen.add(entry.name)
    checkSize(entry)
    return true
  }
  try {
    return new Map(Object.entries(unzipSync(zip, { filter: wanted })))
  } catch (error) {
    if (error instanceof ModelError) throw error
    throw invalid('it is not a whole zip file', error)
  }
}

/** The sizes are the zip's own claim; what is inflated never gets more memory than it claims. */
function checkSize({ name, size, originalSize, compression }: UnzipFileInfo): void {
  const bytesMax = name === MODEL_FILE ? MODEL_BYTES_MAX : PAPER_BYTES_MAX
  if (originalSize > bytesMax) throw tooBig(`${name} has ${originalSize} bytes, over ${bytesMax}`)
  if (originalSize > size * RATIO_MAX) throw tooBig(`${name} inflates more than ${RATIO_MAX} times`)
  if (compression === 0 && size !== originalSize) throw invalid(`${name} is stored with two lengths`)
}

function missing(file: string): never {
  throw invalid(`${file} is not in it`)
}

function invalid(what: string, cause?: unknown): ModelError {
  return new ModelError(`The artifact cannot be read: ${what}`, {
    code: 'artifact-invalid',
    next: `Make a zip with ${MODEL_FILE} and ${MANIFEST_FILE} at its top.`,
    ...(cause === undefined ? {} : { cause }),
  })
}

function tooBig(what: string): ModelError {
  return new ModelError(`The artifact is too big: ${what}`, {
    code: 'artifact-too-big',
    next: 'Train a smaller model; large ones do not fit into a function.',
  })
}
