// Open letters as they stand now: read whole at first, then object by object as they are written, since an event that was set aside
// or given up an hour into a run must not be counted by what is rebuilt after that, and one that was replayed since must not be left out.
import { loadClosings, withClosing } from '../archive/closed-letters.ts'
import { type DeadLetter, loadDeadLetters } from '../archive/dead-letters.ts'
import { GIVEN_UP_PREFIX, readGivenUp } from '../archive/given-up.ts'
import { givenUpLetter } from '../archive/letters.ts'
import { listObjects, listShards } from '../archive/list-objects.ts'
import { type NamedObject, shardKey } from '../archive/object-name.ts'
import { compareSequences } from '../event/stream-record.ts'
import { groupBy } from '../platform/group-by.ts'
import { LineSpool } from '../platform/line-spool.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { recordKey } from './counted-events.ts'
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
  /** Keys of objects that were read: one for each invocation that set something aside, closed something or was given up. */
  readonly #read = new Set<string>()
  readonly #closedSince = new Map<string, number | undefined>()

  constructor(archive: ObjectStore, spoolDir: string) {
    this.#archive = archive
    this.#spool = new LineSpool(spoolDir, 'letters')
  }

  /** Throws ObjectStoreError, ArchiveError. */
  async open(): Promise<void> {
    // In this order: an object that is written in between is read twice, and none is missed.
    for (const kind of ['deadletters', 'closed'] as const) {
      for (const { key } of await this.#unread(kind)) this.#read.add(key)
    }
    for await (const { key } of this.#archive.list(GIVEN_UP_PREFIX)) this.#read.add(key)
    await spoolOpenLetters(this.#archive, this.#spool)
  }

  /** `recordKey` of each letter that anybody closed since this was opened → the instant by which it was accepted, if it was. */
  get closedSince(): ReadonlyMap<string, number | undefined> {
    return this.#closedSince
  }

  /** Tells the letters that were written since, and knows what was closed. Throws ObjectStoreError, ArchiveError. */
  async advance(onLetter: (letter: OpenLetter) => void): Promise<void> {
    const letters: DeadLetter[] = []
    for (const object of await this.#unread('closed')) {
      for (const closing of await loadClosings(this.#archive, object)) {
        const key = recordKey(closing)
        if (!this.#closedSince.has(key)) this.#closedSince.set(key, closing.acceptedMs)
      }
      this.#read.add(object.key)
    }
    for (const object of await this.#unread('deadletters')) {
      letters.push(...(await loadDeadLetters(this.#archive, object)))
      this.#read.add(object.key)
    }
    for await (const { key, records = [] } of readGivenUp(this.#archive, known => this.#read.has(known))) {
      for (const record of records) letters.push(givenUpLetter({ ...record, dataBase64: '' }))
      this.#read.add(key)
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

  async #unread(kind: 'deadletters' | 'closed'): Promise<NamedObject[]> {
    const unread: NamedObject[] = []
    for await (const shard of listShards(this.#archive, kind)) {
      for await (const object of listObjects(this.#archive, kind, { shard })) {
        if (!this.#read.has(object.key)) unread.push(object)
      }
    }
    return unread
  }
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}
