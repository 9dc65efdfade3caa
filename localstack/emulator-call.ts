// Calls of an emulator in this process: made here on behalf of a request, or handed on with a word when they are answered.
import { type IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { replayOf } from './read-body.ts'

export type HandleRequest = (request: Readable, response: ServerResponse) => void

export interface EmulatorAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** Resolves when the emulator has answered, whether or not anybody still listens: until then it may be writing. */
export function whenAnswered(
  handle: HandleRequest,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
): Promise<void> {
  return new Promise(resolve => {
    const end = response.end.bind(response) as (...given: readonly unknown[]) => ServerResponse
    response.end = (...given: readonly unknown[]) => {
      resolve()
      return end(...given)
    }
    handle(replayOf(request, body), response)
  })
}

/** The same caller asks for something else. */
export function callEmulator(
  handle: HandleRequest,
  request: IncomingMessage,
  { target, payload }: { readonly target: string; readonly payload: object },
): Promise<EmulatorAnswer> {
  const text = JSON.stringify(payload)
  const headers = {
    ...request.headers,
    'x-amz-target': target,
    'content-length': String(Buffer.byteLength(text)),
  }
  const call = Object.assign(Readable.from([Buffer.from(text)]), { method: 'POST', url: request.url, headers })
  return new Promise(resolve => {
    const response = new ServerResponse(request)
    response.end = (answer?: unknown) => {
      resolve({ status: response.statusCode, body: parse(answer) })
      return response
    }
    handle(call, response)
  })
}

/** A request that is too long is answered with its status alone. */
function parse(answer: unknown): EmulatorAnswer['body'] {
  return typeof answer === 'string' ? (JSON.parse(answer) as EmulatorAnswer['body']) : {}
}
