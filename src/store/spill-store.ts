// Where values that are too long for an item are: objects of the state bucket, zlib JSON, each named by its content. The key that
// user ids are hashed with is an object beside them, made by whoever needs it first, so that functions and command line have the
// same one and nobody has to keep it.
import { CorruptItemError, StoreError } from './errors.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { sha256Hex } from '../platform/hash.ts'
import type { SpilledValue } from '../predictions/evaluated-user.ts'
import { PREDICTION_BYTES_MAX, type PlannedSpill, type PredictionValue, SPILL_CONTENT } from '../predictions/spill.ts'
import { deflateBlob, inflateBlob } from './blob-codec.ts'

export const SPILL_KEY_OBJECT = 'spill-key.json'
const KEY_PATTERN = /^[0-9a-f]{64}$/

export interface SpillStore {
  /** 64 hex digits; read once. Throws ObjectStoreError, StoreError. */
  key(): Promise<string>
  /** Once it has returned, an item may name the object. Throws ObjectStoreError. */
  write(spill: PlannedSpill): Promise<'created' | 'exists'>
  /** Undefined where the object is gone, or is not what the item says. Throws ObjectStoreError. */
  read(spilled: SpilledValue): Promise<PredictionValue | undefined>
}

export interface SpillStoreOptions {
  readonly objects: Pick<ObjectStore, 'create' | 'get'>
  /** 64 hex digits that nobody can guess. */
  readonly newKey: () => string
}

export function spillStore({ objects, newKey }: SpillStoreOptions): SpillStore {
  let key: Promise<string> | undefined
  return {
    key: () => {
      key ??= findKey(objects, newKey).catch((error: unknown) => {
        // The next who asks tries again.
        key = undefined
        throw error
      })
      return key
    },
    write: ({ spilled, plain }) => objects.create(spilled.key, deflateBlob(plain), SPILL_CONTENT),
    read: async spilled => {
      if (spilled.bytes > PREDICTION_BYTES_MAX) return undefined
      const blob = await objects.get(spilled.key)
      return blob === undefined ? undefined : readValue(blob, spilled)
    },
  }
}

/** For who only looks: as many bytes, and nothing is written. */
export const DRY_SPILLS: SpillStore = {
  key: async () => '0'.repeat(64),
  write: async () => 'created',
  read: async () => undefined,
}

async function findKey(objects: SpillStoreOptions['objects'], newKey: () => string): Promise<string> {
  const there = await readKey(objects)
  if (there !== undefined) return there
  await objects.create(SPILL_KEY_OBJECT, Buffer.from(`${JSON.stringify({ key: newKey() })}\n`), {
    contentType: 'application/json',
  })
  // Another may have been first: what is there counts.
  const made = await readKey(objects)
  if (made === undefined) throw keyUnreadable()
  return made
}

async function readKey(objects: SpillStoreOptions['objects']): Promise<string | undefined> {
  const body = await objects.get(SPILL_KEY_OBJECT)
  if (body === undefined) return undefined
  const { key } = parsed(body) as { readonly key?: unknown }
  if (typeof key !== 'string' || !KEY_PATTERN.test(key)) throw keyUnreadable()
  return key
}

function keyUnreadable(): StoreError {
  return new StoreError(`${SPILL_KEY_OBJECT} of the archive bucket is not a key`, {
    code: 'spill-key-unreadable',
    next: 'Restore its first version: the bucket keeps all of them.',
  })
}

function readValue(blob: Uint8Array, { sha256, bytes, key }: SpilledValue): PredictionValue | undefined {
  try {
    const plain = inflateBlob(key, blob, bytes)
    return plain.length === bytes && sha256Hex(plain) === sha256 ? (parsed(plain) as PredictionValue) : undefined
  } catch (error) {
    if (error instanceof CorruptItemError) return undefined
    throw error
  }
}

/** An empty object for what is no JSON of one. */
function parsed(bytes: Uint8Array): object {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    return typeof value === 'object' && value !== null ? value : {}
  } catch (error) {
    if (error instanceof SyntaxError) return {}
    throw error
  }
}
