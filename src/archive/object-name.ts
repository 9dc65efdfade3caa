// Names of objects that hold records of one shard: `<kind>/<stream>@<epoch>/<shard>/[<hour>/]<first>-<last>[-<hash>].ndjson.gz`.
// Sequences are padded, so that the order of keys is the order of the stream. No name has anything of an event in it: names end
// up in logs, listings and bills.
import { sha256Hex } from '../platform/hash.ts'
import type { ObjectInfo } from '../platform/object-store.ts'
import { ArchiveError } from './errors.ts'

/** `closed`: dead letters that are done with; `cleared`: doubt that is. */
export type ObjectKind = 'raw' | 'deadletters' | 'doubt' | 'closed' | 'cleared'

export interface Shard {
  /** Stream name + '@' + epoch. */
  readonly stream: string
  readonly shard: string
}

export interface NamedObject extends Shard {
  readonly key: string
  /** `YYYYMMDDHH`, of raw objects only. */
  readonly hour: string | undefined
  /** As records have them, not padded. */
  readonly first: string
  readonly last: string
  readonly createdMs: number
}

/** Sequence numbers have up to 56 digits (Kinesis). */
const SEQUENCE_DIGITS = 56
const SUFFIX = '.ndjson.gz'
/** Enough to tell apart what a few retries of one invocation may write under one name. */
const CONTENT_HASH_DIGITS = 16
const NAME =
  /^[a-z]+\/([A-Za-z0-9_.-]+@\d+)\/([A-Za-z0-9_.-]+)\/(?:(\d{10})\/)?(\d{56})-(\d{56})(?:-[0-9a-f]{16})?\.ndjson\.gz$/

export function shardPrefix(kind: ObjectKind, { stream, shard }: Shard): string {
  return `${kind}/${stream}/${shard}/`
}

/** As marks of a user's item are keyed. */
export function shardKey({ stream, shard }: Shard): string {
  return `${stream}/${shard}`
}

export function sequenceRange(first: string, last: string): string {
  return `${first.padStart(SEQUENCE_DIGITS, '0')}-${last.padStart(SEQUENCE_DIGITS, '0')}`
}

/** The same records give the same name: a retry of the same invocation finds its object done. */
export function rawObjectKey(shard: Shard, hour: string, range: string): string {
  return `${shardPrefix('raw', shard)}${hour}/${range}${SUFFIX}`
}

/** The same records may be set aside again for another reason, by other code: the content is part of the name, so both are kept. */
export function asideObjectKey(kind: ObjectKind, shard: Shard, named: { range: string; plain: string }): string {
  return `${shardPrefix(kind, shard)}${named.range}-${sha256Hex(named.plain).slice(0, CONTENT_HASH_DIGITS)}${SUFFIX}`
}

/** Throws ArchiveError for a name that is not ours. */
export function parseObjectName({ key, createdMs }: Pick<ObjectInfo, 'key' | 'createdMs'>): NamedObject {
  const [, stream, shard, hour, first, last] = NAME.exec(key) ?? []
  if (stream === undefined || shard === undefined || first === undefined || last === undefined) {
    throw new ArchiveError(key, 'does not have the name of an archived object')
  }
  return { key, stream, shard, hour, first: withoutPadding(first), last: withoutPadding(last), createdMs }
}

function withoutPadding(sequence: string): string {
  return sequence.replace(/^0+(?=\d)/, '')
}

/** The arrival hour, UTC, as `YYYYMMDDHH`. */
export function hourOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 13).replace(/[-T]/g, '')
}
