// Open letters as they stand now: read whole at first, then object by object as they are written, since a late event that was set
// aside an hour into a run must not be counted by what is rebuilt after that.
import { withClosing } from '../archive/closed-letters.ts'
import { type DeadLetter, loadDeadLetters } from '../archive/dead-letters.ts'
import { listObjects, listShards } from '../archive/list-objects.ts'
import { type NamedObject, shardKey } from '../archive/object-name.ts'
import { compareSequences } from '../event/stream-record.ts'
import { groupBy } from '../platform/group-by.ts'
import { LineSpool } from '../platform/line-spool.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import {
  type AcceptedRecords,
  type OpenLetter,
  spooledAccepted,
  spooledLetters,
  spoolLetter,
  spoolOpenLetters,
} from './open-letters.ts'

export class LetterTail {
  readonly #archive: ObjectStore
  readonly #spool: LineSpool
  /** Keys of objects that were read: one for each invocation that set something aside. */
  readonly #read = new Set<string>()

  constructor(archive: ObjectStore, spoolDir: string) {
    this.#archive = archive
    this.#spool = new LineSpool(spoolDir, 'letters')
  }

  /** Throws ObjectStoreError, ArchiveError. */
  async open(): Promise<void> {
    // In this order: an object that is written in between is read twice, and none is missed.
    for (const { key } of await this.#unread()) this.#read.add(key)
    await spoolOpenLetters(this.#archive, this.#spool)
  }

  /** Tells the letters that were written since. Throws ObjectStoreError, ArchiveError. */
  async advance(onLetter: (letter: OpenLetter) => void): Promise<void> {
    const letters: DeadLetter[] = []
    for (const object of await this.#unread()) {
      letters.push(...(await loadDeadLetters(this.#archive, object)))
      this.#read.add(object.key)
    }
    for (const ofShard of groupBy(letters, shardKey).values()) {
      const inOrder = ofShard.sort((a, b) => compareSequences(a.sequence, b.sequence))
      // A record that was closed may be set aside again by code that is a deploy behind.
      for await (const [letter, closing] of withClosing(each(inOrder), this.#archive, 'closed')) {
        if (closing === undefined) onLetter(spoolLetter(this.#spool, letter))
      }
    }
  }

  /** By partition key. */
  ofBucket(bucket: number): Promise<ReadonlyMap<string, readonly OpenLetter[]>> {
    return spooledLetters(this.#spool, bucket)
  }

  acceptedOf(bucket: number): Promise<AcceptedRecords> {
    return spooledAccepted(this.#spool, bucket)
  }

  remove(): void {
    this.#spool.remove()
  }

  async #unread(): Promise<NamedObject[]> {
    const unread: NamedObject[] = []
    for await (const shard of listShards(this.#archive, 'deadletters')) {
      for await (const object of listObjects(this.#archive, 'deadletters', { shard })) {
        if (!this.#read.has(object.key)) unread.push(object)
      }
    }
    return unread
  }
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}
