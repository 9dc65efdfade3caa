// Whether a batch that Lambda gave up is over: each of its records is closed, or is a dead letter with a reason of its own, which is
// counted there. Names of objects are listed once for all batches.
import { compareSequences, type StreamRecord } from '../event/stream-record.ts'
import { byCodePoint } from '../platform/canonical-json.ts'
import { groupBy } from '../platform/group-by.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { withClosing } from './closed-letters.ts'
import { loadDeadLetters } from './dead-letters.ts'
import { listObjects } from './list-objects.ts'
import { type NamedObject, type Shard, shardKey } from './object-name.ts'

export class GivenUpEnds {
  readonly #objects: ObjectStore
  /** Of dead letters, by shard. */
  readonly #named = new Map<string, readonly NamedObject[]>()

  constructor(objects: ObjectStore) {
    this.#objects = objects
  }

  /** Throws ObjectStoreError, ArchiveError. */
  async isOver(records: readonly StreamRecord[]): Promise<boolean> {
    for (const ofShard of groupBy(await this.#notClosed(records), shardKey).values()) {
      if (!(await this.#areLetters(ofShard))) return false
    }
    return true
  }

  async #notClosed(records: readonly StreamRecord[]): Promise<readonly StreamRecord[]> {
    const inOrder = records.toSorted(
      (a, b) => byCodePoint(shardKey(a), shardKey(b)) || compareSequences(a.sequence, b.sequence),
    )
    const open: StreamRecord[] = []
    for await (const [record, closedBy] of withClosing(each(inOrder), this.#objects, 'closed')) {
      if (closedBy === undefined) open.push(record)
    }
    return open
  }

  /** Of one shard, in the order of the stream. */
  async #areLetters(records: readonly StreamRecord[]): Promise<boolean> {
    const [first, last] = [records[0], records.at(-1)]
    if (first === undefined || last === undefined) return true
    const without = new Set(records.map(({ sequence }) => sequence))
    for (const object of await this.#namedOf(first)) {
      const isBeside =
        compareSequences(object.last, first.sequence) < 0 || compareSequences(last.sequence, object.first) < 0
      if (isBeside) continue
      for (const { sequence } of await loadDeadLetters(this.#objects, object)) without.delete(sequence)
      if (without.size === 0) return true
    }
    return false
  }

  async #namedOf(shard: Shard): Promise<readonly NamedObject[]> {
    const known = this.#named.get(shardKey(shard))
    if (known !== undefined) return known
    const named: NamedObject[] = []
    for await (const object of listObjects(this.#objects, 'deadletters', { shard })) named.push(object)
    this.#named.set(shardKey(shard), named)
    return named
  }
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}
