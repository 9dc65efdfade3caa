// Events from a file on this machine, through the decoder that the stream's records go through. A line that it refuses comes back
// with its reason, between the others, as a dead letter would.
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip, gunzipSync } from 'node:zlib'
import type { Contracts } from '../event/compile-contracts.ts'
import { decodePayload } from '../event/decode.ts'
import type { DecodedEvent, Refusal } from '../event/decoded-event.ts'
import { EVENT_BYTES_MAX } from '../event/limits.ts'
import { MillraceError } from '../platform/errors.ts'
import { CommandError } from './errors.ts'

export interface EventLine {
  /** From 1: the line of an NDJSON file, the position in a JSON array. */
  readonly line: number
  readonly decoded: DecodedEvent | Refusal
}

/** Each payload of the file, decoded. */
export async function* readEventsFile(path: string, contracts: Contracts): AsyncGenerator<EventLine> {
  for await (const { line, payload } of readPayloads(path)) yield { line, decoded: decodePayload(payload, contracts) }
}

/** `.json` is one document, an array of events or one event; anything else has an event a line. `.gz` is inflated. */
export async function* readPayloads(
  path: string,
): AsyncGenerator<{ readonly line: number; readonly payload: Uint8Array }> {
  const isDocument = /\.json(\.gz)?$/.test(path)
  try {
    let line = 0
    for await (const payload of isDocument ? await documentPayloads(path) : linePayloads(path)) {
      line++
      if (payload.length > 0) yield { line, payload }
    }
  } catch (error) {
    throw fileError(path, error)
  }
}

/** What to say of a file that cannot be read; errors that say it themselves stay as they are. */
export function fileError(path: string, error: unknown): unknown {
  if (error instanceof MillraceError || !(error instanceof Error) || !('code' in error)) return error
  const isMissing = error.code === 'ENOENT'
  return new CommandError(isMissing ? `There is no file ${path}` : `${path} cannot be read: ${error.message}`, {
    code: isMissing ? 'file-missing' : 'file-unreadable',
    next: 'Give the path of a file that can be read.',
    cause: error,
  })
}

/** What is no UTF-8 is no JSON; a letter in its place would be another text. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

async function documentPayloads(path: string): Promise<readonly Uint8Array[]> {
  const bytes = await readFile(path)
  let document: unknown
  try {
    document = JSON.parse(UTF8.decode(path.endsWith('.gz') ? gunzipSync(bytes) : bytes))
  } catch (error) {
    throw new CommandError(`${path} is not one JSON document in UTF-8`, {
      code: 'file-unreadable',
      next: 'If it has one event a line, name it .ndjson.',
      cause: error,
    })
  }
  return (Array.isArray(document) ? document : [document]).map(event => Buffer.from(JSON.stringify(event)))
}

const NEWLINE = 0x0a

async function* linePayloads(path: string): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path)
  const source = path.endsWith('.gz') ? inflated(file) : file
  let parts: Buffer[] = []
  let length = 0
  for await (const chunk of source as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      yield trimmed(Buffer.concat([...parts, chunk.subarray(start, end)]))
      parts = []
      length = 0
      start = end + 1
    }
    // A line without an end is kept up to where the decoder refuses it as too big.
    if (length <= EVENT_BYTES_MAX) parts.push(chunk.subarray(start))
    length += chunk.length - start
  }
  const rest = trimmed(Buffer.concat(parts))
  if (rest.length > 0) yield rest
}

function inflated(file: NodeJS.ReadableStream): NodeJS.ReadableStream {
  const gunzip = createGunzip()
  // What fails destroys both; the reader of `gunzip` throws it.
  pipeline(file, gunzip).catch((error: unknown) => gunzip.destroy(error instanceof Error ? error : undefined))
  return gunzip
}

const CARRIAGE_RETURN = 0x0d

function trimmed(line: Buffer): Buffer {
  return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line
}
