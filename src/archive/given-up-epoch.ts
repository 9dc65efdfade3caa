// The epoch of a record that does not say its own, found in the archive's names: a stream that was made anew may use the same shards,
// and its sequences begin where they like, so only the object that has the record tells.
import { UNKNOWN_EPOCH } from '../event/lambda-records.ts'
import { compareSequences, type StreamRecord } from '../event/stream-record.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { listObjects, listShards } from './list-objects.ts'
import { hourOf, type NamedObject, type Shard, shardKey } from './object-name.ts'

interface ListedHour {
  readonly hour: string
  readonly objects: readonly NamedObject[]
}

export class EpochFinder {
  readonly #objects: ObjectStore
  /** By `stream/shard`, without epochs. */
  #shards: Promise<ReadonlyMap<string, readonly Shard[]>> | undefined
  /** By shard the last one, as batches come in the order of time. */
  readonly #hours = new Map<string, ListedHour>()

  constructor(objects: ObjectStore) {
    this.#objects = objects
  }

  /** The record under its stream's epoch; as it is where no object has it, or more than one epoch's. Throws ObjectStoreError, ArchiveError. */
  async place(record: StreamRecord): Promise<StreamRecord> {
    const shards = await (this.#shards ??= this.#listShards())
    const found: string[] = []
    for (const shard of shards.get(nameWithoutEpoch(record)) ?? []) {
      const objects = await this.#objectsOf(shard, hourOf(record.arrivalMs))
      if (objects.some(object => isWithin(record.sequence, object))) found.push(shard.stream)
    }
    const [stream, ...others] = found
    return stream === undefined || others.length > 0 ? record : { ...record, stream }
  }

  async #listShards(): Promise<ReadonlyMap<string, readonly Shard[]>> {
    const shards = new Map<string, Shard[]>()
    for await (const shard of listShards(this.#objects, 'raw')) {
      const name = nameWithoutEpoch(shard)
      shards.set(name, [...(shards.get(name) ?? []), shard])
    }
    return shards
  }

  async #objectsOf(shard: Shard, hour: string): Promise<readonly NamedObject[]> {
    const known = this.#hours.get(shardKey(shard))
    if (known?.hour === hour) return known.objects
    const objects: NamedObject[] = []
    for await (const object of listObjects(this.#objects, 'raw', { shard, fromHour: hour })) {
      if (object.hour !== hour) break
      objects.push(object)
    }
    this.#hours.set(shardKey(shard), { hour, objects })
    return objects
  }
}

export function hasUnknownEpoch({ stream }: Pick<Shard, 'stream'>): boolean {
  return stream.endsWith(`@${UNKNOWN_EPOCH}`)
}

function nameWithoutEpoch({ stream, shard }: Shard): string {
  return `${stream.slice(0, stream.lastIndexOf('@'))}/${shard}`
}

function isWithin(sequence: string, { first, last }: NamedObject): boolean {
  return compareSequences(first, sequence) <= 0 && compareSequences(sequence, last) <= 0
}
