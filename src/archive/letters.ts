// Everything that was set aside, in one list: dead letters, and the records of batches that Lambda gave up on, which are none of their
// own. What both have is a letter: its reason says what is wrong with the record, a batch's end says nothing of it.
import { byCodePoint } from '../platform/canonical-json.ts'
import { compareSequences, type StreamRecord } from '../event/stream-record.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { withClosing } from './closed-letters.ts'
import { type DeadLetter, type DeadLetterFilter, readDeadLetters, wantedLetters } from './dead-letters.ts'
import { readForgotten } from './forgotten.ts'
import { GIVEN_UP, givenUpRecords, readGivenUp } from './given-up.ts'
import { type Shard, shardKey } from './object-name.ts'

const GIVEN_UP_DETAIL = 'Lambda gave up on its batch after the last retry; the record itself may be right.'

export interface LettersFilter extends DeadLetterFilter {
  /** Payloads of given-up records are left out, so that nothing is fetched twice. */
  readonly isWithoutGivenUpData?: boolean
  /** Told the key of each object below aws/lambda/ that is not what Lambda writes. */
  readonly onUnreadable?: (key: string) => void
}

/**
 * Each record once, as first recorded, with what Lambda gave up on under the reason `given-up`; shard by shard, in the order of the
 * stream; open ones unless all are wanted. Names of given-up records are held. Throws ObjectStoreError, ArchiveError.
 */
export async function* listLetters(objects: ObjectStore, filter: LettersFilter = {}): AsyncGenerator<DeadLetter> {
  const givenUp = await givenUpInOrder(objects, filter.onUnreadable)
  const forgotten = await readForgotten(objects)
  const both = merge(readDeadLetters(objects), lettersOf(objects, givenUp, filter.isWithoutGivenUpData === true))
  for await (const letter of wantedLetters(withClosing(both, objects, 'closed'), filter)) {
    if (!forgotten.has(letter.partitionKey, letter.arrivalMs)) yield letter
  }
}

interface GivenUpRecord {
  /** Without its payload. */
  readonly record: StreamRecord
  readonly key: string
}

async function givenUpInOrder(
  objects: ObjectStore,
  onUnreadable: ((key: string) => void) | undefined,
): Promise<readonly GivenUpRecord[]> {
  const once = new Map<string, GivenUpRecord>()
  for await (const { key, records } of readGivenUp(objects)) {
    if (records === undefined) onUnreadable?.(key)
    for (const record of records ?? []) {
      const name = `${shardKey(record)}/${record.sequence}`
      if (!once.has(name)) once.set(name, { record: { ...record, dataBase64: '' }, key })
    }
  }
  return [...once.values()].sort((a, b) => compareRecords(a.record, b.record))
}

/** As payloads are asked for, batch after batch is read again: one is held. */
async function* lettersOf(
  objects: ObjectStore,
  givenUp: readonly GivenUpRecord[],
  isWithoutData: boolean,
): AsyncGenerator<DeadLetter> {
  let held: { readonly key: string; readonly data: ReadonlyMap<string, string> } | undefined
  for (const { record, key } of givenUp) {
    if (!isWithoutData && held?.key !== key) held = { key, data: await dataBySequence(objects, key) }
    const dataBase64 = isWithoutData ? '' : held?.data.get(record.sequence)
    // Its object has been replaced since names were listed, as a user was forgotten: who lists again finds the other one.
    if (dataBase64 === undefined) continue
    yield givenUpLetter({ ...record, dataBase64 })
  }
}

export function givenUpLetter(record: StreamRecord): DeadLetter {
  return { ...record, reason: GIVEN_UP, detail: GIVEN_UP_DETAIL }
}

async function dataBySequence(objects: ObjectStore, key: string): Promise<ReadonlyMap<string, string>> {
  const body = await objects.get(key)
  const records = body === undefined ? [] : (givenUpRecords(body) ?? [])
  return new Map(records.map(({ sequence, dataBase64 }) => [sequence, dataBase64]))
}

/** Of one record the dead letter: it says what is wrong with it. */
async function* merge(
  letters: AsyncGenerator<DeadLetter>,
  givenUp: AsyncGenerator<DeadLetter>,
): AsyncGenerator<DeadLetter> {
  try {
    let [letter, lost] = [await nextOf(letters), await nextOf(givenUp)]
    while (letter !== undefined || lost !== undefined) {
      const order = letter === undefined ? 1 : lost === undefined ? -1 : compareRecords(letter, lost)
      if (order <= 0 && letter !== undefined) yield letter
      else if (lost !== undefined) yield lost
      if (order <= 0) letter = await nextOf(letters)
      if (order >= 0) lost = await nextOf(givenUp)
    }
  } finally {
    await letters.return(undefined)
    await givenUp.return(undefined)
  }
}

async function nextOf(letters: AsyncGenerator<DeadLetter>): Promise<DeadLetter | undefined> {
  const next = await letters.next()
  return next.done === true ? undefined : next.value
}

/** As keys of objects are listed. */
function compareRecords(a: Shard & Pick<StreamRecord, 'sequence'>, b: Shard & Pick<StreamRecord, 'sequence'>): number {
  return byCodePoint(`${shardKey(a)}/`, `${shardKey(b)}/`) || compareSequences(a.sequence, b.sequence)
}
