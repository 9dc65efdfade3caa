// The port for immutable objects (S3 in production, memory in tests). There is no overwrite and no delete here: what removes
// bytes does so by name, elsewhere.

export interface ObjectInfo {
  readonly key: string
  readonly bytes: number
  /** When it was created, ms, as the store says: S3 to the second. It orders objects and is part of no content. */
  readonly createdMs: number
}

export interface ObjectStat {
  readonly bytes: number
  /** Lower-case hex, of what is stored; undefined where the store was not told one when the object was created. */
  readonly sha256: string | undefined
  readonly metadata: Readonly<Record<string, string>>
}

/** Implementations: s3-object-store, and the in-memory fake of the tests; one contract suite. */
export interface ObjectStore {
  /** Creates the object, or says that the key exists and leaves it as it is. Throws ObjectStoreError. */
  create(key: string, body: Uint8Array, options?: CreateOptions): Promise<'created' | 'exists'>
  /** What the store knows of an object without reading it, or undefined where there is none. Throws ObjectStoreError. */
  stat(key: string): Promise<ObjectStat | undefined>
  /** The whole object, or undefined where there is none. Throws ObjectStoreError. */
  get(key: string): Promise<Uint8Array | undefined>
  /** All objects whose key starts with the prefix, in key order, after `startAfter` if given. Pages as needed. */
  list(prefix: string, options?: { readonly startAfter?: string }): AsyncIterable<ObjectInfo>
}

/**
 * The port of what takes objects away, by name and after an audit entry: never part of an ObjectStore, so that whoever has one
 * cannot lose anything.
 */
export interface ObjectRemover {
  /** Also where there is none. A bucket with versions keeps what was there until its lifecycle rule ends it. Throws ObjectStoreError. */
  remove(key: string): Promise<void>
}

export interface EndedObjects {
  /** Keys, however many versions each had. */
  readonly objects: number
  readonly bytes: number
}

/**
 * The port of what must not be found any more: an object goes with every version of it, those among them that somebody removed before. Only
 * who forgets a user has it.
 */
export interface ObjectEnder {
  /** Also where there is none. Throws ObjectStoreError. */
  end(key: string): Promise<EndedObjects>
  /** All keys that start with the prefix and that are meant, hidden ones too. Throws ObjectStoreError. */
  endBelow(prefix: string, isOwn: (key: string) => boolean): Promise<EndedObjects>
}

export interface CreateOptions {
  readonly contentType?: string
  readonly contentEncoding?: string
  /** Lower-case hex, of the body: the store refuses other bytes, and answers it to `stat` ever after. */
  readonly sha256?: string
  /** A few words that `stat` answers; names in small letters. */
  readonly metadata?: Readonly<Record<string, string>>
}
