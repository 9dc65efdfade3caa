// What was archived after a history was opened: it is read object by object as it comes, so that a run that takes hours meets the
// items where they stand now. Each record beyond the position is told once, and kept in a file by the bucket of its user.
import { listObjects, listShards, loadLines } from '../archive/list-objects.ts'
import { type Forgotten, readForgotten } from '../archive/forgotten.ts'
import { parseLine } from '../archive/line-file.ts'
import { hourOf, type NamedObject, type Shard, shardKey } from '../archive/object-name.ts'
import { isForgottenRecord, readRecordLine, recordLine } from '../archive/raw-object.ts'
import { compareSequences, type StreamRecord } from '../event/stream-record.ts'
import { mapAhead } from '../platform/concurrency.ts'
import { HOUR_MS } from '../platform/duration.ts'
import { userBucket } from '../platform/hash.ts'
import { LineSpool } from '../platform/line-spool.ts'
import type { ObjectStore } from '../platform/object-store.ts'

/** Objects fetched before their turn. */
const LOADS_AHEAD = 4

export interface TailPorts {
  readonly archive: ObjectStore
  /** Of the history that this is the tail of. */
  readonly positions: ReadonlyMap<string, string>
  /** Made and removed by the caller. */
  readonly spoolDir: string
}

export class ArchiveTail {
  readonly #archive: ObjectStore
  readonly #positions: Map<string, string>
  readonly #spool: LineSpool
  /** Read where there is something to tell of. */
  #forgotten: Promise<Forgotten> | undefined
  /** By shard, where listing begins: names before it are known, but for those that an arrival out of order may still add. */
  readonly #fromHours = new Map<string, string>()

  constructor({ archive, positions, spoolDir }: TailPorts) {
    this.#archive = archive
    this.#positions = new Map(positions)
    this.#spool = new LineSpool(spoolDir, 'tail')
  }

  /** By `stream@epoch/shard`: up to here everything is in the history or in this tail. */
  get positions(): ReadonlyMap<string, string> {
    return this.#positions
  }

  /** To where the archive stands now. Throws ObjectStoreError, ArchiveError. */
  async advance(onRecord: (record: StreamRecord) => void): Promise<void> {
    for await (const shard of listShards(this.#archive, 'raw')) await this.#advanceShard(shard, onRecord)
  }

  /** What was told before of users of the bucket. */
  async *records(bucket: number): AsyncGenerator<StreamRecord> {
    for await (const line of this.#spool.lines(bucket)) {
      yield readRecordLine(parseLine(Buffer.from(line).toString('utf8'), 'spooled from raw/'))
    }
  }

  remove(): void {
    this.#spool.remove()
  }

  async #advanceShard(shard: Shard, onRecord: (record: StreamRecord) => void): Promise<void> {
    const key = shardKey(shard)
    const known = this.#positions.get(key)
    const listed = await this.#list(shard, known)
    const last = listed.beyond.reduce<string | undefined>(highest, undefined)
    if (last !== undefined) {
      // Listed again: what lies before the last was written before it, but perhaps after its place in the first list was read.
      const { beyond } = await this.#list(shard, known)
      const inOrder = beyond.filter(({ first }) => compareSequences(first, last) <= 0)
      await this.#tell(key, inOrder.sort(byFirst), onRecord)
    }
    // Arrivals go back by seconds at the turn of an hour; one hour of names more costs nothing.
    if (listed.newestHour !== undefined) this.#fromHours.set(key, hourOf(hourMs(listed.newestHour) - HOUR_MS))
  }

  async #tell(key: string, objects: readonly NamedObject[], onRecord: (record: StreamRecord) => void): Promise<void> {
    const forgotten = await (this.#forgotten ??= readForgotten(this.#archive))
    let position = this.#positions.get(key)
    for await (const lines of mapAhead(objects, LOADS_AHEAD, object => loadLines(this.#archive, object))) {
      for (const line of lines) {
        const record = readRecordLine(line)
        const { sequence } = record
        // Objects overlap: what is not beyond the position was told.
        if (position !== undefined && compareSequences(sequence, position) <= 0) continue
        position = sequence
        if (isForgottenRecord(record) || forgotten.has(record.partitionKey, record.arrivalMs)) continue
        this.#spool.add(userBucket(record.partitionKey), Buffer.from(JSON.stringify(recordLine(record))))
        onRecord(record)
      }
    }
    if (position !== undefined) this.#positions.set(key, position)
  }

  async #list(shard: Shard, position: string | undefined): Promise<{ beyond: NamedObject[]; newestHour?: string }> {
    const fromHour = this.#fromHours.get(shardKey(shard))
    const beyond: NamedObject[] = []
    let newestHour: string | undefined
    // In the order of their hours.
    for await (const object of listObjects(this.#archive, 'raw', { shard, fromHour })) {
      newestHour = object.hour ?? newestHour
      if (position === undefined || compareSequences(object.last, position) > 0) beyond.push(object)
    }
    return { beyond, ...(newestHour === undefined ? {} : { newestHour }) }
  }
}

function byFirst(a: NamedObject, b: NamedObject): number {
  return compareSequences(a.first, b.first)
}

function highest(known: string | undefined, { last }: NamedObject): string {
  return known === undefined || compareSequences(last, known) > 0 ? last : known
}

/** Of the `YYYYMMDDHH` of a name. */
function hourMs(hour: string): number {
  return Date.parse(`${hour.slice(0, 4)}-${hour.slice(4, 6)}-${hour.slice(6, 8)}T${hour.slice(8)}:00:00Z`)
}
