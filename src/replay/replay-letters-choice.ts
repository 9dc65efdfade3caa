// Which letters a replay takes, put into a local file in the order of the stream, so that what is written while it runs changes
// nothing of what was chosen.
import { listLetters } from '../archive/letters.ts'
import { parseLine } from '../archive/line-file.ts'
import { readRecordLine, recordLine } from '../archive/raw-object.ts'
import { decodeRecord } from '../event/decode.ts'
import type { StreamRecord } from '../event/stream-record.ts'
import type { LineSpool } from '../platform/line-spool.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { recordKey } from './counted-events.ts'

export interface LetterChoice {
  readonly reason?: string | undefined
  /** Of today's decoding, also where it refuses the record; what has no known type is of none. */
  readonly type?: string | undefined
  /** Arrival, ms, inclusive. */
  readonly fromMs?: number | undefined
  /** Arrival, ms, exclusive. */
  readonly toMs?: number | undefined
  /** By `recordKey`. */
  readonly records?: ReadonlySet<string> | undefined
}

export interface ChosenLetter {
  readonly record: StreamRecord
  readonly reason: string
}

/** As many as Lambda delivers at once, and so many bytes of payload: both are held. */
const RECORDS_MAX = 1000
const PAYLOAD_CHARACTERS_MAX = 16 * 1024 * 1024

/** The only slot: order is all that matters. */
const SLOT = 0

/** How many. Open ones only. Throws ObjectStoreError, ArchiveError. */
export async function spoolChosen(
  spool: LineSpool,
  { type, records, ...filter }: LetterChoice,
  { archive, compiled }: { readonly archive: ObjectStore; readonly compiled: CompiledPipeline },
): Promise<number> {
  let count = 0
  for await (const letter of listLetters(archive, filter)) {
    if (records?.has(recordKey(letter)) === false) continue
    if (type !== undefined && decodeRecord(letter, compiled.contracts).type !== type) continue
    spool.add(SLOT, Buffer.from(JSON.stringify({ ...recordLine(letter), reason: letter.reason })))
    count++
  }
  return count
}

/** In the order of each shard. */
export async function* chosenLetters(spool: LineSpool): AsyncGenerator<ChosenLetter> {
  for await (const line of spool.lines(SLOT)) yield readChosenLine(line)
}

/** As they lie in the file, for a sort. */
export function chosenLines(spool: LineSpool): AsyncGenerator<Uint8Array> {
  return spool.lines(SLOT)
}

export function readChosenLine(bytes: Uint8Array): ChosenLetter {
  const line = parseLine(Buffer.from(bytes).toString('utf8'), 'spooled from deadletters/')
  return { record: readRecordLine(line), reason: line.text('reason') }
}

/** In bounded parts, as they come. */
export async function* letterBatches(
  letters: AsyncIterable<ChosenLetter>,
  recordsMax = RECORDS_MAX,
): AsyncGenerator<ChosenLetter[]> {
  let batch: ChosenLetter[] = []
  let characters = 0
  for await (const letter of letters) {
    batch.push(letter)
    characters += letter.record.dataBase64.length
    if (batch.length < recordsMax && characters < PAYLOAD_CHARACTERS_MAX) continue
    yield batch
    batch = []
    characters = 0
  }
  if (batch.length > 0) yield batch
}
