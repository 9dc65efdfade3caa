// A request's whole body, up to a limit; and a finished request in the shape that the emulators read.
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

/** Undefined where the body is longer; the rest of it is then read and dropped, so that the answer can be delivered. */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes <= bytesMax) chunks.push(chunk)
  }
  return bytes > bytesMax ? undefined : Buffer.concat(chunks)
}

/**
 * kinesalite and dynalite throw out of the process when a caller goes away in the middle of a request, as a killed function
 * does. They are given requests that have arrived whole and cannot fail any more.
 */
export function replayOf(request: IncomingMessage, body: Buffer): Readable {
  const { method, url, headers } = request
  return Object.assign(Readable.from(body.length === 0 ? [] : [body]), { method, url, headers })
}
